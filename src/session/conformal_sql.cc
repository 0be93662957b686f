// SPDX-License-Identifier: Apache-2.0
// ML.PREDICT_CONFORMAL as SQL: calibration rows give a quantile of scores, for all rows or for each
// group; it makes an interval, or a set of labels, around each answer.
#include <fmt/format.h>

#include "session/ml_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;
using syntax::QuoteIdentifier;

constexpr std::string_view kInfinity = "CAST('inf' AS DOUBLE)";

std::string ScaleSql(const ConformalSettings& settings) {
  return settings.scale_col.empty()
             ? std::string("CAST(1 AS DOUBLE)")
             : fmt::format("CAST(__braid_row.{} AS DOUBLE)", QuoteIdentifier(settings.scale_col));
}

std::string GroupSql(const ConformalSettings& settings) {
  std::string list;
  for (const std::string& column : settings.group_cols)
    list += fmt::format("{}CAST(__braid_row.{} AS VARCHAR)", list.empty() ? "" : ", ",
                        QuoteIdentifier(column));
  return "[" + list + "]";
}

// What a label's score is, for the labels by falling probability. LAC (Sadinle, Lei and Wasserman
// 2019): 1 - p. APS (Romano, Sesia and Candès 2020) without its random part: the probability of all
// labels that are likelier. Both rise along the list.
std::string Conformities(ConformalMethod method) {
  if (method == ConformalMethod::kLac)
    return "list_transform(__braid_p.probs, lambda s: 1 - s.prob)";
  return "list_transform(__braid_p.probs, lambda s, i: coalesce(list_sum(list_transform("
         "__braid_p.probs[1:i - 1], lambda t: t.prob)), 0))";
}

// The aggregate over scored calibration rows, and the expressions that it takes from each.
MappedText Quantiles(const BoundModel& model, const MappedText& calibration,
                     const ConformalSettings& settings) {
  const Projection& projection = model.stored.projection;
  const bool classifies = model.stored.is_classification();
  const std::string label = "__braid_row." + QuoteIdentifier(projection.label);
  const std::string group = settings.group_cols.empty() ? "" : ", __braid_g";
  const std::string grouped =
      settings.group_cols.empty() ? "" : fmt::format(", {} AS __braid_g", GroupSql(settings));
  const std::string confidence = NumberSql(settings.confidence);
  MappedText scored;
  std::string quantile;
  if (classifies) {
    scored = Around(fmt::format("{} AS __braid_p, CAST(CAST({} AS {}) AS VARCHAR) AS __braid_y{}",
                                LabelCall(model, settings.threshold), label,
                                LabelFamily(projection.label_type), grouped),
                    calibration, fmt::format(" WHERE {} IS NOT NULL", label));
    scored = Around(fmt::format("coalesce(list_extract({}, list_position(list_transform("
                                "__braid_p.probs, lambda s: CAST(s.label AS VARCHAR)), "
                                "__braid_y)), {}) AS __braid_s{}",
                                Conformities(settings.method), kInfinity, group),
                    scored, "");
    quantile = fmt::format("braid_conformal_score(__braid_s, {})", confidence);
  } else {
    scored = Around(fmt::format("{} AS __braid_p, CAST({} AS DOUBLE) AS __braid_y, {} AS "
                                "__braid_scale{}",
                                ScoringCall(model, "value"), label, ScaleSql(settings), grouped),
                    calibration, fmt::format(" WHERE {} IS NOT NULL", label));
    quantile = fmt::format("braid_conformal_residual(__braid_y, __braid_p, __braid_scale, {})",
                           confidence);
  }
  return Around(fmt::format("CAST(decode({}) AS DOUBLE) AS __braid_q{}", quantile, group), scored,
                group.empty() ? "" : " GROUP BY __braid_g");
}

// The columns of the answer, over rows with __braid_p and, of this row, __braid_w.
std::string AnswerColumns(const BoundModel& model, const ConformalSettings& settings) {
  const Projection& projection = model.stored.projection;
  if (!model.stored.is_classification())
    return fmt::format(
        "__braid_p AS {}, __braid_p - __braid_w AS prediction_interval_lower, __braid_p + "
        "__braid_w "
        "AS prediction_interval_upper",
        QuoteIdentifier("predicted_" + projection.label));
  return fmt::format(
      "{}, CAST(list_transform(__braid_p.probs[1:len(list_filter({}, lambda c: c <= __braid_w))], "
      "lambda s: s.label) AS {}[]) AS {}, {}",
      PredictedLabelSql(projection), Conformities(settings.method), projection.label_type,
      QuoteIdentifier("predicted_" + projection.label + "_set"), ProbabilitiesSql(projection));
}

}  // namespace

MappedText PredictConformalSql(const BoundModel& model, const MappedText& rows,
                               const MappedText& calibration, const ConformalSettings& settings) {
  const bool classifies = model.stored.is_classification();
  const bool grouped = !settings.group_cols.empty();
  const MappedText scored = Around(
      fmt::format("{} AS __braid_p, {} AS __braid_scale{}{}",
                  classifies ? LabelCall(model, settings.threshold) : ScoringCall(model, "value"),
                  classifies ? std::string("CAST(1 AS DOUBLE)") : ScaleSql(settings),
                  grouped ? fmt::format(", {} AS __braid_g", GroupSql(settings)) : "",
                  settings.keep_original ? ", __braid_row.*" : ""),
      rows, "");
  MappedText text;
  text.Append("(WITH __braid_quantiles AS MATERIALIZED ");
  text.Append(Quantiles(model, calibration, settings));
  // A group without calibration rows is one with too few of them.
  text.Append(fmt::format(
      " SELECT {}{} FROM (SELECT __braid_scored.*, braid_conformal_width({}, __braid_scale) AS "
      "__braid_w FROM ",
      AnswerColumns(model, settings),
      settings.keep_original ? fmt::format(", * EXCLUDE (__braid_p, __braid_scale, __braid_w{})",
                                           grouped ? ", __braid_g" : "")
                             : "",
      grouped ? fmt::format("CASE WHEN (SELECT count(*) FROM __braid_quantiles) > 0 THEN "
                            "coalesce(__braid_q, {}) END",
                            kInfinity)
              : std::string("(SELECT __braid_q FROM __braid_quantiles)")));
  text.Append(scored);
  text.Append(" AS __braid_scored");
  if (grouped)
    text.Append(
        " LEFT JOIN (SELECT __braid_q, __braid_g AS __braid_of FROM __braid_quantiles) AS "
        "__braid_group ON __braid_group.__braid_of = __braid_scored.__braid_g");
  text.Append(") AS __braid_answered)");
  return text;
}

}  // namespace braid::session
