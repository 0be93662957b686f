// SPDX-License-Identifier: Apache-2.0
// One scan gathers the sums of each fold; braid_validate makes the answer of their serialised
// forms, which reach it as one text.
#include "session/validate_sql.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/error.h"
#include "engine/functions.h"
#include "ml/cross_validation.h"
#include "ml/option_reader.h"
#include "session/moments_function.h"
#include "session/option_json.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using Json = nlohmann::ordered_json;
using syntax::MappedText;
using syntax::QuoteString;

constexpr std::string_view kCrossValidate = "CROSS_VALIDATE";
constexpr std::string_view kFeatureAblation = "FEATURE_ABLATION";

ml::TrainingRequest RequestOf(const BoundModel& model) {
  const Projection& projection = model.stored.projection;
  ml::TrainingRequest request{.kind = std::string(model.stored.core->kind()),
                              .inputs = model.stored.core->input_columns(),
                              .label = projection.label,
                              .classes_in_order = {},
                              .has_weight = false,
                              .settings = OptionsFromJson(model.version.options),
                              .seed = model.version.seed};
  for (const Option& option : request.settings)
    if (option.name == "instance_weight_col") request.has_weight = true;
  return request;
}

void RequireSums(std::string_view function, const BoundModel& model,
                 const ml::TrainingRequest& request) {
  if (ml::CanCrossValidate(request)) return;
  throw Error(ErrorCode::kNotSupported,
              fmt::format("ML.{} is not for this {}", function, model.stored.core->kind()),
              "it is for linear_reg with numeric inputs, without PARTITION BY, INSTANCE_WEIGHT_COL "
              "and STANDARD_ERRORS: models that are trained from sums");
}

// SQL of a row's fold.
std::string FoldSql(std::string_view function, const ml::OptionReader& settings) {
  const std::optional<std::string> column = settings.Text("fold_col");
  if (column) {
    for (const char* other : {"num_folds", "seed"})
      if (const Option* option = settings.Find(other))
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("The setting {} does not go with fold_col", option->name),
                    "the column's values are the folds");
    return fmt::format("CAST(__braid_row.{} AS BIGINT)", syntax::QuoteIdentifier(*column));
  }
  const int64_t folds = settings.Integer("num_folds", function == kCrossValidate ? 2 : 1, 5);
  if (folds > 1000) ml::OptionReader::Refuse(*settings.Find("num_folds"), "a number up to 1000");
  return fmt::format("CAST(hash(__braid_row, CAST({} AS BIGINT)) % {} AS BIGINT)",
                     settings.Integer("seed", INT64_MIN, 0), folds);
}

// "fold:base64,…", as SQL makes it.
ml::Folds ReadFolds(std::string_view text) {
  ml::Folds folds;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const size_t colon = item.find(':');
    const auto bytes = DecodeBase64(item.substr(colon + 1));
    if (colon == std::string_view::npos || !bytes)
      throw Error(ErrorCode::kInternal, "The sums of a fold cannot be read");
    folds.emplace_back(std::stoll(std::string(item.substr(0, colon))),
                       ml::GramAccumulator::Deserialize(*bytes));
  }
  return folds;
}

Json NumberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json FoldRow(const ml::FoldScore& score) {
  const auto rows = static_cast<double>(score.rows);
  return {{"fold", score.fold},
          {"training_rows", score.training_rows},
          {"rows", score.rows},
          {"mean_squared_error", score.mean_squared_error()},
          {"r2_score", NumberOrNull(1 - score.squares / score.spread)},
          {"explained_variance",
           NumberOrNull(1 - (score.squares - score.sum * score.sum / rows) / score.spread)}};
}

// The folds, and then the means of their scores, as scikit-learn's cross_val_score is summed up.
Json CrossValidationRows(const ml::TrainingRequest& request, const ml::Folds& folds) {
  if (folds.size() < 2)
    throw Error(ErrorCode::kTrainingData, "All rows are of one fold", "raise num_folds");
  Json rows = Json::array();
  int64_t judged = 0;
  for (const ml::FoldScore& score : ml::CrossValidate(request, folds)) {
    rows.push_back(FoldRow(score));
    judged += score.rows;
  }
  Json mean = {{"fold", nullptr}, {"training_rows", nullptr}, {"rows", judged}};
  for (const char* metric : {"mean_squared_error", "r2_score", "explained_variance"}) {
    double sum = 0;
    for (const Json& row : rows) sum += row[metric].is_null() ? NAN : row[metric].get<double>();
    mean[metric] = NumberOrNull(sum / static_cast<double>(rows.size()));
  }
  rows.push_back(std::move(mean));
  return rows;
}

Json AblationRows(const ml::TrainingRequest& request, const ml::Folds& folds) {
  const std::vector<ml::FeatureScore> scores = ml::AblateFeatures(request, folds);
  Json rows = Json::array();
  for (const ml::FeatureScore& score : scores)
    rows.push_back({{"feature", score.feature.empty() ? Json(nullptr) : Json(score.feature)},
                    {"mean_squared_error", score.mean_squared_error},
                    {"difference", score.mean_squared_error - scores.front().mean_squared_error},
                    {"r2_score", NumberOrNull(score.r2_score)}});
  return rows;
}

