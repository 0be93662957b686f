// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ml/tree/tree_options.h"

namespace braid::ml {

// Rows as trees take them: inputs × 32 bits, row by row; NaN is missing. A category is the place of
// its text among `levels` (ascending bytes).
struct TreeRows {
  size_t rows = 0;
  int64_t skipped = 0;  // without a label, or (held out) with one that is not among the classes
  std::vector<float> values;
  std::vector<std::vector<std::string>> levels;  // by input; empty for numbers
  std::vector<std::string> classes;
  std::vector<double> label;   // the number, or the place among the classes
  std::vector<double> weight;  // empty: 1
};

// Throws kTrainingData for infinities, rows without any label, a label of one class, bad weights.
TreeRows LoadTreeRows(const TreeRequest& request, RowSource& rows, const TrainingControl& control);

// Held-out rows, encoded as the training's; there may be none.
TreeRows LoadHeldOutRows(const TreeRequest& request, const TreeRows& training, RowSource& rows,
                         const TrainingControl& control);

}  // namespace braid::ml
