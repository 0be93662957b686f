// SPDX-License-Identifier: Apache-2.0
// Rows descend together, one level at a time and without branches, so that the processor works on
// many of them at once and a tree stays in the cache.
#include "ml/tree/tree_ensemble.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace braid::ml {

namespace {

constexpr size_t kRowsTogether = 16;

template <size_t kRows>
void Descend(const Tree& tree, const float* values, size_t inputs, size_t outputs, double* out) {
  std::array<uint32_t, kRows> at{};
  const TreeNode* nodes = tree.nodes.data();
  for (uint32_t level = 0; level < tree.depth; ++level)
    for (size_t row = 0; row < kRows; ++row) {
      const TreeNode node = nodes[at[row]];
      const float value = values[row * inputs + node.input];
      const auto right = static_cast<uint32_t>(value >= node.threshold);
      const auto missing = static_cast<uint32_t>(value != value);
      at[row] = node.left + (right | (missing & node.missing_right));
    }
  for (size_t row = 0; row < kRows; ++row)
    out[row * outputs] += static_cast<double>(nodes[at[row]].value);
}

}  // namespace

// Children stand after their parents.
void Tree::MeasureDepth() {
  std::vector<uint32_t> depths(nodes.size());
  depth = 0;
  for (uint32_t node = 0; node < nodes.size(); ++node) {
    depth = std::max(depth, depths[node]);
    if (IsLeaf(node)) continue;
    depths[nodes[node].left] = depths[nodes[node].left + 1] = depths[node] + 1;
  }
}

void AddTreeScores(std::span<const Tree> trees, std::span<const float> values, size_t inputs,
                   size_t outputs, std::span<double> out) {
  const size_t rows = out.size() / outputs;
  BRAID_CHECK(values.size() == rows * inputs);
  for (const Tree& tree : trees) {
    size_t row = 0;
    for (; row + kRowsTogether <= rows; row += kRowsTogether)
      Descend<kRowsTogether>(tree, &values[row * inputs], inputs, outputs,
                             &out[row * outputs + tree.output]);
    for (; row < rows; ++row)
      Descend<1>(tree, &values[row * inputs], inputs, outputs, &out[row * outputs + tree.output]);
  }
}

}  // namespace braid::ml
