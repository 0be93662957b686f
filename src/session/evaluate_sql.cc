// SPDX-License-Identifier: Apache-2.0
// ML.EVALUATE, ML.CONFUSION_MATRIX and ML.ROC_CURVE as SQL over scored rows.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "session/ml_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

// What the metrics are grouped by: the column __key of the scored rows.
struct Grouping {
  std::string keys;  // a query of all groups; may read __s, the scored rows
  std::string head;  // columns before the metrics, from __key and __rows
  std::string order;
};

constexpr const char* kOneKey = ", 0 AS __key";
const Grouping& OneGroup() {
  static const Grouping grouping{.keys = "SELECT 0 AS __key", .head = "", .order = ""};
  return grouping;
}

std::string RegressionColumns() {
  std::string columns;
  for (const std::string& metric : MetricNames(ml::Task::kRegression, false))
    columns += fmt::format("{0}CAST(__metrics ->> '{1}' AS DOUBLE) AS {1}",
                           columns.empty() ? "" : ", ", metric);
  return columns;
}

// Rows with the label (__y) and the prediction (__p). They are streamed: there may be many.
MappedText EvaluateRegression(const MappedText& scored) {
  MappedText text;
  text.Append("(SELECT " + RegressionColumns() +
              " FROM (SELECT CAST(decode(braid_regression_errors(__y, __p)) AS JSON) AS __metrics "
              "FROM ");
  text.Append(scored);
  text.Append(" AS __braid_scored) AS __braid_errors)");
  return text;
}

// The same with __key.
MappedText EvaluateRegressions(const MappedText& scored, const Grouping& grouping) {
  MappedText text;
  text.Append("(WITH __s AS MATERIALIZED (SELECT * FROM ");
  text.Append(scored);
  text.Append(fmt::format(
      " AS __braid_scored), __g AS ({}), __e AS (SELECT __key, count(*) FILTER (__p IS NOT NULL) "
      "AS __rows, CAST(decode(braid_regression_errors(__y, __p)) AS JSON) AS __metrics FROM __s "
      "GROUP BY __key) SELECT {}{} FROM __g LEFT JOIN __e USING (__key){})",
      grouping.keys, grouping.head, RegressionColumns(), grouping.order));
  return text;
}

// Ranks with ties averaged give the exact area under the ROC curve (Mann and Whitney).
constexpr std::string_view kAreaUnderCurve =
    "(sum(__rank) FILTER (__positive) - count(*) FILTER (__positive) * (count(*) FILTER "
    "(__positive) + 1) / 2) / nullif(count(*) FILTER (__positive) * count(*) FILTER (NOT "
    "__positive), 0)";

