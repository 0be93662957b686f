// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/leakage.h"

#include <cmath>

namespace braid::ml {

namespace {

double LabelAt(const Design& design, size_t row) {
  return design.label.empty() ? design.label_class[row] : design.label[row];
}

bool IsConstantLabel(const Design& design) {
  for (size_t row = 1; row < design.rows; ++row)
    if (LabelAt(design, row) != LabelAt(design, 0)) return false;
  return true;
}

bool IsCopy(const Design& design, const DesignColumn& column, const GlmInput& input) {
  if (design.label.empty() || input.null_count > 0) return false;
  // The value went through its standardisation and back.
  const double rounding = 1e-12 * (std::abs(input.mean) + 10 * column.scale);
  for (size_t row = 0; row < design.rows; ++row) {
    const double value = column.values[row] * column.scale + column.offset;
    if (std::abs(value - design.label[row]) > rounding + 1e-12 * std::abs(value)) return false;
  }
  return true;
}

bool Fixes(const Design& design, const DesignColumn& column, const GlmInput& input) {
  if (input.categories.size() < 2 || input.categories.size() * 2 > design.rows) return false;
  // The reference, if any, has code -1.
  std::vector<double> label(column.width + 1, NAN);
  for (size_t row = 0; row < design.rows; ++row) {
    double& seen = label[static_cast<size_t>(column.codes[row] + 1)];
    const double own = LabelAt(design, row);
    if (!std::isnan(seen) && seen != own) return false;
    seen = own;
  }
  return true;
}

}  // namespace

std::string CopyNotice(const std::string& input) {
  return "The input equals the label in every row, so it may not be known when predicting: " +
         input;
}

std::vector<std::string> LeakageNotices(const Design& design) {
  std::vector<std::string> notices;
  if (design.rows < kLeastRowsForLeakage || IsConstantLabel(design)) return notices;
  for (size_t c = 0; c < design.columns.size(); ++c) {
    const DesignColumn& column = design.columns[c];
    const GlmInput& input = design.inputs[c];
    if (column.kind == InputKind::kNumeric) {
      if (IsCopy(design, column, input)) notices.push_back(CopyNotice(input.name));
    } else if (Fixes(design, column, input)) {
      notices.push_back(
          "The input determines the label without error, so it may not be known when predicting: " +
          input.name);
    }
  }
  return notices;
}

}  // namespace braid::ml
