// SPDX-License-Identifier: Apache-2.0
#include "session/ml_sql.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

// The scoring functions come in one form for each type that a label can be returned as.
struct LabelFamily {
  std::string function;
  std::string type;
};

LabelFamily FamilyOf(const std::string& label_type) {
  if (label_type == "BOOLEAN") return {"braid_classify_boolean", "BOOLEAN"};
  for (const char* integer :
       {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
    if (label_type == integer) return {"braid_classify_bigint", "BIGINT"};
  if (label_type == "DOUBLE" || label_type == "FLOAT") return {"braid_classify_double", "DOUBLE"};
  return {"braid_classify_varchar", "VARCHAR"};
}

// braid_…('<sha256>', threshold, inputs cast to what the kernel reads).
std::string ScoringCall(const BoundModel& model, const PredictSettings& settings) {
  const Projection& projection = model.stored.projection;
  std::string call = projection.is_classification ? FamilyOf(projection.label_type).function
                                                  : std::string("braid_predict_value");
  call += fmt::format("({}, {}", QuoteString(model.version.artefact_sha256),
                      QuoteString(fmt::format("{}", settings.threshold)));
  for (const ProjectedInput& input : projection.inputs)
    call += fmt::format(", CAST(({}) AS {})", input.expression,
                        input.is_category ? "VARCHAR" : "DOUBLE");
  return call + ")";
}

// "(SELECT <head> FROM <rows> AS __braid_row<tail>)".
MappedText Around(const std::string& head, const MappedText& rows, const std::string& tail) {
  MappedText text;
  text.Append("(SELECT " + head + " FROM ");
  text.Append(rows);
  text.Append(" AS __braid_row" + tail + ")");
  return text;
}

MappedText EvaluateRegression(const MappedText& scored) {
  std::string columns;
  for (const char* metric : {"mean_absolute_error", "mean_squared_error", "mean_squared_log_error",
                             "median_absolute_error", "r2_score", "explained_variance"})
    columns += fmt::format("{0}CAST(__metrics ->> '{1}' AS DOUBLE) AS {1}",
                           columns.empty() ? "" : ", ", metric);
  MappedText text;
  text.Append("(SELECT " + columns +
              " FROM (SELECT CAST(decode(braid_regression_errors(__y, __p)) AS JSON) AS __metrics "
              "FROM ");
  text.Append(scored);
  text.Append(" AS __braid_scored) AS __braid_errors)");
  return text;
}

// Ranks with ties averaged give the exact area under the ROC curve (Mann and Whitney).
constexpr std::string_view kAreaUnderCurve =
    "(sum(__rank) FILTER (__positive) - count(*) FILTER (__positive) * (count(*) FILTER "
    "(__positive) + 1) / 2) / nullif(count(*) FILTER (__positive) * count(*) FILTER (NOT "
    "__positive), 0)";

// Rows with the label as text (__y), the predicted label as text (__yhat) and the probabilities.
MappedText EvaluateClassification(const BoundModel& model, const MappedText& scored) {
  const std::vector<std::string>& classes = model.stored.core.classes();
  const bool binary = classes.size() == 2;
  std::string labels;
  for (const std::string& label : classes)
    labels += fmt::format("{}({})", labels.empty() ? "" : ", ", QuoteString(label));
  // Binary: of the positive (higher) label, as BigQuery ML reports; otherwise macro averages.
  const std::string only = binary ? " WHERE __class = " + QuoteString(classes.back()) : "";
  MappedText text;
  text.Append("(WITH __s AS MATERIALIZED (SELECT * FROM ");
  text.Append(scored);
  text.Append(fmt::format(
      " AS __braid_scored), __c AS (SELECT unnest(c).v AS __class FROM (SELECT [{}] AS c)), __m AS "
      "(SELECT __class, count(*) FILTER (__y = __class AND __yhat = __class) AS tp, count(*) "
      "FILTER "
      "(__y <> __class AND __yhat = __class) AS fp, count(*) FILTER (__y = __class AND __yhat <> "
      "__class) AS fn FROM __c, __s GROUP BY __class), __f AS (SELECT __class, CASE WHEN tp + fp = "
      "0 "
      "THEN 0 ELSE tp / (tp + fp) END AS p, CASE WHEN tp + fn = 0 THEN 0 ELSE tp / (tp + fn) END "
      "AS r "
      "FROM __m{}), ",
      [&] {
        std::string list;
        for (const std::string& label : classes)
          list += fmt::format("{}{{'v': {}}}", list.empty() ? "" : ", ", QuoteString(label));
        return list;
      }(),
      only));
  text.Append(fmt::format(
      "__r AS (SELECT __class, __y = __class AS __positive, list_filter(__probs, lambda x: x.label "
      "= "
      "__class)[1].prob AS __score FROM __c, __s{}), __k AS (SELECT __class, __positive, {} FROM "
      "__r), ",
      only,
      "rank() OVER (PARTITION BY __class ORDER BY __score) + (count(*) OVER (PARTITION BY "
      "__class, __score) - 1) / 2.0 AS __rank"));
  text.Append(fmt::format("__a AS (SELECT __class, {} AS auc FROM __k GROUP BY __class) ",
                          kAreaUnderCurve));
  text.Append(
      "SELECT (SELECT avg(p) FROM __f) AS precision, (SELECT avg(r) FROM __f) AS recall, (SELECT "
      "avg(CAST(__y = __yhat AS INTEGER)) FROM __s) AS accuracy, (SELECT avg(CASE WHEN p + r = 0 "
      "THEN 0 "
      "ELSE 2 * p * r / (p + r) END) FROM __f) AS f1_score, (SELECT avg(-ln(greatest(coalesce("
      "list_filter(__probs, lambda x: x.label = __y)[1].prob, 0), 1e-15))) FROM __s) AS log_loss, "
      "(SELECT "
      "avg(auc) FROM __a) AS roc_auc)");
  return text;
}

std::string Number(double value) {
  return fmt::format("CAST({} AS DOUBLE)", QuoteString(fmt::format("{}", value)));
}

}  // namespace

PredictSettings ParsePredictSettings(const std::vector<Option>& settings) {
  PredictSettings parsed;
  for (const Option& option : settings) {
    const auto& value = option.value.value;
    if (option.name == "threshold" && std::holds_alternative<double>(value)) {
      parsed.threshold = std::get<double>(value);
    } else if (option.name == "threshold" && std::holds_alternative<int64_t>(value)) {
      parsed.threshold = static_cast<double>(std::get<int64_t>(value));
    } else if (option.name == "keep_original_columns" && std::holds_alternative<bool>(value)) {
      parsed.keep_original_columns = std::get<bool>(value);
    } else {
      const auto close = ClosestMatch(option.name, {"threshold", "keep_original_columns"});
      throw Error(
          ErrorCode::kInvalidOption, fmt::format("Unknown or ill-typed setting: {}", option.name),
          close
              ? fmt::format("did you mean {}?", *close)
              : "the settings are threshold (a number) and keep_original_columns (TRUE or FALSE)");
    }
  }
  if (parsed.threshold < 0 || parsed.threshold > 1)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("threshold lies outside 0…1: {}", parsed.threshold));
  return parsed;
}

