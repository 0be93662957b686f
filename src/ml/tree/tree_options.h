// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/option.h"
#include "ml/training.h"

namespace braid::ml {

enum class TreeType : uint8_t {
  kBoostedClassifier,
  kBoostedRegressor,
  kForestClassifier,
  kForestRegressor
};
// "boosted_tree_classifier".
std::string_view TreeTypeName(TreeType type);
constexpr bool IsClassifier(TreeType type) {
  return type == TreeType::kBoostedClassifier || type == TreeType::kForestClassifier;
}
constexpr bool IsForest(TreeType type) {
  return type == TreeType::kForestClassifier || type == TreeType::kForestRegressor;
}

// How a category becomes numbers (tree_encoding.h).
enum class TreeEncodingKind : uint8_t { kLabel, kOneHot, kTarget };

// Options with BigQuery ML's defaults; those of a forest differ. A forest is one round of
// num_parallel_tree trees at a learning rate of 1.
struct TreeOptions {
  bool dart = false;
  double dropout = 0;
  int64_t num_parallel_tree = 1;
  int64_t max_tree_depth = 6;
  double learn_rate = 0.3;
  double l1_reg = 0;
  double l2_reg = 1;
  double subsample = 1;
  double colsample_bytree = 1;
  double colsample_bylevel = 1;
  double colsample_bynode = 1;
  double min_tree_child_weight = 1;
  double min_split_loss = 0;
  TreeEncodingKind category_encoding = TreeEncodingKind::kLabel;
  std::string tree_method = "hist";  // XGBoost's word
  int64_t max_iterations = 20;
  bool early_stop = true;
  double min_rel_progress = 0.01;
  bool auto_class_weights = false;
  std::vector<std::pair<std::string, double>> class_weights;
};

constexpr int64_t kMostDepth = 50;
constexpr int64_t kMostTrees = 100'000;

// The names that ParseTreeOptions reads; other options are passed over. Throws kInvalidOption.
std::vector<std::string_view> TreeOptionNames(TreeType type);
TreeOptions ParseTreeOptions(TreeType type, const std::vector<Option>& options);

struct TreeRequest : TrainingRequest {
  TreeType type = TreeType::kBoostedRegressor;
  TreeOptions options;
};

}  // namespace braid::ml
