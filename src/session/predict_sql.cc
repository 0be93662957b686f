// SPDX-License-Identifier: Apache-2.0
// ML.PREDICT and ML.EXPLAIN_PREDICT as SQL around the scoring functions.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "session/ml_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

using syntax::MappedText;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

std::string LabelFamily(const std::string& label_type) {
  if (label_type == "BOOLEAN") return "BOOLEAN";
  for (const char* integer :
       {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
    if (label_type == integer) return "BIGINT";
  if (label_type == "DOUBLE" || label_type == "FLOAT") return "DOUBLE";
  return "VARCHAR";
}

std::string InputsSql(const std::vector<ProjectedInput>& inputs) {
  std::string list;
  for (const ProjectedInput& input : inputs)
    list += fmt::format("{}CAST(({}) AS {})", list.empty() ? "" : ", ", input.expression,
                        input.is_category ? "VARCHAR" : "DOUBLE");
  return list;
}

std::string ScoringCall(const BoundModel& model, const std::string& function,
                        const std::optional<std::string>& setting) {
  std::string call =
      fmt::format("braid_score_{}({}", function, QuoteString(model.version.artefact_sha256));
  if (setting) call += ", " + QuoteString(*setting);
  return call + ", " + InputsSql(model.stored.projection.inputs) + ")";
}

std::string LabelCall(const BoundModel& model, double threshold, const std::string& maps) {
  const std::string form = ToLower(LabelFamily(model.stored.projection.label_type));
  if (maps.empty()) return ScoringCall(model, "label_" + form, fmt::format("{}", threshold));
  return fmt::format("braid_score_calibrated_{}({}, '{}', {}, {})", form,
                     QuoteString(model.version.artefact_sha256), threshold, maps,
                     InputsSql(model.stored.projection.inputs));
}

MappedText Around(const std::string& head, const MappedText& rows, const std::string& tail) {
  MappedText text;
  text.Append("(SELECT " + head + " FROM ");
  text.Append(rows);
  text.Append(" AS __braid_row" + tail + ")");
  return text;
}

std::string NumberSql(double value) {
  return fmt::format("CAST({} AS DOUBLE)", QuoteString(fmt::format("{}", value)));
}

std::string PredictedLabelSql(const Projection& projection) {
  const bool cast = LabelFamily(projection.label_type) != projection.label_type;
  return fmt::format("{} AS {}",
                     cast ? fmt::format("CAST(__braid_p.label AS {})", projection.label_type)
                          : std::string("__braid_p.label"),
                     QuoteIdentifier("predicted_" + projection.label));
}

std::string ProbabilitiesSql(const Projection& projection) {
  const bool cast = LabelFamily(projection.label_type) != projection.label_type;
  return fmt::format("{} AS {}",
                     cast ? fmt::format("CAST(__braid_p.probs AS STRUCT(label {}, prob DOUBLE)[])",
                                        projection.label_type)
                          : std::string("__braid_p.probs"),
                     QuoteIdentifier("predicted_" + projection.label + "_probs"));
}

namespace {

// The call, and how its answer becomes columns.
struct Answer {
  std::string call;
  std::string columns;
};

Answer AnswerOf(const BoundModel& model, double threshold) {
  const Projection& projection = model.stored.projection;
  const ml::Model& core = *model.stored.core;
  switch (core.task()) {
    case ml::Task::kClassification:
      return {LabelCall(model, threshold),
              PredictedLabelSql(projection) + ", " + ProbabilitiesSql(projection)};
    case ml::Task::kClustering:
      return {ScoringCall(model, "cluster"),
              "__braid_p.centroid_id AS centroid_id, __braid_p.nearest AS "
              "nearest_centroids_distance"};
    case ml::Task::kProjection: {
      std::string columns;
      size_t at = 0;
      for (const std::string& name : core.score_names())
        columns += fmt::format("{}__braid_p[{}] AS {}", columns.empty() ? "" : ", ", ++at,
                               QuoteIdentifier(name));
      return {ScoringCall(model, "list"), columns};
    }
    case ml::Task::kRecommendation:
      return {ScoringCall(model, "value"),
              "__braid_p AS " + QuoteIdentifier(core.score_names().at(0))};
    case ml::Task::kRegression:
      break;
  }
  return {ScoringCall(model, "value"),
          "__braid_p AS " + QuoteIdentifier("predicted_" + projection.label)};
}

void RequireExplained(const BoundModel& model, std::string_view function) {
  if (model.stored.core->can_explain()) return;
  throw Error(ErrorCode::kNotSupported,
              fmt::format("ML.{} is not for {}", function, model.stored.core->kind()),
              "it explains linear_reg, logistic_reg and the tree models");
}

}  // namespace

MappedText PredictSql(const BoundModel& model, const MappedText& rows, double threshold,
                      bool keep_original) {
  const Answer answer = IsRemote(model) ? Answer{RemoteCall(model), RemoteColumns(model)}
                                        : AnswerOf(model, threshold);
  const MappedText scored =
      Around(answer.call + " AS __braid_p" + (keep_original ? ", __braid_row.*" : ""), rows, "");
  return Around(answer.columns + (keep_original ? ", * EXCLUDE (__braid_p)" : ""), scored, "");
}

MappedText PredictIntervalSql(const BoundModel& model, const MappedText& rows, double confidence) {
  if (!model.stored.core->has_intervals())
    throw Error(ErrorCode::kNotSupported, "The model has no prediction intervals",
                "train linear_reg with CALCULATE_P_VALUES = TRUE, CATEGORY_ENCODING_METHOD = "
                "'DUMMY_ENCODING'");
  const MappedText scored = Around(ScoringCall(model, "interval", fmt::format("{}", confidence)) +
                                       " AS __braid_p, __braid_row.*",
                                   rows, "");
  std::string columns =
      "__braid_p.\"value\" AS " + QuoteIdentifier("predicted_" + model.stored.projection.label);
  for (const char* bound : {"confidence_interval_lower", "confidence_interval_upper",
                            "prediction_interval_lower", "prediction_interval_upper"})
    columns += fmt::format(", __braid_p.{0} AS {0}", bound);
  return Around(columns + ", * EXCLUDE (__braid_p)", scored, "");
}

MappedText ExplainPredictSql(const BoundModel& model, const MappedText& rows, double threshold,
                             int64_t top_features) {
  RequireExplained(model, "EXPLAIN_PREDICT");
  const bool classifies = model.stored.is_classification();
  const Answer answer = AnswerOf(model, threshold);
  const MappedText scored =
      Around(fmt::format("{} AS __braid_p, {} AS __braid_e, __braid_row.*", answer.call,
                         ScoringCall(model, "explained", fmt::format("{}", top_features))),
             rows, "");
  return Around(
      fmt::format("{}, {}__braid_e.attributions AS top_feature_attributions, __braid_e.baseline AS "
                  "baseline_prediction_value, __braid_e.\"value\" AS prediction_value, CAST(0 AS "
                  "DOUBLE) AS approximation_error, * EXCLUDE (__braid_p, __braid_e)",
                  classifies ? PredictedLabelSql(model.stored.projection) : answer.columns,
                  classifies ? "list_max(list_transform(__braid_p.probs, lambda __p: __p.prob)) AS "
                               "probability, "
                             : ""),
      scored, "");
}

MappedText DetectAnomaliesSql(const BoundModel& model, const MappedText& rows,
                              double contamination) {
  const ml::Model& core = *model.stored.core;
  if (!core.can_detect_anomalies())
    throw Error(ErrorCode::kNotSupported,
                fmt::format("ML.DETECT_ANOMALIES is not for {}", core.kind()),
                "it is for kmeans and pca");
  const MappedText scored =
      Around(ScoringCall(model, "anomaly") + " AS __braid_p, __braid_row.*", rows, "");
  return Around(fmt::format("__braid_p.score > {} AS is_anomaly, __braid_p.score AS {}, * EXCLUDE "
                            "(__braid_p)",
                            NumberSql(core.AnomalyThreshold(contamination)),
                            core.task() == ml::Task::kClustering
                                ? "normalized_distance, __braid_p.centroid_id AS centroid_id"
                                : "mean_squared_error"),
                scored, "");
}

MappedText GlobalExplainSql(const BoundModel& model, const MappedText& rows) {
  RequireExplained(model, "GLOBAL_EXPLAIN");
  const size_t inputs = model.stored.projection.inputs.size();
  const MappedText scored =
      Around(fmt::format("unnest({}.attributions) AS __a",
                         ScoringCall(model, "explained", fmt::format("{}", inputs))),
             rows, "");
  return Around("__a.feature AS feature, avg(abs(__a.attribution)) AS attribution", scored,
                " GROUP BY 1 ORDER BY attribution DESC, feature");
}

std::string StoredGlobalExplainSql(const BoundModel& model) {
  RequireExplained(model, "GLOBAL_EXPLAIN");
  const std::vector<ml::InputColumn> inputs = model.stored.core->input_columns();
  if (model.stored.global_explanation.size() != inputs.size())
    throw Error(ErrorCode::kNotSupported,
                "The model was trained without ENABLE_GLOBAL_EXPLAIN: " + model.version.model,
                "write ML.GLOBAL_EXPLAIN(MODEL m, TABLE t), or train it with "
                "enable_global_explain = TRUE");
  std::string values;
  for (size_t i = 0; i < inputs.size(); ++i)
    values += fmt::format("{}({}, CAST({} AS DOUBLE))", i > 0 ? ", " : "",
                          syntax::QuoteString(inputs[i].name),
                          NumberSql(model.stored.global_explanation[i]));
  return fmt::format(
      "(SELECT * FROM (VALUES {}) AS t(feature, attribution) ORDER BY attribution DESC, feature)",
      values);
}

MappedText TransformSql(const BoundModel& model, const MappedText& rows) {
  const std::vector<ProjectedInput>& columns = model.stored.projection.transform;
  if (columns.empty())
    throw Error(ErrorCode::kNotSupported, "The model has no TRANSFORM: " + model.version.model,
                "its inputs are the columns of its query as they are");
  std::string list;
  for (const ProjectedInput& column : columns)
    list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", column.expression,
                        QuoteIdentifier(column.name));
  return Around(list, rows, "");
}

}  // namespace braid::session
