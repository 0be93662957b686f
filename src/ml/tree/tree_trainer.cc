// SPDX-License-Identifier: Apache-2.0
// Gradient boosting of second order (Chen and Guestrin, "XGBoost: a scalable tree boosting system",
// 2016) by the XGBoost library; a forest is one round of many trees on random rows and columns.
#include "ml/tree/tree_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "ml/class_weights.h"
#include "ml/tree/xgboost_trees.h"

namespace braid::ml {

namespace {

std::vector<std::pair<std::string, std::string>> Parameters(const TreeRequest& request,
                                                            size_t classes) {
  const TreeOptions& options = request.options;
  std::vector<std::pair<std::string, std::string>> parameters = {
      {"verbosity", "0"},
      {"nthread", std::to_string(request.threads)},
      {"seed", std::to_string(request.seed)},
      {"booster", options.dart ? "dart" : "gbtree"},
      {"tree_method", options.tree_method},
      {"base_score", classes == 2 ? "0.5" : "0"},
      {"num_parallel_tree", std::to_string(options.num_parallel_tree)},
      {"max_depth", std::to_string(options.max_tree_depth)},
      {"eta", fmt::format("{}", options.learn_rate)},
      {"alpha", fmt::format("{}", options.l1_reg)},
      {"lambda", fmt::format("{}", options.l2_reg)},
      {"subsample", fmt::format("{}", options.subsample)},
      {"colsample_bytree", fmt::format("{}", options.colsample_bytree)},
      {"colsample_bylevel", fmt::format("{}", options.colsample_bylevel)},
      {"colsample_bynode", fmt::format("{}", options.colsample_bynode)},
      {"min_child_weight", fmt::format("{}", options.min_tree_child_weight)},
      {"gamma", fmt::format("{}", options.min_split_loss)}};
  if (options.dart) parameters.emplace_back("rate_drop", fmt::format("{}", options.dropout));
  if (classes == 0) {
    parameters.emplace_back("objective", "reg:squarederror");
    parameters.emplace_back("eval_metric", "rmse");
  } else if (classes == 2) {
    parameters.emplace_back("objective", "binary:logistic");
    parameters.emplace_back("eval_metric", "logloss");
  } else {
    parameters.emplace_back("objective", "multi:softprob");
    parameters.emplace_back("eval_metric", "mlogloss");
    parameters.emplace_back("num_class", std::to_string(classes));
  }
  return parameters;
}

std::vector<double> FactorOfClass(const TreeOptions& options, const TreeRows& rows) {
  std::vector<double> sums(rows.classes.size());
  for (size_t row = 0; row < rows.rows && !sums.empty(); ++row)
    sums[static_cast<size_t>(rows.label[row])] += rows.weight.empty() ? 1 : rows.weight[row];
  return ClassFactors(options.class_weights, options.auto_class_weights, rows.classes, sums);
}

XgboostMatrix MakeMatrix(const TreeRequest& request, const TreeRows& rows, double base,
                         const std::vector<double>& factors) {
  XgboostMatrix matrix(rows.values, rows.values.size() / rows.rows, request.threads);
  std::vector<float> labels;
  for (const double label : rows.label) {
    labels.push_back(static_cast<float>(label - base));
    if (!std::isfinite(labels.back()))
      throw Error(ErrorCode::kTrainingData, "A label is too large for trees: " + request.label,
                  "divide the label by a power of ten");
  }
  matrix.SetLabels(labels);
  if (rows.weight.empty() &&
      std::all_of(factors.begin(), factors.end(), [](double factor) { return factor == 1; }))
    return matrix;
  std::vector<float> weights;
  bool any = false;
  for (size_t row = 0; row < rows.rows; ++row) {
    const double factor = factors.empty() ? 1 : factors[static_cast<size_t>(rows.label[row])];
    weights.push_back(static_cast<float>(factor * (rows.weight.empty() ? 1 : rows.weight[row])));
    any = any || weights.back() > 0;
  }
  if (!any)
    throw Error(ErrorCode::kTrainingData, "The weights leave no row to train on",
                "give at least one row a weight above 0");
  matrix.SetWeights(weights);
  return matrix;
}

std::vector<Tree> TreesOf(const XgboostBooster& booster, size_t width, size_t classes) {
  const auto json = nlohmann::json::parse(booster.ToJson());
  return TreesOfXgboost(json.at("learner"), width, classes > 2 ? classes : 1);
}

std::vector<std::string> Notices(const TreeRequest& request, const TreeRows& rows) {
  std::vector<std::string> notices;
  if (rows.skipped > 0)
    notices.push_back(
        fmt::format("{} rows without a label ({}) were left out", rows.skipped, request.label));
  return notices;
}

}  // namespace

BoostedTrees Boost(const TreeRequest& request, const TreeRows& rows, const TreeRows* held_out,
                   const TrainingControl& control) {
  const TreeOptions& options = request.options;
  const bool regression = rows.classes.empty();
  const double base = regression ? LabelMean(rows) : 0;
  const std::vector<double> factors = FactorOfClass(options, rows);
  const XgboostMatrix training = MakeMatrix(request, rows, base, factors);
  std::vector<const XgboostMatrix*> judged = {&training};
  std::optional<XgboostMatrix> other;
  if (held_out != nullptr && held_out->rows > 0)
    judged.push_back(&other.emplace(
        MakeMatrix(request, *held_out, base, std::vector<double>(factors.size(), 1))));
  BoostedTrees boosted{
      XgboostBooster(training, Parameters(request, rows.classes.size())), base, {}};
  double before = 0;
  for (int round = 0; round < options.max_iterations; ++round) {
    ThrowIfStopped(control);
    boosted.booster.Update(round, training);
    std::vector<double> losses = boosted.booster.Losses(round, judged);
    if (regression)
      for (double& loss : losses) loss *= loss;  // the library gives its root
    TrainingInfoRow& row = boosted.training_info.emplace_back(
        TrainingInfoRow{.iteration = round + 1, .loss = losses[0]});
    if (losses.size() > 1) row.eval_loss = losses[1];
    if (!IsForest(request.type)) row.learning_rate = options.learn_rate;
    if (control.progress)
      control.progress((round + 1.0) / static_cast<double>(options.max_iterations), losses[0]);
    const double now = losses.back();
    if (options.early_stop && round > 0 && before - now < options.min_rel_progress * before) break;
    before = now;
  }
  return boosted;
}

TrainedModel TrainTrees(const TreeRequest& request, RowSource& rows,
                        const TrainingControl& control) {
  TreeRows loaded = LoadTreeRows(request, rows, control);
  std::optional<TreeRows> held_out;
  if (request.held_out != nullptr)
    held_out = LoadHeldOutRows(request, loaded, *request.held_out, control);
  BoostedTrees boosted = Boost(request, loaded, held_out ? &*held_out : nullptr, control);
  TreeParts parts{.type = request.type,
                  .label = request.label,
                  .inputs = request.inputs,
                  .encoding = loaded.encoding,
                  .classes = loaded.classes,
                  .base = boosted.base,
                  .trees = TreesOf(boosted.booster, loaded.encoding.width(), loaded.classes.size()),
                  .rows = static_cast<int64_t>(loaded.rows),
                  .skipped = loaded.skipped,
                  .training_info = std::move(boosted.training_info)};
  return {std::make_unique<TreeModel>(std::move(parts)), Notices(request, loaded)};
}

}  // namespace braid::ml