MappedText PredictSql(const BoundModel& model, const MappedText& rows,
                      const PredictSettings& settings) {
  const Projection& projection = model.stored.projection;
  const std::string predicted = QuoteIdentifier("predicted_" + projection.label);
  const std::string keep = settings.keep_original_columns ? ", * EXCLUDE (__braid_p)" : "";
  const std::string inner_keep = settings.keep_original_columns ? ", __braid_row.*" : "";
  MappedText scored = Around(ScoringCall(model, settings) + " AS __braid_p" + inner_keep, rows, "");
  std::string head;
  if (!projection.is_classification) {
    head = "__braid_p AS " + predicted + keep;
  } else {
    const LabelFamily family = FamilyOf(projection.label_type);
    const bool cast = family.type != projection.label_type;
    const std::string label = "__braid_p.label";
    const std::string probs = "__braid_p.probs";
    head = fmt::format("{} AS {}, {} AS {}{}",
                       cast ? fmt::format("CAST({} AS {})", label, projection.label_type) : label,
                       predicted,
                       cast ? fmt::format("CAST({} AS STRUCT(label {}, prob DOUBLE)[])", probs,
                                          projection.label_type)
                            : probs,
                       QuoteIdentifier("predicted_" + projection.label + "_probs"), keep);
  }
  return Around(head, scored, "");
}

