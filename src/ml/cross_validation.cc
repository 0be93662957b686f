// SPDX-License-Identifier: Apache-2.0
#include "ml/cross_validation.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "ml/model_kind.h"

namespace braid::ml {

namespace {

struct NoRows final : RowSource {
  void Scan(const std::function<void(const Batch&)>& /*visit*/) override {
    throw Error(
        ErrorCode::kNotSupported,
        "Sums are too coarse for this training: inputs depend on each other, or its options "
        "ask for steps over the rows",
        "leave one of the dependent inputs out of the model, or set L2_REG");
  }
};

struct LinearScore {
  double intercept = 0;
  std::vector<double> weights;
  std::vector<double> missing;
};

LinearScore TrainScore(const TrainingRequest& request, const GramAccumulator& sums) {
  NoRows rows;
  const TrainedModel trained =
      FindModelKind(request.kind).train_from_moments(request, sums, rows, {});
  const std::optional<LinearPaths> paths = trained.model->linear_paths();
  BRAID_CHECK(paths.has_value());
  const auto artefact = nlohmann::json::parse(trained.model->ToArtefact());
  const auto number = [&](const std::string& path) {
    return artefact.at(nlohmann::json::json_pointer(path)).get<double>();
  };
  LinearScore score{.intercept = number(paths->intercept), .weights = {}, .missing = {}};
  for (const std::string& path : paths->weights) score.weights.push_back(number(path));
  for (const std::string& path : paths->means) score.missing.push_back(number(path));
  return score;
}

// The sums of all folds but one.
GramAccumulator Others(const Folds& folds, size_t left_out) {
  if (folds.size() == 1) return folds[0].second;
  GramAccumulator sums(folds[0].second.inputs());
  for (size_t f = 0; f < folds.size(); ++f)
    if (f != left_out) sums.Merge(folds[f].second);
  return sums;
}

FeatureScore Pooled(const std::string& feature, const std::vector<FoldScore>& scores) {
  double squares = 0;
  double spread = 0;
  int64_t rows = 0;
  for (const FoldScore& score : scores) {
    squares += score.squares;
    spread += score.spread;
    rows += score.rows;
  }
  return {.feature = feature,
          .mean_squared_error = squares / static_cast<double>(rows),
          .r2_score = 1 - squares / spread};
}

}  // namespace

bool CanCrossValidate(const TrainingRequest& request) {
  const ModelKind& kind = FindModelKind(request.kind);
  return kind.task == Task::kRegression && kind.moments_suffice != nullptr &&
         kind.moments_suffice(request);
}

std::vector<FoldScore> CrossValidate(const TrainingRequest& request, const Folds& folds) {
  std::vector<FoldScore> scores;
  for (size_t f = 0; f < folds.size(); ++f) {
    const GramAccumulator& judged = folds[f].second;
    if (judged.rows() == 0) continue;
    const GramAccumulator sums = Others(folds, f);
    const LinearScore score = TrainScore(request, sums);
    const GramAccumulator::Errors errors =
        judged.ErrorsOf(score.intercept, score.weights, score.missing);
    scores.push_back({.fold = folds[f].first,
                      .training_rows = sums.rows(),
                      .rows = judged.rows(),
                      .squares = errors.squares,
                      .sum = errors.sum,
                      .spread = judged.Finish().centred.back()});
  }
  if (scores.empty())
    throw Error(ErrorCode::kTrainingData, "There are no rows with a label to train on");
  return scores;
}

std::vector<FeatureScore> AblateFeatures(const TrainingRequest& request, const Folds& folds) {
  if (request.inputs.size() < 2)
    throw Error(ErrorCode::kTrainingData, "The model has one input alone",
                "without it there is nothing to train");
  std::vector<FeatureScore> scores = {Pooled("", CrossValidate(request, folds))};
  for (size_t c = 0; c < request.inputs.size(); ++c) {
    TrainingRequest rest = request;
    rest.inputs.erase(rest.inputs.begin() + static_cast<ptrdiff_t>(c));
    Folds sums;
    for (const auto& [fold, gram] : folds) sums.emplace_back(fold, gram.Without(c));
    scores.push_back(Pooled(request.inputs[c].name, CrossValidate(rest, sums)));
  }
  return scores;
}

}  // namespace braid::ml
