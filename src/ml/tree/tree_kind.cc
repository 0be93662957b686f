// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/tree_kind.h"

#include "ml/tree/tree_trainer.h"

namespace braid::ml {

namespace {

// BigQuery ML's lists. Of a boosted tree the options of a single forest are not searched by
// default.
std::vector<Hyperparameter> TreeHyperparameters(TreeType type) {
  using enum HyperparameterType;
  const bool forest = IsForest(type);
  const TreeOptions standard = ParseTreeOptions(type, {});
  const auto share = [](std::string_view option, double otherwise) {
    return Hyperparameter{.option = option, .most = 1, .standard = otherwise};
  };
  const auto penalty = [](std::string_view option, double otherwise) {
    return Hyperparameter{.option = option,
                          .log_scale = true,
                          .searched = std::pair(0.0, 10.0),
                          .standard = otherwise};
  };
  std::vector<Hyperparameter> list = {
      penalty("l1_reg", standard.l1_reg),
      penalty("l2_reg", standard.l2_reg),
      {.option = "max_tree_depth",
       .type = kWhole,
       .least = 1,
       .most = kMostDepth,
       .searched = std::pair(1.0, forest ? 20.0 : 10.0),
       .standard = static_cast<double>(standard.max_tree_depth)},
      {.option = "subsample",
       .most = 1,
       .searched = std::pair(0.0, 1.0),
       .standard = standard.subsample},
      {.option = "min_split_loss", .standard = standard.min_split_loss},
      {.option = "num_parallel_tree",
       .type = kWhole,
       .least = 1,
       .most = kMostTrees,
       .searched = forest ? std::optional(std::pair(2.0, 200.0)) : std::nullopt,
       .standard = static_cast<double>(standard.num_parallel_tree)},
      {.option = "min_tree_child_weight", .standard = standard.min_tree_child_weight},
      share("colsample_bytree", standard.colsample_bytree),
      share("colsample_bylevel", standard.colsample_bylevel),
      share("colsample_bynode", standard.colsample_bynode),
      {.option = "tree_method", .type = kWord, .words = {"AUTO", "EXACT", "APPROX", "HIST"}}};
  if (!forest) {
    list.push_back({.option = "learn_rate",
                    .most = 1,
                    .searched = std::pair(0.0, 1.0),
                    .standard = standard.learn_rate});
    list.push_back({.option = "dropout", .most = 1, .standard = standard.dropout});
    list.push_back({.option = "booster_type", .type = kWord, .words = {"GBTREE", "DART"}});
  }
  return list;
}

template <TreeType type>
const ModelKind& Kind() {
  static const ModelKind kind = {
      .name = TreeTypeName(type),
      .task = IsClassifier(type) ? Task::kClassification : Task::kRegression,
      .option_names = TreeOptionNames(type),
      .hyperparameters = TreeHyperparameters(type),
      .takes_weights = true,
      .check_options = [](const std::vector<Option>& options) { ParseTreeOptions(type, options); },
      .train =
          [](const TrainingRequest& request, RowSource& rows, const TrainingControl& control) {
            return TrainTrees({request, type, ParseTreeOptions(type, request.settings)}, rows,
                              control);
          },
      .load = [](std::string_view artefact) -> std::unique_ptr<Model> {
        return std::make_unique<TreeModel>(TreeModel::FromArtefact(artefact));
      }};
  return kind;
}

}  // namespace

const ModelKind& BoostedTreeClassifierKind() { return Kind<TreeType::kBoostedClassifier>(); }
const ModelKind& BoostedTreeRegressorKind() { return Kind<TreeType::kBoostedRegressor>(); }
const ModelKind& RandomForestClassifierKind() { return Kind<TreeType::kForestClassifier>(); }
const ModelKind& RandomForestRegressorKind() { return Kind<TreeType::kForestRegressor>(); }

}  // namespace braid::ml
