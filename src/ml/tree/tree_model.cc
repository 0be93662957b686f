// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/tree_model.h"

#include <cmath>

#include "base/error.h"

namespace braid::ml {

namespace {

constexpr size_t kBlockRows = 256;  // a block of inputs and one tree fit the second-level cache

// Margins of one row to probabilities, two classes of one margin.
void Probabilities(std::span<const double> margins, std::span<double> out) {
  if (margins.size() == 1) {
    const double e = std::exp(-std::abs(margins[0]));
    out[1] = margins[0] >= 0 ? 1 / (1 + e) : e / (1 + e);
    out[0] = margins[0] >= 0 ? e / (1 + e) : 1 / (1 + e);
    return;
  }
  const double largest = *std::max_element(margins.begin(), margins.end());
  double sum = 0;
  for (size_t k = 0; k < margins.size(); ++k) sum += out[k] = std::exp(margins[k] - largest);
  for (double& probability : out) probability /= sum;
}

}  // namespace

TreeModel::TreeModel(TreeParts parts) : parts_(std::move(parts)) {
  for (Tree& tree : parts_.trees) tree.MeasureDepth();
}

void TreeModel::Score(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  const size_t margins = margin_count();
  BRAID_CHECK(out.size() == inputs.rows * score_count());
  std::vector<float> values;
  std::vector<double> sums;
  for (size_t begin = 0; begin < inputs.rows; begin += kBlockRows) {
    const size_t count = std::min(kBlockRows, inputs.rows - begin);
    parts_.encoding.Encode(inputs, begin, count, values);
    sums.assign(count * margins, parts_.base);
    AddTreeScores(parts_.trees, values, parts_.encoding.width(), margins, sums);
    if (parts_.classes.empty()) {
      std::copy(sums.begin(), sums.end(), &out[begin]);
      continue;
    }
    for (size_t row = 0; row < count; ++row)
      Probabilities(std::span(sums).subspan(row * margins, margins),
                    out.subspan((begin + row) * score_count(), score_count()));
  }
}

}  // namespace braid::ml
