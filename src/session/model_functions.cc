// SPDX-License-Identifier: Apache-2.0
// Which ML.<function>(MODEL m, …) there are, what they take, and where they are made.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "ml/option_reader.h"
#include "session/feature_sql.h"
#include "session/ml_sql.h"
#include "session/model_table.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;

enum class Rows : uint8_t { kNone, kOptional, kNeeded };

struct Call {
  const BoundModel& model;
  const GivenRows* given;
  const MappedText* rows;  // given->sql
  const std::vector<Option>& options;
  ml::OptionReader settings;
};

MappedText Text(const std::string& sql) {
  MappedText text;
  text.Append(sql);
  return text;
}

double Threshold(const Call& call) { return call.settings.Between("threshold", 0, 1, 0.5); }

void RequireTask(const Call& call, std::string_view function, ml::Task task,
                 std::string_view wanted) {
  if (call.model.stored.core->task() == task) return;
  throw Error(ErrorCode::kNotSupported,
              fmt::format("ML.{} is not for {}", function, call.model.stored.core->kind()),
              fmt::format("it is for {}", wanted));
}

MappedText Predict(const Call& call) {
  return PredictSql(call.model, *call.rows, Threshold(call),
                    call.settings.Boolean("keep_original_columns", true));
}

MappedText Evaluate(const Call& call) {
  return call.rows == nullptr ? Text(StoredEvaluationSql(call.model))
                              : EvaluateSql(call.model, *call.rows, Threshold(call));
}

MappedText ConfusionMatrix(const Call& call) {
  RequireTask(call, "CONFUSION_MATRIX", ml::Task::kClassification, "classifiers");
  return ConfusionMatrixSql(call.model, *call.rows, Threshold(call));
}

MappedText RocCurve(const Call& call) {
  RequireTask(call, "ROC_CURVE", ml::Task::kClassification, "classifiers");
  std::optional<std::string> thresholds;
  if (const Option* option = call.settings.Find("thresholds")) {
    const auto* list = std::get_if<OptionValue::List>(&option->value.value);
    std::string items;
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const std::optional<double> number = ml::AsNumber((*list)[i]);
      if (!number) ml::OptionReader::Refuse(*option, "a list of numbers");
      items += (i > 0 ? ", " : "") + NumberSql(*number);
    }
    if (list == nullptr || list->empty()) ml::OptionReader::Refuse(*option, "a list of numbers");
    thresholds = "[" + items + "]";
  }
  return RocCurveSql(call.model, *call.rows, thresholds);
}

MappedText ExplainPredict(const Call& call) {
  return ExplainPredictSql(call.model, *call.rows, Threshold(call),
                           call.settings.Integer("top_k_features", 1, 5));
}

MappedText Transform(const Call& call) { return TransformSql(call.model, *call.rows); }

MappedText GlobalExplain(const Call& call) { return GlobalExplainSql(call.model, *call.rows); }

MappedText DetectAnomalies(const Call& call) {
  if (!call.settings.Has("contamination"))
    throw Error(ErrorCode::kInvalidOption, "ML.DETECT_ANOMALIES needs CONTAMINATION",
                "write ML.DETECT_ANOMALIES(MODEL m, STRUCT(0.02 AS contamination), TABLE t)");
  return DetectAnomaliesSql(call.model, *call.rows,
                            call.settings.Between("contamination", 0, 0.5, 0));
}

MappedText PredictInterval(const Call& call) {
  RequireTask(call, "PREDICT_INTERVAL", ml::Task::kRegression, "linear_reg");
  const double confidence = call.settings.Between("confidence_level", 0, 1, 0.95);
  if (!(confidence > 0 && confidence < 1))
    ml::OptionReader::Refuse(*call.settings.Find("confidence_level"), "a number between 0 and 1");
  return PredictIntervalSql(call.model, *call.rows, confidence);
}

MappedText Recommend(const Call& call) {
  RequireTask(call, "RECOMMEND", ml::Task::kRecommendation, "matrix_factorization");
  return RecommendSql(call.model, call.rows);
}

MappedText FeatureInfo(const Call& call) { return Text(FeatureInfoSql(call.model)); }

MappedText ValidateSkew(const Call& call) {
  return ValidateSkewSql(call.model, *call.given, call.options);
}

MappedText PermutationImportance(const Call& call) {
  return PermutationImportanceSql(call.model, *call.given, call.options);
}

struct Function {
  std::string_view name;
  Rows rows;
  std::vector<std::string> settings;
  MappedText (*make)(const Call& call);
};

