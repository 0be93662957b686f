// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "engine/connection.h"
#include "ml/partitioned/partition_trainer.h"
#include "session/model_store.h"
#include "train/fitting.h"
#include "train/training_rows.h"

namespace braid::train {

// The fit of a model for each partition of the rows. Where sums suffice they are gathered for all
// partitions in one scan; the rows of partitions whose sums are too coarse, or of all where sums do
// not suffice, are read in the order of the partitions, one of them in memory at a time.
class PartitionedFitting {
 public:
  // `keys` are the partition columns. All outlive the object.
  PartitionedFitting(engine::Connection& connection, Fitting& fitting,
                     const std::vector<session::ProjectedInput>& keys)
      : connection_(connection), fitting_(fitting), keys_(keys) {}

  // Throws TRAINING_DATA, INTERRUPTED.
  ml::TrainedModel Fit(const TrainingRows& rows, const ml::TrainingControl& control);

 private:
  void TrainFromMoments(const std::string& from, const ml::TrainingControl& control,
                        ml::PartitionTrainer& trainer);
  void TrainFromRows(const std::string& from, ml::PartitionTrainer& trainer);
  void TrainWaiting(const std::string& from, ml::PartitionTrainer& trainer);

  engine::Connection& connection_;
  Fitting& fitting_;
  const std::vector<session::ProjectedInput>& keys_;
};

}  // namespace braid::train