MappedText EvaluateSql(const BoundModel& model, const MappedText& rows,
                       const PredictSettings& settings) {
  const Projection& projection = model.stored.projection;
  const std::string label = "__braid_row." + QuoteIdentifier(projection.label);
  const std::string known = fmt::format(" WHERE {} IS NOT NULL", label);
  if (!projection.is_classification) {
    return EvaluateRegression(Around(
        fmt::format("{} AS __p, CAST({} AS DOUBLE) AS __y", ScoringCall(model, settings), label),
        rows, known));
  }
  const MappedText scored =
      Around(fmt::format("{} AS __braid_p, CAST(CAST({} AS {}) AS VARCHAR) AS __y",
                         ScoringCall(model, settings), label, FamilyOf(projection.label_type).type),
             rows, known);
  return EvaluateClassification(
      model, Around("__y, CAST(__braid_p.label AS VARCHAR) AS __yhat, CAST(__braid_p.probs AS "
                    "STRUCT(label VARCHAR, prob DOUBLE)[]) AS __probs",
                    scored, ""));
}

std::string StoredEvaluationSql(const BoundModel& model) {
  const std::vector<std::string> names =
      model.stored.projection.is_classification
          ? std::vector<std::string>{"precision", "recall",   "accuracy",
                                     "f1_score",  "log_loss", "roc_auc"}
          : std::vector<std::string>{
                "mean_absolute_error",   "mean_squared_error", "mean_squared_log_error",
                "median_absolute_error", "r2_score",           "explained_variance"};
  std::string columns;
  for (const std::string& name : names) {
    const auto found = model.version.metrics.find(name);
    columns += fmt::format(
        "{}{} AS {}", columns.empty() ? "" : ", ",
        found == model.version.metrics.end() ? "CAST(NULL AS DOUBLE)" : Number(found->second),
        name);
  }
  return "(SELECT " + columns + ")";
}

std::string WeightsSql(const BoundModel& model, bool standardize) {
  const bool by_class = model.stored.core.classes().size() > 2;
  std::string rows;
  for (const ml::WeightRow& row : model.stored.core.Weights(standardize)) {
    std::string categories;
    for (const auto& [category, weight] : row.category_weights)
      categories +=
          fmt::format("{}{{'category': {}, 'weight': {}}}", categories.empty() ? "" : ", ",
                      category ? QuoteString(*category) : "CAST(NULL AS VARCHAR)", Number(weight));
    rows += fmt::format("{}({}, {}, CAST([{}] AS STRUCT(category VARCHAR, weight DOUBLE)[]), {})",
                        rows.empty() ? "" : ", ", QuoteString(row.processed_input),
                        row.weight ? Number(*row.weight) : "CAST(NULL AS DOUBLE)", categories,
                        QuoteString(row.class_label));
  }
  return fmt::format(
      "(SELECT processed_input, weight, category_weights{} FROM (VALUES {}) AS "
      "__w(processed_input, "
      "weight, category_weights, class_label))",
      by_class ? ", class_label" : "", rows);
}

}  // namespace braid::session
