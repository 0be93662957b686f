// SPDX-License-Identifier: Apache-2.0
#include "train/trial.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "ml/model_kind.h"
#include "train/judging.h"

namespace braid::train {

namespace {

using catalog::ModelTrial;

// What a loss is called among the metrics of held-out rows.
std::string_view LossMetric(ml::Task task) {
  switch (task) {
    case ml::Task::kClassification:
      return "log_loss";
    case ml::Task::kClustering:
      return "mean_squared_distance";
    default:
      return "mean_squared_error";
  }
}

std::optional<double> Find(const std::map<std::string, double>& metrics, std::string_view name) {
  const auto found = metrics.find(std::string(name));
  return found == metrics.end() ? std::nullopt : std::optional(found->second);
}

// The loss of the last round that ML.TRAINING_INFO tells of.
std::optional<double> LastLoss(const ml::Model& model) {
  for (const ml::TableFunction& function : model.table_functions()) {
    if (function.name != "TRAINING_INFO") continue;
    const ml::Table table = model.TableOf("TRAINING_INFO", {});
    for (size_t i = 0; i < table.columns.size() && !table.rows.empty(); ++i)
      if (table.columns[i].name == "loss" && table.rows.back()[i].is_number())
        return table.rows.back()[i].get<double>();
  }
  return std::nullopt;
}

// Of the rows or the options; anything else ends the tuning.
bool IsOfTheTrial(const Error& error) {
  return error.code() == ErrorCode::kInvalidOption || error.code() == ErrorCode::kTrainingData;
}

}  // namespace

std::string PointText(const ml::SearchPoint& point) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const Option& option : point) {
    if (const auto* whole = std::get_if<int64_t>(&option.value.value)) json[option.name] = *whole;
    if (const auto* real = std::get_if<double>(&option.value.value)) json[option.name] = *real;
    if (const auto* text = std::get_if<std::string>(&option.value.value)) json[option.name] = *text;
  }
  return json.dump();
}

TrialRunner::TrialRunner(const TuningRequest& request, const TrainingRows& rows)
    : request_(request),
      shared_{request.change.connection, {}},
      fitting_(request.change.connection, request.options, request.tuning.settings,
               request.projection, request.threads),
      evaluation_(rows.EvaluationQuery()),
      test_(rows.TestQuery()) {
  const bool holds = request.tuning.parallel_trials > 1;
  const size_t folds = request.tuning.folds;
  RowParts parts = rows.parts();
  // Folds judge instead of the evaluation rows, which are trained on then.
  if (folds > 0) parts = {rows.SeenQuery(), rows.SeenQuery(), false};
  if (folds > 0 && !rows.has_test()) test_ = "";
  material_ = std::make_unique<Fitting::Material>(shared_, fitting_, parts, holds);
  for (size_t i = 0; i < folds; ++i) {
    const RowParts fold = rows.Fold(i, folds);
    folds_.push_back(std::unique_ptr<Fold>(
        new Fold{Fitting::Material(shared_, fitting_, fold, holds), fold.evaluation}));
  }
}

session::StoredModel TrialRunner::Fit(Fitting::Material& material,
                                      const std::vector<Option>& settings,
                                      const ml::TrainingControl& control,
                                      std::vector<std::string>& notices) {
  ml::TrainedModel trained = fitting_.Fit(material, settings, control);
  if (!trained.model->can_be_judged())
    throw Error(ErrorCode::kNotSupported,
                "NUM_TRIALS: models of this kind and these options cannot be judged by rows",
                "metrics of rankings are not available");
  notices = std::move(trained.notices);
  return {request_.projection, std::move(trained.model), request_.features,
          std::move(trained.global_explanation)};
}

TrialRunner::Metrics TrialRunner::JudgeOn(const session::StoredModel& stored,
                                          const std::string& sha256, const std::string& rows) {
  catalog::ModelVersion version;
  version.model = request_.model;
  version.artefact_sha256 = sha256;
  MutexLock lock(shared_.mutex);
  return Judge(shared_.connection, version, stored, rows);
}

// The mean over the folds of each metric that all of them have.
TrialRunner::Metrics TrialRunner::JudgeFolds(const std::vector<Option>& settings,
                                             const ml::TrainingControl& control) {
  Metrics sums;
  std::map<std::string, size_t> counts;
  for (const auto& fold : folds_) {
    std::vector<std::string> notices;
    const session::StoredModel stored = Fit(fold->material, settings, control, notices);
    const std::string sha256 = request_.models.Hold(stored);
    for (const auto& [name, value] : JudgeOn(stored, sha256, fold->evaluation)) {
      sums[name] += value;
      ++counts[name];
    }
    request_.models.Release(sha256);
  }
  Metrics means;
  for (const auto& [name, sum] : sums)
    if (counts[name] == folds_.size()) means[name] = sum / static_cast<double>(folds_.size());
  return means;
}

void TrialRunner::Train(const std::vector<Option>& settings, const ml::TrainingControl& control,
                        Outcome& outcome) {
  ModelTrial& trial = outcome.trial;
  ml::ParseModelOptions(settings);
  if (!folds_.empty()) trial.evaluation_metrics = JudgeFolds(settings, control);
  const session::StoredModel stored = Fit(*material_, settings, control, outcome.notices);
  const std::string sha256 = request_.models.Put(stored);
  if (folds_.empty()) trial.evaluation_metrics = JudgeOn(stored, sha256, evaluation_);
  trial.test_metrics = test_.empty() || test_ == evaluation_ ? trial.evaluation_metrics
                                                             : JudgeOn(stored, sha256, test_);
  trial.training_loss = LastLoss(*stored.core);
  trial.eval_loss = train::Find(trial.evaluation_metrics, LossMetric(stored.core->task()));
  trial.artefact_sha256 = sha256;
  trial.status = "SUCCEEDED";
}

TrialRunner::Outcome TrialRunner::Run(size_t index, const ml::TrainingControl& control) {
  Outcome outcome;
  outcome.trial.trial_id = static_cast<int64_t>(index + 1);
  outcome.trial.hyperparameters = PointText(request_.tuning.points.at(index));
  try {
    Train(request_.tuning.SettingsOf(index), control, outcome);
  } catch (const Error& error) {
    if (!IsOfTheTrial(error)) throw;
    outcome.trial = {.trial_id = outcome.trial.trial_id,
                     .hyperparameters = outcome.trial.hyperparameters,
                     .status = error.code() == ErrorCode::kInvalidOption ? "INFEASIBLE" : "FAILED",
                     .error_message = error.message()};
    outcome.error = std::current_exception();
  }
  return outcome;
}

}  // namespace braid::train
