// SPDX-License-Identifier: Apache-2.0
// ML.COMPARE as SQL: each row is scored once by each model; an aggregate for each pair of models
// says how they differ.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "session/ml_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

std::string NameOf(const BoundModel& model) {
  return fmt::format("{}@{}", model.version.model, model.version.version);
}

void CheckComparable(const BoundModel& first, const BoundModel& other) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::kNotSupported,
                fmt::format("Models that answer different questions cannot be compared: {}, {}",
                            NameOf(first), NameOf(other)),
                why);
  };
  const ml::Task task = first.stored.core->task();
  if (task != other.stored.core->task())
    refuse(fmt::format("one is {}, the other {}", first.stored.core->kind(),
                       other.stored.core->kind()));
  const std::string& label = first.stored.projection.label;
  if (!EqualsIgnoringCase(label, other.stored.projection.label))
    refuse(fmt::format("their labels are {} and {}", label, other.stored.projection.label));
  if (first.stored.core->classes() != other.stored.core->classes())
    refuse("the labels that they know differ");
}

// "AS __braid_v<k>" columns of one model's answer, over the rows that were scored.
std::string AnswerColumns(const BoundModel& model, size_t k) {
  if (!model.stored.is_classification()) return fmt::format(", __braid_p{0} AS __braid_v{0}", k);
  const std::vector<std::string>& classes = model.stored.core->classes();
  const auto probability = [k](const std::string& label) {
    return fmt::format(
        "list_filter(__braid_p{}.probs, lambda s: CAST(s.label AS VARCHAR) = {})[1].prob", k,
        label);
  };
  return fmt::format(
      ", coalesce({1}, 0) AS __braid_v{0}, {2} AS __braid_h{0}, CAST(CAST(__braid_p{0}.label AS "
      "VARCHAR) = __braid_y AS DOUBLE) AS __braid_r{0}",
      k, probability("__braid_y"),
      classes.size() == 2 ? probability(QuoteString(classes.back()))
                          : std::string("CAST(NULL AS DOUBLE)"));
}

MappedText ScoredRows(const std::vector<BoundModel>& models, const MappedText& rows,
                      double threshold) {
  const Projection& projection = models[0].stored.projection;
  const bool classifies = models[0].stored.is_classification();
  const std::string label = "__braid_row." + QuoteIdentifier(projection.label);
  std::string scores = classifies ? fmt::format("CAST(CAST({} AS {}) AS VARCHAR) AS __braid_y",
                                                label, LabelFamily(projection.label_type))
                                  : fmt::format("CAST({} AS DOUBLE) AS __braid_y", label);
  std::string columns = classifies
                            ? fmt::format("CAST(__braid_y = {} AS DOUBLE) AS __braid_y",
                                          QuoteString(models[0].stored.core->classes().back()))
                            : std::string("__braid_y");
  for (size_t k = 0; k < models.size(); ++k) {
    scores += fmt::format(
        ", {} AS __braid_p{}",
        classifies ? LabelCall(models[k], threshold) : ScoringCall(models[k], "value"), k);
    columns += AnswerColumns(models[k], k);
  }
  return Around(columns, Around(scores, rows, fmt::format(" WHERE {} IS NOT NULL", label)), "");
}

std::string PairCall(const std::vector<BoundModel>& models, size_t first, size_t second,
                     double confidence) {
  if (!models[0].stored.is_classification())
    return fmt::format("braid_compare_regressions(__braid_y, __braid_v{}, __braid_v{}, {})", first,
                       second, NumberSql(confidence));
  return fmt::format(
      "braid_compare_classifiers(__braid_y, __braid_v{0}, __braid_h{0}, __braid_r{0}, "
      "__braid_v{1}, __braid_h{1}, __braid_r{1}, {2})",
      first, second, NumberSql(confidence));
}

}  // namespace

// Holm (1979): of m p-values the k-th smallest times m - k + 1, or what a smaller one has become.
MappedText CompareSql(const std::vector<BoundModel>& models, const MappedText& rows,
                      double confidence, double threshold) {
  for (const BoundModel& model : models) CheckComparable(models[0], model);
  std::string pairs;
  size_t number = 0;
  for (size_t first = 0; first < models.size(); ++first)
    for (size_t second = first + 1; second < models.size(); ++second)
      pairs += fmt::format("{}{{'pair': {}, 'baseline': {}, 'candidate': {}, 'lines': {}}}",
                           pairs.empty() ? "" : ", ", ++number, QuoteString(NameOf(models[first])),
                           QuoteString(NameOf(models[second])),
                           PairCall(models, first, second, confidence));
  MappedText text;
  text.Append(fmt::format("(WITH __braid_pairs AS (SELECT unnest([{}]) AS p FROM ", pairs));
  text.Append(ScoredRows(models, rows, threshold));
  text.Append(
      " AS __braid_scored), __braid_lines AS (SELECT p.pair AS pair, p.baseline AS baseline, "
      "p.candidate AS candidate, unnest(from_json(CAST(decode(p.lines) AS JSON), "
      "'[{\"metric\":\"VARCHAR\",\"test\":\"VARCHAR\",\"row_count\":\"BIGINT\",\"baseline_value\":"
      "\"DOUBLE\",\"candidate_value\":\"DOUBLE\",\"difference\":\"DOUBLE\",\"standard_error\":"
      "\"DOUBLE\",\"confidence_interval_lower\":\"DOUBLE\",\"confidence_interval_upper\":"
      "\"DOUBLE\",\"statistic\":\"DOUBLE\",\"p_value\":\"DOUBLE\"}]')) AS l, "
      "generate_subscripts(from_json(CAST(decode(p.lines) AS JSON), '[\"JSON\"]'), 1) AS line FROM "
      "__braid_pairs), __braid_ranked AS (SELECT *, (count(l.p_value) OVER tests - row_number() "
      "OVER rising + 1) * l.p_value AS scaled FROM __braid_lines WINDOW tests AS (PARTITION BY "
      "l.metric, l.test), rising AS (PARTITION BY l.metric, l.test ORDER BY l.p_value NULLS LAST, "
      "pair)) SELECT baseline AS baseline_model, candidate AS candidate_model, l.metric AS metric, "
      "l.baseline_value AS baseline_value, l.candidate_value AS candidate_value, l.difference AS "
      "difference, l.standard_error AS standard_error, l.confidence_interval_lower AS "
      "confidence_interval_lower, l.confidence_interval_upper AS confidence_interval_upper, l.test "
      "AS test, l.statistic AS statistic, l.p_value AS p_value, CASE WHEN l.p_value IS NOT NULL "
      "THEN least(1, max(scaled) OVER (PARTITION BY l.metric, l.test ORDER BY l.p_value NULLS "
      "LAST, pair ROWS UNBOUNDED PRECEDING)) END AS adjusted_p_value, l.row_count AS row_count "
      "FROM __braid_ranked ORDER BY pair, line)");
  return text;
}

MappedText LossDifferenceSql(const BoundModel& first, const BoundModel& second,
                             const MappedText& rows) {
  CheckComparable(first, second);
  const bool classifies = first.stored.is_classification();
  return Around(classifies
                    ? "ln(greatest(__braid_v1, 1e-15)) - ln(greatest(__braid_v0, 1e-15)) AS "
                      "gain"
                    : "(__braid_y - __braid_v0) ** 2 - (__braid_y - __braid_v1) ** 2 AS gain",
                ScoredRows({first, second}, rows, 0.5), "");
}

}  // namespace braid::session
