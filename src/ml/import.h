// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/option.h"
#include "ml/model.h"
#include "ml/training.h"

namespace braid::ml {

// A file that holds a model which was trained elsewhere.
struct ImportRequest {
  std::string file;  // its bytes
  // INPUT (…): the columns that fill the model's inputs, in the model's order. Empty: columns are
  // called as the file calls its inputs.
  std::vector<InputColumn> inputs;
  std::string label;  // empty when none is named
  std::vector<Option> settings;
};

// A column that rows must have: a number or a text, or (width > 0) a list of so many.
struct ImportedColumn {
  std::string name;
  size_t width = 0;
};

struct ImportedModel {
  std::unique_ptr<Model> model;
  std::vector<ImportedColumn> columns;  // in the order of the model's input_columns(), which are
                                        // as many as the widths (0 counting as 1) add up to
  std::string label;                    // empty: the model has none
  std::string label_type;               // DuckDB's SQL name
};

// CLASS_LABELS: what the outputs of a classifier stand for, in the order of the outputs.
struct ClassLabels {
  std::vector<std::string> texts;
  std::string type = "VARCHAR";  // BIGINT when all are integers, BOOLEAN when all are truth values
  // The places of the texts in the ascending order of their type.
  std::vector<size_t> Ascending() const;
};
// Empty texts when the option is not given. Throws kInvalidOption: fewer than two, or one twice.
ClassLabels ReadClassLabels(const std::vector<Option>& settings);

}  // namespace braid::ml
