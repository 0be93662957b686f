// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "ml/model.h"
#include "ml/tree/tree_encoding.h"
#include "ml/tree/tree_ensemble.h"
#include "ml/tree/tree_options.h"

namespace braid::ml {

// Everything that makes a TreeModel.
struct TreeParts {
  TreeType type = TreeType::kBoostedRegressor;
  std::string label;
  std::vector<InputColumn> inputs;
  TreeEncoding encoding;             // of the inputs
  std::vector<std::string> classes;  // ascending; empty for a regression
  double base = 0;                   // of each score before the link
  std::vector<Tree> trees;
  int64_t rows = 0;
  int64_t skipped = 0;
  std::vector<TrainingInfoRow> training_info;
};

// Boosted trees and random forests: base + Σ of leaves, then the identity, the logistic function or
// softmax. What is missing (NaN) has a side in each split. Splits are of the encoding's numbers;
// explanations and importances are of the inputs that these come from.
class TreeModel final : public Model {
 public:
  explicit TreeModel(TreeParts parts);
  // Throws kLakeDamaged, kLakeFormat.
  static TreeModel FromArtefact(std::string_view artefact);

  std::string_view kind() const override { return TreeTypeName(parts_.type); }
  Task task() const override {
    return IsClassifier(parts_.type) ? Task::kClassification : Task::kRegression;
  }
  std::vector<InputColumn> input_columns() const override { return parts_.inputs; }
  const std::vector<std::string>& classes() const override { return parts_.classes; }
  int64_t rows() const override { return parts_.rows; }
  size_t score_count() const override { return std::max<size_t>(1, parts_.classes.size()); }
  void Score(const Batch& inputs, std::span<double> out) const override;
  std::vector<TableFunction> table_functions() const override;
  Table TableOf(std::string_view function, const std::vector<Option>& settings) const override;
  // Shapley values of the trees, a split on an unknown input weighing its sides by their cover.
  bool can_explain() const override { return true; }
  void Explain(const Batch& inputs, std::span<double> out) const override;
  std::string ToArtefact() const override;

  const TreeParts& parts() const { return parts_; }
  // Scores before the link: regression and two classes one, otherwise one a class.
  size_t margin_count() const { return parts_.classes.size() > 2 ? parts_.classes.size() : 1; }

 private:
  TreeParts parts_;
};

}  // namespace braid::ml