const std::vector<Function>& Functions() {
  static const std::vector<Function> functions = {
      {"PREDICT", Rows::kNeeded, {"threshold", "keep_original_columns"}, Predict},
      {"EVALUATE", Rows::kOptional, {"threshold"}, Evaluate},
      {"CONFUSION_MATRIX", Rows::kNeeded, {"threshold"}, ConfusionMatrix},
      {"ROC_CURVE", Rows::kNeeded, {"thresholds"}, RocCurve},
      {"EXPLAIN_PREDICT", Rows::kNeeded, {"top_k_features", "threshold"}, ExplainPredict},
      {"PREDICT_INTERVAL", Rows::kNeeded, {"confidence_level"}, PredictInterval},
      {"GLOBAL_EXPLAIN", Rows::kNeeded, {}, GlobalExplain},
      {"TRANSFORM", Rows::kNeeded, {}, Transform},
      {"DETECT_ANOMALIES", Rows::kNeeded, {"contamination"}, DetectAnomalies},
      {"RECOMMEND", Rows::kOptional, {}, Recommend},
      {"FEATURE_INFO", Rows::kNone, {}, FeatureInfo},
      {"VALIDATE_DATA_SKEW", Rows::kNeeded, SkewSettings(), ValidateSkew},
      {"PERMUTATION_IMPORTANCE",
       Rows::kNeeded,
       {"num_repeats", "seed", "metric"},
       PermutationImportance},
  };
  return functions;
}

std::vector<std::string> NamesFor(const ml::Model& model) {
  std::vector<std::string> names;
  for (const Function& function : Functions()) names.emplace_back(function.name);
  for (const char* name : {"CROSS_VALIDATE", "FEATURE_ABLATION"}) names.emplace_back(name);
  for (const ml::TableFunction& table : model.table_functions()) names.emplace_back(table.name);
  return names;
}

[[noreturn]] void RefuseFunction(std::string_view function, const ml::Model& model) {
  const std::vector<std::string> names = NamesFor(model);
  const auto close = ClosestMatch(std::string(function), names);
  throw Error(ErrorCode::kNotSupported,
              fmt::format("There is no ML.{} for {}", function, model.kind()),
              close ? fmt::format("did you mean ML.{}?", *close)
                    : fmt::format("there are ML.{}", fmt::join(names, ", ML.")));
}

[[noreturn]] void RefuseRows(std::string_view function) {
  throw Error(ErrorCode::kSyntax, fmt::format("Wrong arguments of ML.{}", function),
              fmt::format("write ML.{}(MODEL m)", function));
}

}  // namespace

void CheckSettings(const std::vector<Option>& settings, const std::vector<std::string>& known) {
  for (const Option& option : settings) {
    if (std::find(known.begin(), known.end(), option.name) != known.end()) continue;
    const auto close = ClosestMatch(option.name, known);
    throw Error(ErrorCode::kInvalidOption, fmt::format("Unknown setting: {}", option.name),
                close           ? fmt::format("did you mean {}?", *close)
                : known.empty() ? std::string("the function takes no settings")
                                : fmt::format("the settings are {}", fmt::join(known, ", ")));
  }
}

bool NeedsColumns(std::string_view function) {
  return function == "VALIDATE_DATA_SKEW" || function == "PERMUTATION_IMPORTANCE";
}

MappedText ModelFunctionSql(std::string_view function, const BoundModel& model,
                            const GivenRows* rows, const std::vector<Option>& settings) {
  const auto& functions = Functions();
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [&](const Function& known) { return known.name == function; });
  const Call call{model, rows, rows == nullptr ? nullptr : &rows->sql, settings,
                  ml::OptionReader(settings)};
  if (found != functions.end()) {
    if (found->rows == Rows::kNone && rows != nullptr) RefuseRows(function);
    if (found->rows == Rows::kNeeded && rows == nullptr)
      throw Error(
          ErrorCode::kSyntax, fmt::format("Wrong arguments of ML.{}", function),
          fmt::format("write ML.{0}(MODEL m, TABLE t) or ML.{0}(MODEL m, (SELECT …))", function));
    CheckSettings(settings, found->settings);
    return found->make(call);
  }
  const std::vector<ml::TableFunction> tables = model.stored.core->table_functions();
  const auto table =
      std::find_if(tables.begin(), tables.end(),
                   [&](const ml::TableFunction& known) { return known.name == function; });
  if (table == tables.end()) RefuseFunction(function, *model.stored.core);
  if (rows != nullptr) RefuseRows(function);
  CheckSettings(settings, table->settings);
  return Text(ModelTableSql(model, function, settings));
}

}  // namespace braid::session
