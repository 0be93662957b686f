// SPDX-License-Identifier: Apache-2.0
// ML.PREDICT_CALIBRATED, ML.CALIBRATION_CURVE and ML.EVALUATE_CALIBRATION as SQL: calibration rows
// give a map of probabilities, computed once, that the scoring function then applies.
#include <fmt/format.h>

#include "session/ml_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

std::string LabelText(const BoundModel& model) {
  const Projection& projection = model.stored.projection;
  return fmt::format("CAST(CAST(__braid_row.{} AS {}) AS VARCHAR)",
                     QuoteIdentifier(projection.label), LabelFamily(projection.label_type));
}

std::string HasLabel(const BoundModel& model) {
  return fmt::format(" WHERE __braid_row.{} IS NOT NULL",
                     QuoteIdentifier(model.stored.projection.label));
}

// The number of the first class that counts: of two the higher one alone.
size_t FirstClass(const BoundModel& model) {
  return model.stored.core->classes().size() == 2 ? 1 : 0;
}

// One row: the maps of the classes, one after the other.
MappedText MapsSql(const BoundModel& model, const Calibration& calibration) {
  const std::vector<std::string>& classes = model.stored.core->classes();
  std::string maps;
  for (size_t k = FirstClass(model); k < classes.size(); ++k)
    maps +=
        fmt::format("{}braid_calibration_{}(__braid_p[{}], CAST(__braid_y = {} AS DOUBLE))",
                    maps.empty() ? "" : " || ",
                    calibration.method == ml::CalibrationMethod::kIsotonic ? "isotonic" : "sigmoid",
                    k + 1, QuoteString(classes[k]));
  return Around(maps + " AS __braid_map",
                Around(fmt::format("{} AS __braid_p, {} AS __braid_y", ScoringCall(model, "list"),
                                   LabelText(model)),
                       calibration.rows, HasLabel(model)),
                "");
}

// Common tables that follow WITH: __braid_maps where there is a calibration.
MappedText MapsTable(const BoundModel& model, const Calibration* calibration) {
  MappedText text;
  if (calibration == nullptr) return text;
  text.Append("__braid_maps AS MATERIALIZED ");
  text.Append(MapsSql(model, *calibration));
  return text;
}

std::string AnswerCall(const BoundModel& model, double threshold, const Calibration* calibration) {
  if (calibration == nullptr) return LabelCall(model, threshold);
  return LabelCall(model, threshold, "__braid_maps.__braid_map");
}

// After the rows: the one row of maps.
std::string JoinMaps(const Calibration* calibration) {
  return calibration == nullptr ? "" : " CROSS JOIN __braid_maps";
}

// WITH …, __braid_curves(k, class, curve): for each class that counts what the aggregate says.
MappedText CurvesSql(const BoundModel& model, const MappedText& rows,
                     const Calibration* calibration, const CurveSettings& settings) {
  const std::vector<std::string>& classes = model.stored.core->classes();
  std::string list;
  for (size_t k = FirstClass(model); k < classes.size(); ++k)
    list += fmt::format("{}({}, {})", list.empty() ? "" : ", ", k, QuoteString(classes[k]));
  MappedText text;
  text.Append("(WITH ");
  text.Append(MapsTable(model, calibration));
  text.Append(calibration == nullptr ? "" : ", ");
  text.Append("__braid_scored AS MATERIALIZED ");
  text.Append(Around(fmt::format("{} AS __braid_p, {} AS __braid_y",
                                 AnswerCall(model, 0.5, calibration), LabelText(model)),
                     rows, JoinMaps(calibration) + HasLabel(model)));
  text.Append(fmt::format(
      ", __braid_classes(k, class) AS (VALUES {}), __braid_curves AS (SELECT k, class, "
      "CAST(decode(braid_calibration_curve(p, y, {}, {})) AS JSON) AS curve FROM (SELECT k, class, "
      "list_filter(__braid_p.probs, lambda s: CAST(s.label AS VARCHAR) = class)[1].prob AS p, "
      "CAST(__braid_y = class AS DOUBLE) AS y FROM __braid_classes LEFT JOIN __braid_scored ON "
      "TRUE) GROUP BY k, class) ",
      list, settings.buckets, settings.strategy == ml::BucketStrategy::kUniform ? 0 : 1));
  return text;
}

// With more than two classes each has rows of its own.
std::string ClassColumn(const BoundModel& model) {
  if (FirstClass(model) == 1) return "";
  return fmt::format("CAST(class AS {}) AS class_label, ", model.stored.projection.label_type);
}

}  // namespace

MappedText PredictCalibratedSql(const BoundModel& model, const MappedText& rows,
                                const Calibration& calibration, double threshold,
                                bool keep_original) {
  const Projection& projection = model.stored.projection;
  MappedText text;
  text.Append("(WITH ");
  text.Append(MapsTable(model, &calibration));
  text.Append(fmt::format(" SELECT {}, {}{} FROM ", PredictedLabelSql(projection),
                          ProbabilitiesSql(projection),
                          keep_original ? ", * EXCLUDE (__braid_p)" : ""));
  text.Append(Around(AnswerCall(model, threshold, &calibration) + " AS __braid_p" +
                         (keep_original ? ", __braid_row.*" : ""),
                     rows, JoinMaps(&calibration)));
  text.Append(" AS __braid_scored)");
  return text;
}

MappedText CalibrationCurveSql(const BoundModel& model, const MappedText& rows,
                               const Calibration* calibration, const CurveSettings& settings) {
  MappedText text = CurvesSql(model, rows, calibration, settings);
  text.Append(fmt::format(
      "SELECT {}b.* FROM (SELECT k, class, unnest(from_json(curve -> 'buckets', "
      "'[{{\"bucket\":\"BIGINT\",\"lower_bound\":\"DOUBLE\",\"upper_bound\":\"DOUBLE\","
      "\"row_count\":\"BIGINT\",\"mean_predicted_probability\":\"DOUBLE\","
      "\"observed_frequency\":\"DOUBLE\"}}]')) AS b FROM __braid_curves) ORDER BY k, b.bucket)",
      ClassColumn(model)));
  return text;
}

MappedText EvaluateCalibrationSql(const BoundModel& model, const MappedText& rows,
                                  const Calibration* calibration, const CurveSettings& settings) {
  std::string columns =
      "CAST(coalesce(curve -> 'summary' ->> 'row_count', '0') AS BIGINT) AS "
      "row_count";
  for (const char* name :
       {"expected_calibration_error", "maximum_calibration_error", "brier_score", "reliability",
        "resolution", "uncertainty", "within_bucket_variance", "within_bucket_covariance"})
    columns += fmt::format(", CAST(curve -> 'summary' ->> '{0}' AS DOUBLE) AS {0}", name);
  MappedText text = CurvesSql(model, rows, calibration, settings);
  text.Append(
      fmt::format("SELECT {}{} FROM __braid_curves ORDER BY k)", ClassColumn(model), columns));
  return text;
}

}  // namespace braid::session
