// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace braid::ml {

// 16 bytes. A row goes left when its value is below the threshold, or missing and not
// missing_right; the right child follows the left one. A leaf is its own left child and has NaN for
// a threshold, so that going on stays there.
struct TreeNode {
  float threshold = 0;
  uint32_t input : 31 = 0;
  uint32_t missing_right : 1 = 0;
  uint32_t left = 0;
  float value = 0;  // of a leaf
};

// What training knew of a node: explanations and ML.FEATURE_IMPORTANCE need it.
struct NodeStatistics {
  float gain = 0;
  float cover = 0;  // Σ of second derivatives; of squared error, Σ of weights
};

struct Tree {
  uint32_t output = 0;          // which score it adds to
  std::vector<TreeNode> nodes;  // the root is the first
  std::vector<NodeStatistics> statistics;
  uint32_t depth = 0;

  bool IsLeaf(uint32_t node) const { return nodes[node].left == node; }
  // Splits, then leaves; 0 for a tree of one leaf.
  void MeasureDepth();
};

// out[row * outputs + k] += the leaves' values. `values`: rows × inputs, NaN is missing.
void AddTreeScores(std::span<const Tree> trees, std::span<const float> values, size_t inputs,
                   size_t outputs, std::span<double> out);

}  // namespace braid::ml
