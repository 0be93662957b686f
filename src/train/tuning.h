// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "ml/tuning_options.h"
#include "session/change.h"
#include "session/model_store.h"
#include "train/model_projection.h"
#include "train/training_rows.h"

namespace braid::train {

struct TuningRequest {
  const std::string& model;  // key
  session::Change& change;
  session::ModelStore& models;
  const ml::TuningOptions& tuning;
  const ml::ModelOptions& options;
  const session::Projection& projection;
  std::vector<ml::FeatureStatistics> features;  // of the rows, for each trial's model
  int64_t threads = 1;
  std::filesystem::path journal_folder;  // .braid/tuning
  std::string pins;                      // query and options, as far as a trial depends on them
};

// Fits and judges a model for each point of the search space, several at once: their fits run in
// parallel, what they ask of the engine comes through the change's connection in turn. Trials that
// an earlier run over the same rows finished are taken from its journal. The outcome does not
// depend on how many run at once. Artefacts are in the store, durably.
//
// A trial that cannot be trained is FAILED, one whose options do not go together INFEASIBLE. Throws
// the first such error when more than half of the trials have one, INTERRUPTED, and TRAINING_DATA
// when no trial could be judged by the objective.
std::vector<catalog::ModelTrial> RunTrials(const TuningRequest& request, const TrainingRows& rows);

// How many trials count when the search ends among these, their objectives in order: it ends as
// soon as `patience` trials in a row were no better than the best before them. 0: it does not.
std::optional<size_t> EndOfSearch(const std::vector<std::optional<double>>& objectives,
                                  bool higher_is_better, size_t patience);

}  // namespace braid::train
