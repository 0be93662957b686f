// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ml/tree/tree_encoding.h"
#include "ml/tree/tree_options.h"

namespace braid::ml {

// Rows as trees take them: the numbers of the encoding in 32 bits each, row by row; NaN is missing.
struct TreeRows {
  size_t rows = 0;
  int64_t skipped = 0;  // without a label, or (held out) with one that is not among the classes
  std::vector<float> values;
  TreeEncoding encoding;  // of training rows: how other rows are encoded
  std::vector<std::string> classes;
  std::vector<double> label;   // the number, or the place among the classes
  std::vector<double> weight;  // empty: 1
};

// Of a regression, by the rows' weights.
double LabelMean(const TreeRows& rows);

// Throws kTrainingData for infinities, rows without any label, a label of one class, bad weights,
// too many indicators.
TreeRows LoadTreeRows(const TreeRequest& request, RowSource& rows, const TrainingControl& control);

// Held-out rows, encoded as the training's; there may be none.
TreeRows LoadHeldOutRows(const TreeRequest& request, const TreeRows& training, RowSource& rows,
                         const TrainingControl& control);

}  // namespace braid::ml