std::string Validate(const std::string& function, const ml::TrainingRequest& request,
                     std::string_view sums) {
  const ml::Folds folds = ReadFolds(sums);
  if (folds.empty()) throw Error(ErrorCode::kTrainingData, "There are no rows to train on");
  return (function == kCrossValidate ? CrossValidationRows(request, folds)
                                     : AblationRows(request, folds))
      .dump();
}

// What a training is asked for, as a constant of the call.
std::string RequestText(std::string_view function, const ml::TrainingRequest& request) {
  Json inputs = Json::array();
  for (const ml::InputColumn& input : request.inputs) inputs.push_back(input.name);
  return Json{{"function", function},
              {"kind", request.kind},
              {"inputs", std::move(inputs)},
              {"label", request.label},
              {"settings", OptionsToJson(request.settings)},
              {"seed", request.seed}}
      .dump();
}

struct BoundValidation {
  std::string function;
  ml::TrainingRequest request;
};

BoundValidation ReadRequest(const std::string& text) {
  const Json json = Json::parse(text);
  BoundValidation bound{
      .function = json.at("function"),
      .request = {.kind = json.at("kind"),
                  .inputs = {},
                  .label = json.at("label"),
                  .classes_in_order = {},
                  .settings = OptionsFromJson(json.at("settings").get_ref<const std::string&>()),
                  .seed = json.at("seed")}};
  for (const Json& name : json.at("inputs"))
    bound.request.inputs.push_back({name.get<std::string>(), ml::InputKind::kNumeric});
  return bound;
}

}  // namespace

bool IsValidation(std::string_view function) {
  return function == kCrossValidate || function == kFeatureAblation;
}

MappedText ValidationSql(std::string_view function, const catalog::ModelVersion& version,
                         ModelStore& models, const MappedText& rows,
                         const std::vector<Option>& settings, engine::Connection* connection) {
  const auto stored = models.Get(version.artefact_sha256);
  const BoundModel model{version, *stored};
  if (!version.trials.empty())
    throw Error(ErrorCode::kNotSupported, fmt::format("ML.{} is not for tuned models", function),
                "ML.TRIAL_INFO tells how the trials did");
  const ml::TrainingRequest request = RequestOf(model);
  RequireSums(function, model, request);
  CheckSettings(settings, {"num_folds", "seed", "fold_col"});
  if (connection == nullptr)
    throw Error(ErrorCode::kNotSupported, fmt::format("ML.{} cannot stand here", function),
                "ask for it in a query of its own");
  const std::string label = fmt::format("CAST(__braid_row.{} AS DOUBLE)",
                                        syntax::QuoteIdentifier(stored->projection.label));
  const MappedText sums = Around(fmt::format("{} AS __fold, {}({}, {}) AS __sums",
                                             FoldSql(function, ml::OptionReader(settings)),
                                             MomentsFunction(*connection, request.inputs.size()),
                                             InputsSql(stored->projection.inputs), label),
                                 rows, " GROUP BY 1");
  std::vector<std::string_view> names = {"feature", "mean_squared_error", "difference", "r2_score"};
  if (function == kCrossValidate)
    names = {"fold",     "training_rows",     "rows", "mean_squared_error",
             "r2_score", "explained_variance"};
  std::string columns;
  for (const std::string_view name : names) {
    const bool whole = name == "fold" || name.ends_with("rows");
    columns +=
        fmt::format("{0}CAST(__r ->> '{1}' AS {2}) AS {1}", columns.empty() ? "" : ", ", name,
                    name == "feature" ? "VARCHAR"
                    : whole           ? "BIGINT"
                                      : "DOUBLE");
  }
  MappedText text;
  text.Append(fmt::format(
      "(SELECT {} FROM (SELECT unnest(CAST(CAST(braid_validate({}, string_agg(CAST(__fold AS "
      "VARCHAR) || ':' || to_base64(__sums), ',' ORDER BY __fold)) AS JSON) AS JSON[])) AS __r "
      "FROM ",
      columns, QuoteString(RequestText(function, request))));
  text.Append(sums);
  text.Append(" AS __folds WHERE __fold IS NOT NULL) AS __rows)");
  return text;
}

void RegisterValidation(engine::Connection& connection) {
  engine::ScalarFunction function;
  function.name = "braid_validate";
  function.parameter_types = {"VARCHAR", "VARCHAR"};
  function.return_type = "VARCHAR";
  function.bind = [](std::span<const engine::ScalarFunction::BoundArgument> arguments) {
    if (!arguments[0].constant)
      throw Error(ErrorCode::kInternal, "A validation was called without its model");
    return std::make_shared<BoundValidation>(ReadRequest(*arguments[0].constant));
  };
  function.run = [](const std::shared_ptr<void>& bound, const Batch& arguments,
                    engine::VectorWriter out) {
    const auto& validation = *static_cast<const BoundValidation*>(bound.get());
    const ColumnView& sums = arguments.columns[1];
    for (size_t row = 0; row < arguments.rows; ++row)
      out.SetString(row, Validate(validation.function, validation.request,
                                  sums.IsValid(row) ? sums.strings()[row] : std::string_view()));
  };
  engine::Register(connection, std::move(function));
}

}  // namespace braid::session
