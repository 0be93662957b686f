// SPDX-License-Identifier: Apache-2.0
// Which ML.<function>(MODEL m, …) there are, what they take, and where they are made.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "ml/option_reader.h"
#include "session/feature_sql.h"
#include "session/ml_sql.h"
#include "session/model_call_internal.h"
#include "session/model_table.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

using syntax::MappedText;

double Threshold(const BoundCall& call) { return call.settings.Between("threshold", 0, 1, 0.5); }

double Confidence(const BoundCall& call) {
  const double confidence = call.settings.Between("confidence_level", 0, 1, 0.95);
  if (!(confidence > 0 && confidence < 1))
    ml::OptionReader::Refuse(*call.settings.Find("confidence_level"), "a number between 0 and 1");
  return confidence;
}

void RequireTask(const BoundCall& call, std::string_view function, ml::Task task,
                 std::string_view wanted) {
  if (call.model.stored.core->task() == task) return;
  throw Error(ErrorCode::kNotSupported,
              fmt::format("ML.{} is not for {}", function, call.model.stored.core->kind()),
              fmt::format("it is for {}", wanted));
}

void RefuseSettingOf(const BoundCall& call, std::string_view setting, std::string_view wanted) {
  if (!call.settings.Has(setting)) return;
  throw Error(ErrorCode::kInvalidOption, fmt::format("The setting {} is for {}", setting, wanted),
              fmt::format("the model is {}", call.model.stored.core->kind()));
}