// Rows with the label as text (__y), the predicted label as text (__yhat), the probabilities
// (__probs) and __key.
MappedText EvaluateClassification(const BoundModel& model, const MappedText& scored,
                                  const Grouping& grouping) {
  const std::vector<std::string>& classes = model.stored.core->classes();
  const bool binary = classes.size() == 2;
  std::string labels;
  for (const std::string& label : classes)
    labels += fmt::format("{}{{'v': {}}}", labels.empty() ? "" : ", ", QuoteString(label));
  // Binary: of the positive (higher) label, as BigQuery ML reports; otherwise macro averages.
  const std::string only = binary ? " WHERE __class = " + QuoteString(classes.back()) : "";
  MappedText text;
  text.Append("(WITH __s AS MATERIALIZED (SELECT * FROM ");
  text.Append(scored);
  text.Append(fmt::format(
      " AS __braid_scored), __g AS ({2}), __c AS (SELECT unnest(c).v AS __class FROM (SELECT [{0}] "
      "AS c)), __m AS (SELECT __key, __class, count(*) FILTER (__y = __class AND __yhat = __class) "
      "AS tp, count(*) FILTER (__y <> __class AND __yhat = __class) AS fp, count(*) FILTER (__y = "
      "__class AND __yhat <> __class) AS fn FROM __c, __s GROUP BY __key, __class), __f AS (SELECT "
      "__key, CASE WHEN tp + fp = 0 THEN 0 ELSE tp / (tp + fp) END AS p, CASE WHEN tp + fn = 0 "
      "THEN 0 ELSE tp / (tp + fn) END AS r FROM __m{1}), __averages AS (SELECT __key, avg(p) AS "
      "precision, avg(r) AS recall, avg(CASE WHEN p + r = 0 THEN 0 ELSE 2 * p * r / (p + r) END) "
      "AS f1_score FROM __f GROUP BY __key), ",
      labels, only, grouping.keys));
  text.Append(
      "__losses AS (SELECT __key, count(*) AS __rows, avg(CAST(__y = __yhat AS INTEGER)) AS "
      "accuracy, avg(-ln(greatest(coalesce(list_filter(__probs, lambda x: x.label = __y)[1].prob, "
      "0), 1e-15))) AS log_loss FROM __s GROUP BY __key), ");
  text.Append(fmt::format(
      "__r AS (SELECT __key, __class, __y = __class AS __positive, list_filter(__probs, lambda x: "
      "x.label = __class)[1].prob AS __score FROM __c, __s{}), __k AS (SELECT __key, __class, "
      "__positive, {} FROM __r), ",
      only,
      "rank() OVER (PARTITION BY __key, __class ORDER BY __score) + (count(*) OVER (PARTITION BY "
      "__key, __class, __score) - 1) / 2.0 AS __rank"));
  text.Append(fmt::format(
      "__a AS (SELECT __key, __class, {} AS auc FROM __k GROUP BY __key, __class), __areas AS "
      "(SELECT __key, avg(auc) AS roc_auc FROM __a GROUP BY __key) ",
      kAreaUnderCurve));
  text.Append(fmt::format(
      "SELECT {}precision, recall, accuracy, f1_score, log_loss, roc_auc FROM __g LEFT JOIN "
      "__averages USING (__key) LEFT JOIN __losses USING (__key) LEFT JOIN __areas USING "
      "(__key){})",
      grouping.head, grouping.order));
  return text;
}

// Davies and Bouldin (1979): the mean over clusters of the worst ratio of two spreads to the
// distance of their centroids.
MappedText EvaluateClustering(const BoundModel& model, const MappedText& rows) {
  std::string distances;
  for (const auto& row : model.stored.core->TableOf("CENTROID_DISTANCES", {}).rows)
    distances += fmt::format("{}({}, {}, {})", distances.empty() ? "" : ", ", row[0].dump(),
                             row[1].dump(), NumberSql(row[2].get<double>()));
  if (distances.empty()) distances = "(NULL, NULL, NULL)";
  MappedText text;
  text.Append(
      "(WITH __s AS MATERIALIZED (SELECT __p.centroid_id AS id, __p.nearest[1].distance AS d "
      "FROM ");
  text.Append(Around(ScoringCall(model, "cluster") + " AS __p", rows, ""));
  text.Append(fmt::format(
      " AS __scored), __c AS (SELECT id, avg(d) AS spread FROM __s GROUP BY id), __m(a, b, d) AS "
      "(VALUES {}) SELECT (SELECT avg(worst) FROM (SELECT max((x.spread + y.spread) / __m.d) AS "
      "worst FROM __c AS x JOIN __c AS y ON x.id <> y.id JOIN __m ON __m.a = x.id AND __m.b = y.id "
      "GROUP BY x.id)) AS davies_bouldin_index, (SELECT avg(d * d) FROM __s) AS "
      "mean_squared_distance)",
      distances));
  return text;
}

// The label as text and the answer, of rows that have both. `more`: other columns of the rows, with
// a comma before each.
MappedText ScoredClasses(const BoundModel& model, const MappedText& rows, double threshold,
                         const std::string& more = "") {
  const Projection& projection = model.stored.projection;
  const std::string label = "__braid_row." + QuoteIdentifier(projection.label);
  const MappedText scored = Around(
      fmt::format("{} AS __braid_p, CAST(CAST({} AS {}) AS VARCHAR) AS __y{}",
                  LabelCall(model, threshold), label, LabelFamily(projection.label_type), more),
      rows, fmt::format(" WHERE {} IS NOT NULL", label));
  return Around(
      fmt::format("__y, CAST(__braid_p.label AS VARCHAR) AS __yhat, CAST(__braid_p.probs AS "
                  "STRUCT(label VARCHAR, prob DOUBLE)[]) AS __probs{}",
                  more),
      scored, model.stored.core->may_be_silent() ? " WHERE __braid_p.label IS NOT NULL" : "");
}

