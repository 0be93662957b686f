// SPDX-License-Identifier: Apache-2.0
#include "session/trial_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "ml/option_reader.h"
#include "session/ml_sql.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using catalog::ModelTrial;
using catalog::ModelVersion;
using Json = nlohmann::ordered_json;
using syntax::MappedText;

constexpr std::string_view kSetting = "trial_id";

// The version as if this trial had been its only training.
ModelVersion AsVersion(const ModelVersion& version, const ModelTrial& trial) {
  ModelVersion alone = version;
  alone.artefact_sha256 = trial.artefact_sha256;
  alone.metrics = trial.test_metrics;
  alone.trials.clear();
  return alone;
}

MappedText OfVersions(std::string_view function, const std::vector<const ModelVersion*>& versions,
                      ModelStore& models, const std::vector<GivenRows>& rows,
                      const std::vector<Option>& settings) {
  std::vector<std::shared_ptr<const StoredModel>> stored;
  ModelCall call{.function = function, .models = {}, .rows = rows, .settings = settings};
  for (const ModelVersion* version : versions) {
    stored.push_back(models.Get(version->artefact_sha256));
    call.models.push_back({*version, *stored.back()});
  }
  return ModelFunctionSql(call);
}

MappedText OfVersion(std::string_view function, const ModelVersion& version, ModelStore& models,
                     const std::vector<GivenRows>& rows, const std::vector<Option>& settings) {
  return OfVersions(function, {&version}, models, rows, settings);
}

MappedText OfTrials(std::string_view function, const ModelVersion& version, ModelStore& models,
                    const std::vector<const ModelTrial*>& trials,
                    const std::vector<Option>& settings) {
  MappedText text;
  text.Append("(");
  for (const ModelTrial* trial : trials) {
    text.Append(fmt::format("{}SELECT CAST({} AS BIGINT) AS trial_id, * FROM ",
                            trial == trials.front() ? "" : " UNION ALL BY NAME ", trial->trial_id));
    text.Append(OfVersion(function, AsVersion(version, *trial), models, {}, settings));
  }
  text.Append(")");
  return text;
}

// Of a field that all trials hold: the SQL type that has room for all of its values.
std::string TypeOf(const std::vector<Json>& hyperparameters, const std::string& name) {
  bool whole = true;
  for (const Json& point : hyperparameters) {
    const Json& value = point.at(name);
    if (value.is_string()) return "VARCHAR";
    whole = whole && value.is_number_integer();
  }
  return whole ? "BIGINT" : "DOUBLE";
}

std::string StructType(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string list;
  for (const auto& [name, type] : fields)
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", syntax::QuoteIdentifier(name), type);
  return fmt::format("STRUCT({})", list);
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

ml::Table TrialInfo(const ModelVersion& version, const ml::Model& model) {
  std::vector<Json> points;
  for (const ModelTrial& trial : version.trials)
    points.push_back(Json::parse(trial.hyperparameters));
  std::vector<std::pair<std::string, std::string>> options;
  for (const auto& [name, value] : points.front().items())
    options.emplace_back(name, TypeOf(points, name));
  std::vector<std::pair<std::string, std::string>> metrics;
  for (const std::string& name : MetricNames(model)) metrics.emplace_back(name, "DOUBLE");
  ml::Table table{.columns = {{"trial_id", "BIGINT"},
                              {"hyperparameters", StructType(options)},
                              {"hparam_tuning_evaluation_metrics", StructType(metrics)},
                              {"training_loss", "DOUBLE"},
                              {"eval_loss", "DOUBLE"},
                              {"status", "VARCHAR"},
                              {"error_message", "VARCHAR"},
                              {"is_optimal", "BOOLEAN"}},
                  .rows = {}};
  for (size_t i = 0; i < version.trials.size(); ++i) {
    const ModelTrial& trial = version.trials[i];
    Json measured = Json::object();
    for (const auto& [name, type] : metrics) {
      const auto found = trial.evaluation_metrics.find(name);
      measured[name] = found == trial.evaluation_metrics.end() ? Json() : Json(found->second);
    }
    table.rows.push_back({trial.trial_id, points[i],
                          trial.evaluation_metrics.empty() ? Json() : measured,
                          ml::OrNull(trial.training_loss), ml::OrNull(trial.eval_loss),
                          trial.status, TextOrNull(trial.error_message), trial.is_optimal});
  }
  return table;
}

[[noreturn]] void RefuseUntuned(const ModelVersion& version, std::string_view what) {
  throw Error(ErrorCode::kNotSupported,
              fmt::format("{} is for tuned models: {}@{} has no trials", what, version.model,
                          version.version),
              "train it with NUM_TRIALS");
}

// Whether a function without rows tells of a model itself, so of each trial.
bool TellsOfTheModel(std::string_view function, const ml::Model& model) {
  const std::vector<ml::TableFunction> tables = model.table_functions();
  return function == "EVALUATE" ||
         std::any_of(tables.begin(), tables.end(),
                     [&](const ml::TableFunction& table) { return table.name == function; });
}

}  // namespace

const ModelTrial& FindTrial(const ModelVersion& version, int64_t trial_id) {
  if (version.trials.empty()) RefuseUntuned(version, "TRIAL_ID");
  for (const ModelTrial& trial : version.trials) {
    if (trial.trial_id != trial_id) continue;
    if (trial.artefact_sha256.empty())
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("TRIAL_ID {} of {} gave no model: {}", trial_id, version.model,
                              trial.error_message),
                  "ML.TRIAL_INFO lists the trials");
    return trial;
  }
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("There is no TRIAL_ID {} of {}: there are 1 to {}", trial_id,
                          version.model, version.trials.back().trial_id),
              "ML.TRIAL_INFO lists the trials");
}

MappedText TrialFunctionSql(std::string_view function,
                            const std::vector<const ModelVersion*>& versions, ModelStore& models,
                            const std::vector<GivenRows>& rows,
                            const std::vector<Option>& settings) {
  if (versions.size() > 1) return OfVersions(function, versions, models, rows, settings);
  const ModelVersion& version = *versions.at(0);
  const ml::OptionReader reader(settings);
  std::vector<Option> others;
  for (const Option& option : settings)
    if (option.name != kSetting) others.push_back(option);
  if (function == "TRIAL_INFO") {
    if (version.trials.empty()) RefuseUntuned(version, "ML.TRIAL_INFO");
    if (!rows.empty() || !settings.empty())
      throw Error(ErrorCode::kSyntax, "Wrong arguments of ML.TRIAL_INFO",
                  "write ML.TRIAL_INFO(MODEL m)");
    MappedText text;
    text.Append(TableSql(TrialInfo(version, *models.Get(version.artefact_sha256)->core)));
    return text;
  }
  const ModelTrial* chosen =
      reader.Has(kSetting) ? &FindTrial(version, reader.Integer(kSetting, 1, 1)) : nullptr;
  if (version.trials.empty()) return OfVersion(function, version, models, rows, settings);
  const bool alone =
      !rows.empty() || !TellsOfTheModel(function, *models.Get(version.artefact_sha256)->core);
  if (alone)
    return OfVersion(function, chosen != nullptr ? AsVersion(version, *chosen) : version, models,
                     rows, others);
  std::vector<const ModelTrial*> trials;
  for (const ModelTrial& trial : version.trials)
    if (chosen == nullptr ? !trial.artefact_sha256.empty() : &trial == chosen)
      trials.push_back(&trial);
  return OfTrials(function, version, models, trials, others);
}

}  // namespace braid::session
