// SPDX-License-Identifier: Apache-2.0
// XGBoost's model file as trees:
// https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
#include "ml/tree/xgboost_trees.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace braid::ml {

namespace {

using Json = nlohmann::json;

constexpr uint32_t kMostLevels = 512;  // explanations take memory by its square

[[noreturn]] void Refuse(const char* what) {
  throw Error(ErrorCode::kModelImport, std::string("XGBoost's model is malformed: ") + what);
}

// The columns of one tree's nodes, as they stand in the file.
struct Columns {
  explicit Columns(const Json& json)
      : left(json.at("left_children").get<std::vector<int64_t>>()),
        right(json.at("right_children").get<std::vector<int64_t>>()),
        inputs(json.at("split_indices").get<std::vector<int64_t>>()),
        values(json.at("split_conditions").get<std::vector<float>>()),
        default_left(json.at("default_left").get<std::vector<int>>()),
        gains(json.at("loss_changes").get<std::vector<float>>()),
        covers(json.at("sum_hessian").get<std::vector<float>>()) {
    const size_t count = left.size();
    if (count == 0) Refuse("a tree is empty");
    for (const size_t size : {right.size(), inputs.size(), values.size(), default_left.size(),
                              gains.size(), covers.size()})
      if (size != count) Refuse("a tree's columns differ in length");
    const auto finite = [](float value) { return std::isfinite(value); };
    if (!std::all_of(values.begin(), values.end(), finite) ||
        !std::all_of(gains.begin(), gains.end(), finite) ||
        !std::all_of(covers.begin(), covers.end(), finite))
      Refuse("a number of a tree is not finite");
  }

  size_t Child(int64_t node) const {
    if (node <= 0 || static_cast<size_t>(node) >= left.size()) Refuse("a node has no such child");
    return static_cast<size_t>(node);
  }

  std::vector<int64_t> left, right, inputs;
  std::vector<float> values;
  std::vector<int> default_left;
  std::vector<float> gains, covers;
};

// Nodes in the order of their level, so that children follow their parents and each other.
Tree ReadTree(const Json& json, float factor, size_t input_count) {
  const Columns columns(json);
  Tree tree;
  std::vector<size_t> order = {0};
  for (size_t at = 0; at < order.size(); ++at) {
    const size_t source = order[at];
    TreeNode node;
    if (columns.left[source] < 0) {
      node = {.threshold = std::numeric_limits<float>::quiet_NaN(),
              .left = static_cast<uint32_t>(at),
              .value = columns.values[source] * factor};
    } else {
      if (columns.inputs[source] < 0 || static_cast<size_t>(columns.inputs[source]) >= input_count)
        Refuse("a split is of no input");
      node = {.threshold = columns.values[source],
              .input = static_cast<uint32_t>(columns.inputs[source]) & 0x7fffffffU,
              .missing_right = columns.default_left[source] == 0,
              .left = static_cast<uint32_t>(order.size())};
      order.push_back(columns.Child(columns.left[source]));
      order.push_back(columns.Child(columns.right[source]));
      // Each node has one parent; more places than nodes mean that one has two.
      if (order.size() > columns.left.size()) Refuse("a node has two parents");
    }
    tree.nodes.push_back(node);
    tree.statistics.push_back(
        {columns.left[source] < 0 ? 0 : columns.gains[source], columns.covers[source]});
  }
  tree.MeasureDepth();
  if (tree.depth > kMostLevels) Refuse("a tree has more than 512 levels");
  return tree;
}

}  // namespace

std::vector<Tree> TreesOfXgboost(const Json& learner, size_t inputs, size_t outputs) {
  const Json& booster = learner.at("gradient_booster");
  const bool dart = booster.contains("gbtree");
  const Json& model = dart ? booster.at("gbtree").at("model") : booster.at("model");
  const Json& places = model.at("tree_info");
  std::vector<Tree> trees;
  for (const Json& tree : model.at("trees")) {
    const float factor = dart ? booster.at("weight_drop").at(trees.size()).get<float>() : 1;
    const auto output = places.at(trees.size()).get<int64_t>();
    if (output < 0 || static_cast<size_t>(output) >= outputs)
      Refuse("a tree adds to an unknown score");
    trees.push_back(ReadTree(tree, factor, inputs));
    trees.back().output = static_cast<uint32_t>(output);
  }
  return trees;
}

}  // namespace braid::ml