// The label and the answer as numbers, of rows that have a label.
MappedText ScoredNumbers(const BoundModel& model, const MappedText& rows, const std::string& more) {
  const std::string label = "__braid_row." + QuoteIdentifier(model.stored.projection.label);
  return Around(fmt::format("{} AS __p, CAST({} AS DOUBLE) AS __y{}", ScoringCall(model, "value"),
                            label, more),
                rows, fmt::format(" WHERE {} IS NOT NULL", label));
}

}  // namespace

std::vector<std::string> MetricNames(const ml::Model& model) {
  return MetricNames(model.task(), model.ranks_items());
}

std::vector<std::string> MetricNames(ml::Task task, bool ranks_items) {
  if (ranks_items)
    return {"mean_average_precision", "mean_squared_error", "normalized_discounted_cumulative_gain",
            "average_rank"};
  switch (task) {
    case ml::Task::kClassification:
      return {"precision", "recall", "accuracy", "f1_score", "log_loss", "roc_auc"};
    case ml::Task::kClustering:
      return {"davies_bouldin_index", "mean_squared_distance"};
    case ml::Task::kProjection:
      return {"total_explained_variance_ratio"};
    case ml::Task::kRegression:
    case ml::Task::kRecommendation:
      break;
  }
  return {"mean_absolute_error",   "mean_squared_error", "mean_squared_log_error",
          "median_absolute_error", "r2_score",           "explained_variance"};
}

MappedText EvaluateSql(const BoundModel& model, const MappedText& rows, double threshold) {
  const ml::Task task = model.stored.core->task();
  if (!model.stored.core->can_be_judged())
    throw Error(ErrorCode::kNotSupported,
                fmt::format("ML.EVALUATE cannot judge this {} by rows", model.stored.core->kind()),
                "write ML.EVALUATE(MODEL m): it tells of the training rows");
  if (task == ml::Task::kClassification)
    return EvaluateClassification(model, ScoredClasses(model, rows, threshold, kOneKey),
                                  OneGroup());
  if (task == ml::Task::kClustering) return EvaluateClustering(model, rows);
  if (model.stored.core->ranks_items()) return EvaluateRankingSql(model, rows);
  return EvaluateRegression(ScoredNumbers(model, rows, ""));
}

MappedText EvaluateSlicesSql(const BoundModel& model, const MappedText& rows, double threshold,
                             const std::vector<std::string>& slice_cols) {
  const ml::Task task = model.stored.core->task();
  const bool is_clustering = task == ml::Task::kClustering || task == ml::Task::kProjection;
  if (!model.stored.core->can_be_judged() || is_clustering || model.stored.core->ranks_items())
    throw Error(ErrorCode::kNotSupported,
                fmt::format("SLICE_COLS is not for {}", model.stored.core->kind()),
                "slices are for models whose rows have a label");
  // A key says the column and the value; [null,null]: all rows.
  std::string keys = "'[null,null]'";
  std::string names;
  for (const std::string& column : slice_cols) {
    keys += fmt::format(", CAST(to_json([{}, CAST(__rows.{} AS VARCHAR)]) AS VARCHAR)",
                        QuoteString(column), QuoteIdentifier(column));
    names += (names.empty() ? "" : ", ") + QuoteString(column);
  }
  MappedText keyed;
  keyed.Append(fmt::format("(SELECT *, [{}] AS __braid_keys FROM ", keys));
  keyed.Append(rows);
  keyed.Append(" AS __rows)");
  const std::string more = ", __braid_keys";
  const MappedText scored =
      Around("* EXCLUDE (__braid_keys), unnest(__braid_keys) AS __key",
             task == ml::Task::kClassification ? ScoredClasses(model, keyed, threshold, more)
                                               : ScoredNumbers(model, keyed, more),
             "");
  const Grouping grouping{
      .keys = "SELECT '[null,null]' AS __key UNION SELECT __key FROM __s",
      .head =
          "CAST(__key AS JSON) ->> 0 AS slice_col, CAST(__key AS JSON) ->> 1 AS slice_value, "
          "coalesce(__rows, 0) AS num_rows, ",
      .order = fmt::format(" ORDER BY list_position([{}], slice_col) NULLS FIRST, "
                           "TRY_CAST(slice_value AS DOUBLE), slice_value",
                           names)};
  return task == ml::Task::kClassification ? EvaluateClassification(model, scored, grouping)
                                           : EvaluateRegressions(scored, grouping);
}

