// SPDX-License-Identifier: Apache-2.0
// Shapley values of trees, path dependent: Lundberg, Erion and Lee, "Consistent individualized
// feature attribution for tree ensembles" (2018), algorithm 2.
#include <cmath>

#include "base/error.h"
#include "ml/tree/tree_model.h"

namespace braid::ml {

namespace {

// A distinct input on the path: the share of subsets without it, and with it, that flow on here,
// and the sum of the weights of subsets of one size.
struct PathStep {
  int64_t input = -1;
  double zero = 1;
  double one = 1;
  double weight = 0;
};
using Path = std::vector<PathStep>;

void Extend(Path& path, double zero, double one, int64_t input) {
  const size_t length = path.size();
  path.push_back({input, zero, one, length == 0 ? 1.0 : 0.0});
  const auto size = static_cast<double>(length + 1);
  for (size_t i = length; i-- > 0;) {
    path[i + 1].weight += one * path[i].weight * static_cast<double>(i + 1) / size;
    path[i].weight *= zero * static_cast<double>(length - i) / size;
  }
}

void Unwind(Path& path, size_t step) {
  const size_t last = path.size() - 1;
  const double zero = path[step].zero;
  const double one = path[step].one;
  const auto size = static_cast<double>(last + 1);
  double next = path[last].weight;
  for (size_t i = last; i-- > 0;) {
    if (one != 0) {
      const double before = path[i].weight;
      path[i].weight = next * size / (static_cast<double>(i + 1) * one);
      next = before - path[i].weight * zero * static_cast<double>(last - i) / size;
    } else {
      path[i].weight *= size / (zero * static_cast<double>(last - i));
    }
  }
  for (size_t i = step; i < last; ++i) {
    path[i].input = path[i + 1].input;
    path[i].zero = path[i + 1].zero;
    path[i].one = path[i + 1].one;
  }
  path.pop_back();
}

double UnwoundSum(const Path& path, size_t step) {
  Path copy = path;
  Unwind(copy, step);
  double sum = 0;
  for (const PathStep& item : copy) sum += item.weight;
  return sum;
}

class Shapley {
 public:
  Shapley(const Tree& tree, const float* values, double* out)
      : tree_(tree), values_(values), out_(out) {}

  void Visit(uint32_t at, Path path, double zero, double one, int64_t input) {
    Extend(path, zero, one, input);
    const TreeNode& node = tree_.nodes[at];
    if (tree_.IsLeaf(at)) {
      for (size_t i = 1; i < path.size(); ++i)
        out_[path[i].input] +=
            UnwoundSum(path, i) * (path[i].one - path[i].zero) * static_cast<double>(node.value);
      return;
    }
    const float value = values_[node.input];
    const bool right = std::isnan(value) ? node.missing_right != 0 : value >= node.threshold;
    const uint32_t hot = node.left + (right ? 1 : 0);
    const uint32_t cold = node.left + (right ? 0 : 1);
    double earlier_zero = 1;
    double earlier_one = 1;
    for (size_t i = 1; i < path.size(); ++i) {
      if (path[i].input != static_cast<int64_t>(node.input)) continue;
      earlier_zero = path[i].zero;
      earlier_one = path[i].one;
      Unwind(path, i);
      break;
    }
    Visit(hot, path, earlier_zero * Share(at, hot), earlier_one, node.input);
    Visit(cold, path, earlier_zero * Share(at, cold), 0, node.input);
  }

 private:
  double Share(uint32_t parent, uint32_t child) const {
    return static_cast<double>(tree_.statistics[child].cover) /
           static_cast<double>(tree_.statistics[parent].cover);
  }
  const Tree& tree_;
  const float* values_;
  double* out_;
};

// The mean over the training rows, by cover. Children follow their parents.
double Expectation(const Tree& tree) {
  std::vector<double> means(tree.nodes.size());
  for (auto node = static_cast<uint32_t>(tree.nodes.size()); node-- > 0;) {
    const uint32_t left = tree.nodes[node].left;
    if (tree.IsLeaf(node)) {
      means[node] = static_cast<double>(tree.nodes[node].value);
      continue;
    }
    means[node] = (means[left] * static_cast<double>(tree.statistics[left].cover) +
                   means[left + 1] * static_cast<double>(tree.statistics[left + 1].cover)) /
                  static_cast<double>(tree.statistics[node].cover);
  }
  return means[0];
}

}  // namespace

void TreeModel::Explain(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  const size_t width = parts_.inputs.size() + 1;
  const size_t margins = margin_count();
  BRAID_CHECK(out.size() == inputs.rows * margins * width);
  std::vector<double> baselines(margins, parts_.base);
  for (const Tree& tree : parts_.trees) baselines[tree.output] += Expectation(tree);
  std::fill(out.begin(), out.end(), 0.0);
  std::vector<float> values;
  parts_.encoding.Encode(inputs, 0, inputs.rows, values);
  const size_t numbers = parts_.encoding.width();
  const std::vector<uint32_t>& input_of = parts_.encoding.input_of();
  std::vector<double> of_numbers(numbers);
  for (size_t row = 0; row < inputs.rows; ++row) {
    for (const Tree& tree : parts_.trees) {
      std::fill(of_numbers.begin(), of_numbers.end(), 0.0);
      Shapley(tree, &values[row * numbers], of_numbers.data()).Visit(0, {}, 1, 1, -1);
      // What the numbers of an input contribute adds up to what it contributes.
      double* of_inputs = &out[(row * margins + tree.output) * width];
      for (size_t i = 0; i < numbers; ++i) of_inputs[input_of[i]] += of_numbers[i];
    }
    for (size_t k = 0; k < margins; ++k)
      out[(row * margins + k) * width + width - 1] = baselines[k];
  }
}

}  // namespace braid::ml
