// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ml/model_kind.h"
#include "ml/partitioned/group_moments.h"
#include "ml/partitioned/partition_keys.h"
#include "ml/partitioned/partitioned_model.h"

namespace braid::ml {

struct PartitionOptions {
  int64_t min_rows = 1;  // with a label; partitions of fewer are not trained
  bool pooled = false;   // rows of other partitions are answered by a model of all rows
};

// Whether a model of this kind can be one among many. Throws kNotSupported.
void CheckPartitionedKind(const ModelKind& kind);

// Trains a model for each partition, and puts them together. A partition that cannot be trained
// (TRAINING_DATA) is noted and stops nobody. Used by one thread; it trains on as many as the
// request says.
class PartitionTrainer {
 public:
  // `request` is that of each partition's model, without held-out rows.
  PartitionTrainer(TrainingRequest request, std::vector<KeyColumn> key_columns,
                   PartitionOptions options, TrainingControl control);

  const TrainingRequest& request() const { return request_; }
  // From sums. Where they are too coarse, the partition waits for its rows.
  void TrainFromMoments(std::vector<std::pair<PartitionKey, GroupMoments>> groups);
  // The partitions that wait, with their sums.
  const std::vector<std::pair<PartitionKey, GroupMoments>>& waiting() const { return waiting_; }
  // From the rows of one partition, and its sums where it waited for them.
  void TrainFromRows(PartitionKey key, RowSource& rows, const GroupMoments* moments = nullptr);

  // The sums of all partitions, if a pooled model is wanted and they were all trained from sums.
  const std::optional<GramAccumulator>& pooled_moments() const { return pooled_moments_; }
  void SetPooled(const TrainedModel& trained);

  // Throws kTrainingData when there is no partition, or none was trained and there is no pooled
  // model.
  TrainedModel Finish();

 private:
  struct Trained {
    PartitionKey key;
    PartitionOutcome outcome;
    std::string artefact;  // of the trained
    std::vector<std::string> score_names;
    bool waits = false;
  };
  Trained TrainOne(const PartitionKey& key, const GroupMoments& moments) const;
  template <typename Train>
  Trained Record(PartitionKey key, int64_t rows, std::optional<double> label_squares,
                 Train train) const;
  void AlignScores();
  std::vector<std::string> Notices() const;

  TrainingRequest request_;
  const ModelKind& kind_;
  std::vector<KeyColumn> key_columns_;
  PartitionOptions options_;
  TrainingControl control_;
  std::vector<Trained> trained_;
  std::vector<std::pair<PartitionKey, GroupMoments>> waiting_;
  std::optional<GramAccumulator> pooled_moments_;
  std::string pooled_artefact_;
};

}  // namespace braid::ml
