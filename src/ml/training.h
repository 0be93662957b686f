// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/batch.h"
#include "base/option.h"

namespace braid::ml {

class Model;

enum class InputKind : uint8_t { kNumeric, kCategory };

struct InputColumn {
  std::string name;
  InputKind kind = InputKind::kNumeric;
};

// The rows to train on. Batch columns: the inputs in order (numeric: kDouble, category: kString),
// the label if the request has one (regression: kDouble, classification: kString), then the weight
// (kDouble) if it has one. May be scanned any number of times; each scan gives the same rows in the
// same order.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual void Scan(const std::function<void(const Batch&)>& visit) = 0;
};

// What to train. NULL and NaN are one: such labels skip their row, such numeric inputs take the
// training mean; infinities are an error. A weight counts as that many equal rows.
struct TrainingRequest {
  std::string kind;  // "linear_reg"
  std::vector<InputColumn> inputs;
  std::string label;  // empty: there is none
  // Classification: the labels in their type's order; empty: ordered as text. Labels that no row
  // has are left out of the model; a label that is missing here is an error.
  std::vector<std::string> classes_in_order;
  bool has_weight = false;
  std::vector<Option> settings;  // as given; a kind reads its own
  int64_t seed = 0;
  size_t threads = 1;
  RowSource* held_out = nullptr;      // rows of the same columns that are not trained on, if any
  const Model* warm_start = nullptr;  // a model of the same kind to start from, if any
};

// How a training run is watched and stopped. `progress` is called on the training thread.
struct TrainingControl {
  std::stop_token stop;
  std::function<void(double fraction, double loss)> progress;
};

// Throws kInterrupted when somebody asked to stop.
void ThrowIfStopped(const std::stop_token& stop);
inline void ThrowIfStopped(const TrainingControl& control) { ThrowIfStopped(control.stop); }

// A row of ML.TRAINING_INFO. The loss is the mean over the rows (squared error or log loss).
struct TrainingInfoRow {
  int64_t iteration = 0;
  double loss = 0;
  std::optional<double> eval_loss;
  std::optional<double> learning_rate;
  std::optional<double> duration_ms;  // not kept in artefacts: equal trainings give equal bytes
};

}  // namespace braid::ml
