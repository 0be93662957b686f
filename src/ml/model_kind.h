// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ml/gram.h"
#include "ml/hyperparameter.h"
#include "ml/import.h"
#include "ml/model.h"
#include "ml/training.h"

namespace braid::ml {

// The columns of a training query that a kind of model names itself.
struct NamedColumns {
  std::string label;                // what is predicted: a number
  std::vector<std::string> inputs;  // these alone, as categories
};

// A kind of model: everything that the rest of Braid asks about `model_type = 'name'`. A new kind
// is a folder of its own and a line in model_kind.cc (docs/recipes/model_type.md).
struct ModelKind {
  std::string_view name;
  Task task = Task::kRegression;
  std::vector<std::string_view> option_names;        // its own, lower case
  std::vector<Hyperparameter> hyperparameters = {};  // those of them that NUM_TRIALS can tune
  bool takes_weights = false;                        // INSTANCE_WEIGHT_COL
  bool warm_starts = false;                          // WARM_START
  // Throws kInvalidOption for values that do not fit. nullptr: it has no options.
  void (*check_options)(const std::vector<Option>& options) = nullptr;
  // nullptr: the label is INPUT_LABEL_COLS and all other columns are inputs.
  NamedColumns (*named_columns)(const std::vector<Option>& options) = nullptr;
  // Kinds that are trained elsewhere: makes a model of a file. `task` is then a word for what is
  // not known yet, and nothing is trained. Throws kModelImport, kInvalidOption.
  ImportedModel (*import)(const ImportRequest& request) = nullptr;
  // Throws kTrainingData for rows that cannot be trained on, kInterrupted when stopped.
  TrainedModel (*train)(const TrainingRequest& request, RowSource& rows,
                        const TrainingControl& control) = nullptr;
  // Kinds that can train from sums: whether they suffice for a request, and the training. The sums
  // are of the inputs and the label (0 without one); `rows` may be scanned when they turn out to be
  // too coarse. nullptr: never.
  bool (*moments_suffice)(const TrainingRequest& request) = nullptr;
  TrainedModel (*train_from_moments)(const TrainingRequest& request, const GramAccumulator& moments,
                                     RowSource& rows, const TrainingControl& control) = nullptr;
  // Throws kLakeDamaged when the artefact is malformed, kLakeFormat when another version wrote it.
  std::unique_ptr<Model> (*load)(std::string_view artefact) = nullptr;
};

std::span<const ModelKind* const> ModelKinds();
// Any case. Throws kNotSupported for BigQuery ML's other kinds, kInvalidOption for unknown names.
const ModelKind& FindModelKind(std::string_view name);
// A model from its kind's name and its artefact, also one that has a model a partition. Throws
// kLakeDamaged, kLakeFormat.
std::unique_ptr<Model> LoadModel(std::string_view kind, std::string_view artefact);

}  // namespace braid::ml