std::string StoredEvaluationSql(const BoundModel& model) {
  if (!model.stored.core->can_be_judged() && model.version.metrics.empty())
    throw Error(ErrorCode::kNotSupported,
                fmt::format("Nothing was measured of this {}", model.stored.core->kind()));
  std::string columns;
  std::vector<std::string> names = MetricNames(*model.stored.core);
  // A kind may tell more of its training than the task has names for.
  for (const auto& [name, value] : model.stored.core->TrainingMetrics())
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  for (const std::string& name : names) {
    const auto found = model.version.metrics.find(name);
    columns += fmt::format(
        "{}{} AS {}", columns.empty() ? "" : ", ",
        found == model.version.metrics.end() ? "CAST(NULL AS DOUBLE)" : NumberSql(found->second),
        name);
  }
  return "(SELECT " + columns + ")";
}

// One row for each label that occurs, one column for each class of the model.
MappedText ConfusionMatrixSql(const BoundModel& model, const MappedText& rows, double threshold) {
  std::string columns;
  for (const std::string& label : model.stored.core->classes()) {
    const bool digit = !label.empty() && label.front() >= '0' && label.front() <= '9';
    columns += fmt::format(", count(*) FILTER (__yhat = {}) AS {}", QuoteString(label),
                           QuoteIdentifier(digit ? "_" + label : label));
  }
  MappedText text;
  text.Append(fmt::format("(SELECT CAST(__y AS {}) AS expected_label{} FROM ",
                          model.stored.projection.label_type, columns));
  text.Append(ScoredClasses(model, rows, threshold));
  text.Append(" AS __scored GROUP BY __y ORDER BY expected_label)");
  return text;
}

// At each threshold the rows are positive whose probability of the higher label is at least that.
MappedText RocCurveSql(const BoundModel& model, const MappedText& rows,
                       const std::optional<std::string>& thresholds) {
  if (model.stored.core->classes().size() != 2)
    throw Error(ErrorCode::kModelInput, "ML.ROC_CURVE is for models with two classes");
  const std::string positive = QuoteString(model.stored.core->classes().back());
  MappedText text;
  text.Append(
      fmt::format("(WITH __s AS MATERIALIZED (SELECT __y = {0} AS positive, "
                  "list_filter(__probs, lambda x: x.label = {0})[1].prob AS p FROM ",
                  positive));
  text.Append(ScoredClasses(model, rows, 0.5));
  text.Append(fmt::format(
      " AS __scored), __t AS (SELECT unnest({}) AS threshold), __r AS (SELECT threshold, count(*) "
      "FILTER (positive AND p >= threshold) AS tp, count(*) FILTER (NOT positive AND p >= "
      "threshold) AS fp, count(*) FILTER (NOT positive AND p < threshold) AS tn, count(*) FILTER "
      "(positive AND p < threshold) AS fn FROM __t, __s GROUP BY threshold) SELECT threshold, "
      "tp / nullif(tp + fn, 0) AS recall, fp / nullif(fp + tn, 0) AS false_positive_rate, tp AS "
      "true_positives, fp AS false_positives, tn AS true_negatives, fn AS false_negatives FROM __r "
      "ORDER BY threshold DESC)",
      thresholds ? *thresholds
                 : "(SELECT list_distinct(list(q)) FROM (SELECT unnest(quantile_disc(p, [i / 100.0 "
                   "FOR i IN range(101)])) AS q FROM __s))"));
  return text;
}

}  // namespace braid::session
