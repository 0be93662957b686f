// SPDX-License-Identifier: Apache-2.0
// ML.PERMUTATION_IMPORTANCE (Breiman, Random Forests, 2001; of the column of the rows rather than
// of the input made from it): how much worse a model answers when one column's values are dealt out
// among the rows anew. All columns and repeats are scored in one pass over the dealt rows.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "session/feature_sql.h"
#include "session/scoring_call.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::session {

namespace {

using syntax::MappedText;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

struct Metric {
  std::string_view name;
  ml::Task task;
  bool is_loss;
  std::string_view sql;  // over __y and __p, of a classification __y, __yhat and __probs
};

// The first one of a task is its default.
constexpr Metric kMetrics[] = {
    {"r2_score", ml::Task::kRegression, false,
     "1 - sum((__y - __p) * (__y - __p)) / nullif(var_pop(__y) * count(__y), 0)"},
    {"mean_squared_error", ml::Task::kRegression, true, "avg((__y - __p) * (__y - __p))"},
    {"mean_absolute_error", ml::Task::kRegression, true, "avg(abs(__y - __p))"},
    {"accuracy", ml::Task::kClassification, false, "avg(CAST(__y = __yhat AS INTEGER))"},
    {"log_loss", ml::Task::kClassification, true,
     "avg(-ln(greatest(coalesce(list_filter(__probs, lambda __c: __c.label = __y)[1].prob, 0), "
     "1e-15)))"},
};

const Metric& MetricOf(ml::Task task, const ml::OptionReader& settings) {
  std::vector<std::string_view> names;
  const Metric* first = nullptr;
  const std::optional<std::string> wanted = settings.Text("metric");
  for (const Metric& metric : kMetrics) {
    if (metric.task != task) continue;
    if (first == nullptr) first = &metric;
    if (wanted && EqualsIgnoringCase(*wanted, metric.name)) return metric;
    names.push_back(metric.name);
  }
  if (wanted)
    ml::OptionReader::Refuse(*settings.Find("metric"),
                             fmt::format("one of '{}'", fmt::join(names, "', '")));
  return *first;
}

// Whether an input is made from the column.
bool Reads(const ProjectedInput& input, const std::string& column) {
  const std::vector<syntax::Token> tokens = syntax::Lex(input.expression, "");
  for (size_t i = 0; i + 2 < tokens.size(); ++i)
    if (tokens[i].Is("__braid_row") && tokens[i + 1].Is(".") && tokens[i + 2].IsName() &&
        EqualsIgnoringCase(syntax::NameOf(tokens[i + 2]), column))
      return true;
  return false;
}

// The rows' columns that the model reads.
std::vector<std::string> ReadColumns(const BoundModel& model, const GivenRows& rows) {
  std::vector<std::string> names;
  const auto& inputs = model.stored.projection.inputs;
  for (const lake::Column& column : rows.columns)
    if (std::any_of(inputs.begin(), inputs.end(),
                    [&](const ProjectedInput& input) { return Reads(input, column.name); }))
      names.push_back(column.name);
  if (names.empty())
    throw Error(ErrorCode::kModelInput, "The rows have no column that the model reads",
                "give its inputs and its label");
  return names;
}

// The columns of a dealt row: of __own, but the one at hand of __other.
std::string DealtColumns(const GivenRows& rows, const std::vector<std::string>& dealt) {
  std::string list;
  for (const lake::Column& column : rows.columns) {
    const std::string name = QuoteIdentifier(column.name);
    const auto at = std::find(dealt.begin(), dealt.end(), column.name);
    list += at == dealt.end()
                ? fmt::format(", __own.{0} AS {0}", name)
                : fmt::format(
                      ", CASE WHEN __feature = {1} THEN __other.{0} ELSE __own.{0} END AS "
                      "{0}",
                      name, at - dealt.begin() + 1);
  }
  return list;
}

std::string Answers(const BoundModel& model) {
  const std::string label = "__braid_row." + QuoteIdentifier(model.stored.projection.label);
  if (!model.stored.is_classification())
    return fmt::format("CAST({} AS DOUBLE) AS __y, {} AS __p", label, ScoringCall(model, "value"));
  return fmt::format("CAST(CAST({} AS {}) AS VARCHAR) AS __y, {} AS __a", label,
                     LabelFamily(model.stored.projection.label_type), LabelCall(model, 0.5));
}

}  // namespace

MappedText PermutationImportanceSql(const BoundModel& model, const GivenRows& rows,
                                    const std::vector<Option>& options) {
  const ml::Task task = model.stored.core->task();
  if (!ml::IsSupervised(task))
    throw Error(ErrorCode::kNotSupported,
                fmt::format("ML.PERMUTATION_IMPORTANCE is not for {}", model.stored.core->kind()),
                "it is for regressions and classifiers");
  const ml::OptionReader settings(options);
  const Metric& metric = MetricOf(task, settings);
  const int64_t repeats = IntegerBetween(settings, "num_repeats", 1, 1000, 5);
  const int64_t seed = settings.Integer("seed", 0, 0);
  const std::vector<std::string> dealt = ReadColumns(model, rows);
  std::string names;
  for (size_t i = 0; i < dealt.size(); ++i)
    names += fmt::format("{}({}, {})", i == 0 ? "" : ", ", i + 1, QuoteString(dealt[i]));

  MappedText text;
  text.Append("(WITH __given AS MATERIALIZED (SELECT *, row_number() OVER () AS __id FROM ");
  text.Append(rows.sql);
  text.Append(fmt::format(" AS __braid_row WHERE __braid_row.{} IS NOT NULL), ",
                          QuoteIdentifier(model.stored.projection.label)));
  text.Append(fmt::format(
      "__deal AS MATERIALIZED (SELECT __repeat, __id AS __to, row_number() OVER (PARTITION BY "
      "__repeat ORDER BY hash(__id, __repeat, {}), __id) AS __from FROM __given, (SELECT "
      "unnest(range({})) AS __repeat)), ",
      seed, repeats));
  // Feature 0 is nothing: the rows as they are.
  text.Append(fmt::format(
      "__dealt AS (SELECT __feature, __repeat{} FROM __deal JOIN __given AS __own ON __own.__id = "
      "__to JOIN __given AS __other ON __other.__id = __from, (SELECT unnest(range({})) AS "
      "__feature) WHERE __feature > 0 OR __repeat = 0), ",
      DealtColumns(rows, dealt), dealt.size() + 1));
  text.Append(
      fmt::format("__answers AS (SELECT __feature, __repeat, {} FROM __dealt AS __braid_row), ",
                  Answers(model)));
  text.Append(fmt::format(
      "__m AS MATERIALIZED (SELECT __feature, __repeat, {} AS m FROM {} GROUP BY ALL), ",
      metric.sql,
      model.stored.is_classification()
          ? "(SELECT __feature, __repeat, __y, CAST(__a.label AS VARCHAR) AS __yhat, "
            "CAST(__a.probs "
            "AS STRUCT(label VARCHAR, prob DOUBLE)[]) AS __probs FROM __answers)"
          : "__answers"));
  text.Append(fmt::format(
      "__names(__feature, feature) AS (VALUES {}) SELECT feature, '{}' AS metric, {}avg((SELECT m "
      "FROM __m WHERE __feature = 0) - m) AS importance, stddev_samp(m) / sqrt(count(m)) AS "
      "standard_error FROM __names JOIN __m USING (__feature) GROUP BY __feature, feature ORDER BY "
      "importance DESC, feature)",
      names, metric.name, metric.is_loss ? "-" : ""));
  return text;
}

}  // namespace braid::session
