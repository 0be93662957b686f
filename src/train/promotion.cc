// SPDX-License-Identifier: Apache-2.0
#include "train/promotion.h"

#include <fmt/format.h>

#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "session/ml_sql.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::train {

namespace {

std::string CommonColumns(engine::Connection& connection, const std::string& left,
                          const std::string& right) {
  const auto of_left = connection.DescribeStatement("SELECT * FROM " + left).column_names;
  const auto of_right = connection.DescribeStatement("SELECT * FROM " + right).column_names;
  std::string list;
  for (const std::string& name : of_left)
    for (const std::string& other : of_right)
      if (EqualsIgnoringCase(name, other))
        list += (list.empty() ? "" : ", ") + syntax::QuoteIdentifier(name);
  return list;
}

// What is lower for the better version.
struct Metric {
  std::string name;
  std::string sql;  // over the columns of ML.EVALUATE
};
Metric MetricOf(const ml::Model& model) {
  const ml::Task task = model.task();
  if (model.ranks_items()) return {"average rank", "average_rank"};
  if (task == ml::Task::kClassification) return {"log loss", "log_loss"};
  if (task == ml::Task::kClustering) return {"Davies-Bouldin index", "davies_bouldin_index"};
  return {"RMSE", "sqrt(mean_squared_error)"};
}

// Infinite for a version whose errors are beyond all numbers.
double ScoreOf(engine::Connection& connection, session::ModelStore& models,
               const catalog::ModelVersion& version, const std::string& rows) {
  const auto stored = models.Get(version.artefact_sha256);
  syntax::MappedText query;
  query.Append(rows);
  const std::string metric = MetricOf(*stored->core).sql;
  const auto value = connection.Scalar(fmt::format(
      "SELECT {} FROM {}", metric, session::EvaluateSql({version, *stored}, query).text()));
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::infinity();
}

}  // namespace

void RefuseOverlap(engine::Connection& connection, const TrainingRows& rows,
                   const std::string& promotion_query) {
  const std::string judged = "(" + promotion_query + "\n)";
  const std::string common = CommonColumns(connection, rows.AllQuery(), judged);
  if (common.empty()) return;
  const auto shared =
      connection
          .Scalar(fmt::format(
              "SELECT count(*) FROM (SELECT {0} FROM {1} INTERSECT SELECT {0} FROM {2})", common,
              rows.AllQuery(), judged))
          .get<int64_t>();
  if (shared == 0) return;
  throw Error(
      ErrorCode::kTrainingData,
      fmt::format("Rows that are trained on also stand in the promotion query's result: {}",
                  shared),
      "a version is judged on rows that no version has seen: leave them out of the training query; "
      "where other rows only look alike, keep a key in both queries and leave it out by TRANSFORM");
}

Promotion Decide(engine::Connection& connection, session::ModelStore& models,
                 const catalog::ModelVersion& champion, const catalog::ModelVersion& candidate,
                 const std::optional<std::string>& promotion_query) {
  if (!promotion_query)
    return {
        true,
        fmt::format(
            "the newest version becomes champion: there is no promotion_query (version {} before)",
            champion.version)};
  const std::string rows = "(" + *promotion_query + "\n)";
  const double before = ScoreOf(connection, models, champion, rows);
  const double after = ScoreOf(connection, models, candidate, rows);
  const auto stored = models.Get(candidate.artefact_sha256);
  const std::string& label = stored->projection.label;
  const int64_t count =
      connection
          .Scalar(fmt::format("SELECT count({}) FROM {}",
                              label.empty() ? "*" : syntax::QuoteIdentifier(label), rows))
          .get<int64_t>();
  if (count == 0)
    return {false,
            fmt::format("version {} stays champion: the promotion query gives no labelled rows",
                        champion.version)};
  const bool better = after < before;
  return {better,
          fmt::format(
              "{} {:.6f} of version {} {} {:.6f} of version {} on {} rows of the promotion query",
              MetricOf(*stored->core).name, after, candidate.version, better ? "<" : ">=", before,
              champion.version, count)};
}

}  // namespace braid::train
