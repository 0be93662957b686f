// SPDX-License-Identifier: Apache-2.0
// XGBoost's model file as trees:
// https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "ml/tree/tree_trainer.h"

namespace braid::ml {

namespace {

using Json = nlohmann::json;

// Nodes in the order of their level, so that children follow their parents and each other.
Tree ReadTree(const Json& json, float factor) {
  const auto left = json.at("left_children").get<std::vector<int32_t>>();
  const auto right = json.at("right_children").get<std::vector<int32_t>>();
  const auto inputs = json.at("split_indices").get<std::vector<uint32_t>>();
  const auto values = json.at("split_conditions").get<std::vector<float>>();
  const auto default_left = json.at("default_left").get<std::vector<int32_t>>();
  const auto gains = json.at("loss_changes").get<std::vector<float>>();
  const auto covers = json.at("sum_hessian").get<std::vector<float>>();
  Tree tree;
  std::vector<size_t> order = {0};
  for (size_t at = 0; at < order.size(); ++at) {
    const size_t source = order[at];
    TreeNode node;
    if (left[source] < 0) {
      node = {.threshold = std::numeric_limits<float>::quiet_NaN(),
              .left = static_cast<uint32_t>(at),
              .value = values[source] * factor};
    } else {
      node = {.threshold = values[source],
              .input = inputs[source] & 0x7fffffffU,
              .missing_right = default_left[source] == 0,
              .left = static_cast<uint32_t>(order.size())};
      order.push_back(static_cast<size_t>(left[source]));
      order.push_back(static_cast<size_t>(right[source]));
    }
    tree.nodes.push_back(node);
    tree.statistics.push_back({left[source] < 0 ? 0 : gains[source], covers[source]});
  }
  return tree;
}

}  // namespace

std::vector<Tree> TreesOfXgboost(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    const Json& booster = json.at("learner").at("gradient_booster");
    const bool dart = booster.contains("gbtree");
    const Json& model = dart ? booster.at("gbtree").at("model") : booster.at("model");
    const Json& outputs = model.at("tree_info");
    std::vector<Tree> trees;
    for (const Json& tree : model.at("trees")) {
      const float factor = dart ? booster.at("weight_drop").at(trees.size()).get<float>() : 1;
      const auto output = outputs.at(trees.size()).get<uint32_t>();
      trees.push_back(ReadTree(tree, factor));
      trees.back().output = output;
    }
    return trees;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kInternal,
                fmt::format("XGBoost's model has an unexpected form: {}", error.what()));
  }
}

}  // namespace braid::ml