namespace {

enum class Rows : uint8_t {
  kNone,
  kOptional,
  kNeeded,
  kNeededTwice,  // and calibration rows
  kMaybeTwice,   // calibration rows may follow
};

MappedText Text(const std::string& sql) {
  MappedText text;
  text.Append(sql);
  return text;
}

MappedText Predict(const BoundCall& call) {
  return PredictSql(call.model, *call.rows, Threshold(call),
                    call.settings.Boolean("keep_original_columns", true));
}

MappedText Evaluate(const BoundCall& call) {
  if (const auto slice_cols = call.settings.Texts("slice_cols")) {
    if (call.rows == nullptr)
      throw Error(ErrorCode::kInvalidOption, "SLICE_COLS needs rows",
                  "write ML.EVALUATE(MODEL m, TABLE t, STRUCT(['column'] AS slice_cols))");
    return EvaluateSlicesSql(call.model, *call.rows, Threshold(call), *slice_cols);
  }
  return call.rows == nullptr ? Text(StoredEvaluationSql(call.model))
                              : EvaluateSql(call.model, *call.rows, Threshold(call));
}

MappedText ConfusionMatrix(const BoundCall& call) {
  RequireTask(call, "CONFUSION_MATRIX", ml::Task::kClassification, "classifiers");
  return ConfusionMatrixSql(call.model, *call.rows, Threshold(call));
}

MappedText RocCurve(const BoundCall& call) {
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

MappedText ExplainPredict(const BoundCall& call) {
  return ExplainPredictSql(call.model, *call.rows, Threshold(call),
                           call.settings.Integer("top_k_features", 1, 5));
}

MappedText Transform(const BoundCall& call) { return TransformSql(call.model, *call.rows); }

MappedText GlobalExplain(const BoundCall& call) {
  return call.rows == nullptr ? Text(StoredGlobalExplainSql(call.model))
                              : GlobalExplainSql(call.model, *call.rows);
}

MappedText DetectAnomalies(const BoundCall& call) {
  if (!call.settings.Has("contamination"))
    throw Error(ErrorCode::kInvalidOption, "ML.DETECT_ANOMALIES needs CONTAMINATION",
                "write ML.DETECT_ANOMALIES(MODEL m, STRUCT(0.02 AS contamination), TABLE t)");
  return DetectAnomaliesSql(call.model, *call.rows,
                            call.settings.Between("contamination", 0, 0.5, 0));
}

MappedText PredictInterval(const BoundCall& call) {
  RequireTask(call, "PREDICT_INTERVAL", ml::Task::kRegression, "linear_reg");
  return PredictIntervalSql(call.model, *call.rows, Confidence(call));
}

MappedText Recommend(const BoundCall& call) {
  RequireTask(call, "RECOMMEND", ml::Task::kRecommendation, "matrix_factorization");
  return RecommendSql(call.model, call.rows);
}

MappedText FeatureInfo(const BoundCall& call) { return Text(FeatureInfoSql(call.model)); }

MappedText ValidateSkew(const BoundCall& call) {
  return ValidateSkewSql(call.model, *call.given, call.options);
}

MappedText PermutationImportance(const BoundCall& call) {
  return PermutationImportanceSql(call.model, *call.given, call.options);
}

struct Function {
  std::string_view name;
  Rows rows;
  std::vector<std::string> settings;
  MappedText (*make)(const BoundCall& call);
  bool takes_models = false;  // two or more
};

const std::vector<Function>& Functions() {
  static const std::vector<Function> functions = {
      {"PREDICT", Rows::kNeeded, {"threshold", "keep_original_columns"}, Predict},
      {"EVALUATE", Rows::kOptional, {"threshold", "slice_cols"}, Evaluate},
      {"CONFUSION_MATRIX", Rows::kNeeded, {"threshold"}, ConfusionMatrix},
      {"ROC_CURVE", Rows::kNeeded, {"thresholds"}, RocCurve},
      {"EXPLAIN_PREDICT", Rows::kNeeded, {"top_k_features", "threshold"}, ExplainPredict},
      {"PREDICT_INTERVAL", Rows::kNeeded, {"confidence_level"}, PredictInterval},
      {"PREDICT_CONFORMAL",
       Rows::kNeededTwice,
       {"confidence_level", "method", "scale_col", "group_cols", "threshold",
        "keep_original_columns"},
       PredictConformal},
      {"PREDICT_CALIBRATED",
       Rows::kNeededTwice,
       {"method", "threshold", "keep_original_columns"},
       PredictCalibrated},
      {"CALIBRATION_CURVE",
       Rows::kMaybeTwice,
       {"num_buckets", "strategy", "method"},
       CalibrationCurve},
      {"EVALUATE_CALIBRATION",
       Rows::kMaybeTwice,
       {"num_buckets", "strategy", "method"},
       EvaluateCalibration},
      {"COMPARE", Rows::kNeeded, {"confidence_level", "threshold"}, Compare, true},
      {"GLOBAL_EXPLAIN", Rows::kOptional, {}, GlobalExplain},
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

[[noreturn]] void RefuseArguments(std::string_view function, const std::string& form) {
  throw Error(ErrorCode::kSyntax, fmt::format("Wrong arguments of ML.{}", function),
              "write " + form);
}

void CheckArguments(const ModelCall& call, const Function& function) {
  const bool calibrates = function.rows == Rows::kNeededTwice || function.rows == Rows::kMaybeTwice;
  size_t most = calibrates ? 2 : 1;
  if (function.rows == Rows::kNone) most = 0;
  size_t least = 1;
  if (function.rows == Rows::kOptional || function.rows == Rows::kNone) least = 0;
  if (function.rows == Rows::kNeededTwice) least = 2;
  const bool fits = function.takes_models == (call.models.size() > 1);
  if (call.rows.size() >= least && call.rows.size() <= most && fits) return;
  if (function.rows == Rows::kNone)
    RefuseArguments(call.function, fmt::format("ML.{}(MODEL m)", call.function));
  if (function.takes_models)
    RefuseArguments(call.function,
                    fmt::format("ML.{}(MODEL a, MODEL b, TABLE t); in place of the table a query "
                                "in parentheses may stand",
                                call.function));
  RefuseArguments(
      call.function,
      calibrates
          ? fmt::format("ML.{}(MODEL m, TABLE t, TABLE calibration_rows); in place of each "
                        "table a query in parentheses may stand",
                        call.function)
          : fmt::format("ML.{0}(MODEL m, TABLE t) or ML.{0}(MODEL m, (SELECT …))", call.function));
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

MappedText ModelFunctionSql(const ModelCall& call) {
  const BoundModel& model = call.models.at(0);
  for (const BoundModel& each : call.models)
    if (IsRemote(each) && call.function != "PREDICT")
      throw Error(
          ErrorCode::kNotSupported,
          fmt::format("ML.{} is not for remote models: {}", call.function, each.version.model),
          "only its server knows the model; here it answers ML.PREDICT alone");
  const auto& functions = Functions();
  const auto found = std::find_if(functions.begin(), functions.end(), [&](const Function& known) {
    return known.name == call.function;
  });
  if (found != functions.end()) {
    CheckArguments(call, *found);
    CheckSettings(call.settings, found->settings);
    return found->make({.models = call.models,
                        .model = model,
                        .given = call.rows.empty() ? nullptr : &call.rows[0],
                        .rows = call.rows.empty() ? nullptr : &call.rows[0].sql,
                        .calibration = call.rows.size() < 2 ? nullptr : &call.rows[1].sql,
                        .options = call.settings,
                        .settings = ml::OptionReader(call.settings)});
  }
  const std::vector<ml::TableFunction> tables = model.stored.core->table_functions();
  const auto table =
      std::find_if(tables.begin(), tables.end(),
                   [&](const ml::TableFunction& known) { return known.name == call.function; });
  if (table == tables.end()) RefuseFunction(call.function, *model.stored.core);
  if (!call.rows.empty() || call.models.size() > 1)
    RefuseArguments(call.function, fmt::format("ML.{}(MODEL m)", call.function));
  CheckSettings(call.settings, table->settings);
  return Text(ModelTableSql(model, call.function, call.settings));
}

}  // namespace braid::session
