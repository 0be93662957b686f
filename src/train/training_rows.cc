// SPDX-License-Identifier: Apache-2.0
#include "train/training_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "engine/result.h"
#include "session/scoring.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::train {

namespace {

using session::ProjectedInput;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

// `path` is SQL over __braid_row.
void AddInput(const std::string& name, const std::string& path, const std::string& type,
              std::vector<ProjectedInput>& inputs);

// BigQuery ML takes a time stamp apart: the epoch, and calendar parts as categories.
void AddTimestamp(const std::string& name, const std::string& path, bool zoned,
                  std::vector<ProjectedInput>& inputs) {
  const std::string utc = zoned ? fmt::format("timezone('UTC', {})", path) : path;
  inputs.push_back({name, fmt::format("epoch({})", path), false});
  static constexpr std::array<std::pair<const char*, const char*>, 7> kParts = {
      {{"_TS_DOM_", "day"},
       {"_TS_DOW_", "dow"},
       {"_TS_MOY_", "month"},
       {"_TS_HOD_", "hour"},
       {"_TS_MOH_", "minute"},
       {"_TS_WOY_", "week"},
       {"_TS_YEAR_", "year"}}};
  for (const auto& [prefix, part] : kParts)
    inputs.push_back({prefix + name, fmt::format("date_part('{}', {})", part, utc), true});
}

void AddInput(const std::string& name, const std::string& path, const std::string& type,
              std::vector<ProjectedInput>& inputs) {
  if (IsNumeric(type)) {
    inputs.push_back({name, path, false});
  } else if (type.ends_with("]") || type.starts_with("MAP") || type.starts_with("UNION") ||
             type == "BLOB" || type == "BIT" || type == "INTERVAL") {
    throw Error(
        ErrorCode::kTrainingData,
        fmt::format("A column's type cannot be an input: {} {}", name, type),
        "leave the column out of the training query, or turn it into numbers or text there");
  } else if (type.starts_with("STRUCT")) {
    for (const lake::Column& field : session::StructFields(type))
      AddInput(name + "_" + field.name, path + "." + QuoteIdentifier(field.name), field.type,
               inputs);
  } else if (type.starts_with("TIMESTAMP")) {
    AddTimestamp(name, path, type.ends_with("TIME ZONE") || type == "TIMESTAMPTZ", inputs);
  } else {
    inputs.push_back({name, path, true});
  }
}

constexpr std::string_view kTable = "temp.main.__braid_training";

// Whether the query gives the same rows each time, as far as its words tell: it takes no sample, no
// first rows, and calls nothing volatile. (Predictions are volatile for DuckDB alone.)
bool GivesTheSameAgain(engine::Connection& connection, const std::string& query) {
  std::string called;
  const std::vector<syntax::Token> tokens = syntax::Lex(query, "");
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    for (const char* word : {"limit", "offset", "fetch", "sample", "tablesample", "any_value"})
      if (tokens[i].Is(word)) return false;
    if (!tokens[i].IsName() || !tokens[i + 1].Is("(")) continue;
    const std::string name = ToLower(syntax::NameOf(tokens[i]));
    if (!session::IsScoringFunction(name))
      called += (called.empty() ? "" : ", ") + QuoteString(name);
  }
  if (called.empty()) return true;
  return connection
             .Scalar(fmt::format(
                 "SELECT count(*) FROM duckdb_functions() WHERE lower(function_name) IN "
                 "({}) AND (stability = 'VOLATILE' OR function_type LIKE '%macro')",
                 called))
             .get<int64_t>() == 0;
}

}  // namespace

std::vector<ProjectedInput> InputsOf(const std::string& name, const std::string& expression,
                                     const std::string& type) {
  std::vector<ProjectedInput> inputs;
  AddInput(name, expression, type, inputs);
  return inputs;
}

std::vector<ProjectedInput> MakeInputs(const std::vector<lake::Column>& columns,
                                       const std::string& label, const ml::ModelOptions& options) {
  std::vector<ProjectedInput> inputs;
  for (const lake::Column& column : columns) {
    if (EqualsIgnoringCase(column.name, label)) continue;
    if (options.data_split_col && EqualsIgnoringCase(column.name, *options.data_split_col))
      continue;
    if (options.instance_weight_col &&
        EqualsIgnoringCase(column.name, *options.instance_weight_col))
      continue;
    if (options.mark_col && EqualsIgnoringCase(column.name, *options.mark_col)) continue;
    AddInput(column.name, "__braid_row." + QuoteIdentifier(column.name), column.type, inputs);
  }
  if (inputs.empty())
    throw Error(ErrorCode::kTrainingData, "The training query gives no input beside the label",
                "select at least one more column");
  return inputs;
}

const lake::Column& FindColumn(const std::vector<lake::Column>& columns, const std::string& wanted,
                               std::string_view what, const std::string& otherwise) {
  std::vector<std::string> names;
  for (const lake::Column& column : columns) {
    if (EqualsIgnoringCase(column.name, wanted)) return column;
    names.push_back(column.name);
  }
  const auto close = ClosestMatch(wanted, names);
  throw Error(ErrorCode::kTrainingData,
              fmt::format("The training query gives no {}: {}", what, wanted),
              close ? fmt::format("did you mean {}?", *close) : otherwise);
}

std::vector<ProjectedInput> NamedInputs(const std::vector<lake::Column>& columns,
                                        const std::vector<std::string>& names) {
  std::vector<ProjectedInput> inputs;
  for (const std::string& wanted : names) {
    const lake::Column& column = FindColumn(columns, wanted);
    inputs.push_back(
        {column.name, "__braid_row." + QuoteIdentifier(column.name), true, column.type});
  }
  return inputs;
}

TrainingRows::TrainingRows(engine::Connection& connection, const std::string& query,
                           const ml::ModelOptions& options, RowAccess access)
    : connection_(connection), query_(query) {
  const bool by_order = options.data_split_method == ml::DataSplitMethod::kSeq;
  const bool by_column = by_order || options.data_split_method == ml::DataSplitMethod::kCustom;
  if (by_column && !options.data_split_col)
    throw Error(ErrorCode::kInvalidOption, "DATA_SPLIT_COL is missing",
                "name the column that decides the split");
  // A row falls to either side by its content, wherever it stands: the same rows split the same way
  // again.
  std::string columns;
  for (const std::string& name : connection_.DescribeStatement(query).column_names)
    columns += "__braid_row." + QuoteIdentifier(name) + ", ";
  draw_ = fmt::format("CAST(hash({}{}) % 1000000000 AS DOUBLE) / 1e9", columns, options.seed);
  if (access == RowAccess::kKept || by_order || !GivesTheSameAgain(connection_, query))
    Keep(query, options);
  if (options.tunes)
    SplitInThree(options);
  else
    held_out_ = Predicate(options);
}

void TrainingRows::Keep(const std::string& query, const ml::ModelOptions& options) {
  std::string extra;
  if (options.data_split_method == ml::DataSplitMethod::kSeq) {
    // What is equal in order stays together; NULL is held out, as BigQuery ML does.
    extra = fmt::format(", rank() OVER (ORDER BY __braid_row.{} DESC NULLS FIRST) AS __braid_rank",
                        QuoteIdentifier(*options.data_split_col));
    helpers_ = "__braid_rank";
  } else if (options.data_split_method != ml::DataSplitMethod::kNoSplit &&
             options.data_split_method != ml::DataSplitMethod::kCustom) {
    extra = fmt::format(", {} AS __braid_draw", draw_);
    helpers_ = "__braid_draw";
    draw_ = "__braid_row.__braid_draw";
  }
  connection_.Execute(
      fmt::format("CREATE OR REPLACE TEMP TABLE __braid_training AS SELECT *{} FROM (\n{}\n) AS "
                  "__braid_row",
                  extra, query));
  is_kept_ = true;
}

TrainingRows::~TrainingRows() {
  if (!is_kept_) return;
  try {
    connection_.Execute(fmt::format("DROP TABLE IF EXISTS {}", kTable));
  } catch (...) {
    // The transaction is broken; the table goes with the connection.
  }
}

int64_t TrainingRows::count() const {
  if (count_ < 0)
    count_ = connection_
                 .Scalar(is_kept_ ? fmt::format("SELECT count(*) FROM {}", kTable)
                                  : fmt::format("SELECT count(*) FROM (\n{}\n)", query_))
                 .get<int64_t>();
  return count_;
}

std::string TrainingRows::Predicate(const ml::ModelOptions& options) const {
  switch (options.data_split_method) {
    case ml::DataSplitMethod::kNoSplit:
      return "";
    case ml::DataSplitMethod::kCustom:
      return fmt::format("coalesce(CAST(__braid_row.{} AS BOOLEAN), TRUE)",
                         QuoteIdentifier(*options.data_split_col));
    case ml::DataSplitMethod::kSeq:
      return fmt::format(
          "__braid_row.__braid_rank <= {}",
          static_cast<int64_t>(static_cast<double>(count()) * options.data_split_eval_fraction));
    case ml::DataSplitMethod::kRandom:
      return fmt::format("{} < {}", draw_, options.data_split_eval_fraction);
    case ml::DataSplitMethod::kAutoSplit:
      break;
  }
  const auto rows = static_cast<double>(count());
  if (rows < 500) return "";
  return fmt::format("{} < {}", draw_, rows <= 50'000 ? 0.2 : 10'000 / rows);
}

// BigQuery ML's split of tuned models: with SEQ the last rows are the test rows, those before them
// the evaluation rows.
void TrainingRows::SplitInThree(const ml::ModelOptions& options) {
  if (options.data_split_method == ml::DataSplitMethod::kNoSplit) return;
  if (options.data_split_method == ml::DataSplitMethod::kCustom) {
    const std::string column =
        fmt::format("CAST(__braid_row.{} AS VARCHAR)", QuoteIdentifier(*options.data_split_col));
    CheckParts(column);
    held_out_ = fmt::format("upper({}) = 'EVAL'", column);
    test_ = fmt::format("upper({}) = 'TEST'", column);
    return;
  }
  const auto rows = static_cast<double>(count());
  double evaluation = options.data_split_eval_fraction;
  double test = options.data_split_test_fraction;
  if (options.data_split_method == ml::DataSplitMethod::kAutoSplit) {
    if (rows < 500) return;
    evaluation = test = 0.1;
  }
  const bool by_order = options.data_split_method == ml::DataSplitMethod::kSeq;
  const std::string at = by_order ? "__braid_row.__braid_rank" : draw_;
  const auto below = [&](double share) {
    return by_order ? fmt::format("{} <= {}", at, static_cast<int64_t>(rows * share))
                    : fmt::format("{} < {}", at, share);
  };
  if (evaluation > 0)
    held_out_ = fmt::format("{} AND NOT {}", below(test + evaluation), below(test));
  if (test > 0) test_ = below(test);
}

void TrainingRows::CheckParts(const std::string& column) const {
  const auto other = connection_.Scalar(fmt::format(
      "SELECT coalesce({0}, 'NULL') FROM {1} AS __braid_row WHERE {0} IS NULL OR upper({0}) NOT IN "
      "('TRAIN', 'EVAL', 'TEST') LIMIT 1",
      column, Select("")));
  if (!other.is_null())
    throw Error(ErrorCode::kTrainingData,
                "DATA_SPLIT_COL of a tuned model holds another value than TRAIN, EVAL or TEST: " +
                    other.get<std::string>(),
                "give each row one of the three texts");
}

std::string TrainingRows::Select(const std::string& condition) const {
  return fmt::format("(SELECT *{} FROM {} AS __braid_row{}{})",
                     helpers_.empty() ? "" : " EXCLUDE (" + helpers_ + ")",
                     is_kept_ ? std::string(kTable) : "(\n" + query_ + "\n)",
                     condition.empty() ? "" : " WHERE ", condition);
}

namespace {

// Neither of two conditions, each of which may be empty.
std::string Neither(const std::string& one, const std::string& other) {
  std::string condition;
  for (const std::string& each : {one, other})
    if (!each.empty()) condition += (condition.empty() ? "NOT (" : " AND NOT (") + each + ")";
  return condition;
}

}  // namespace

std::string TrainingRows::TrainingQuery() const { return Select(Neither(held_out_, test_)); }
std::string TrainingRows::EvaluationQuery() const { return Select(held_out_); }
std::string TrainingRows::AllQuery() const { return Select(""); }
std::string TrainingRows::TestQuery() const { return Select(test_.empty() ? held_out_ : test_); }
std::string TrainingRows::SeenQuery() const { return Select(Neither(test_, "")); }

RowParts TrainingRows::Fold(size_t fold, size_t folds) const {
  // A hash of the draw: the draw itself decides on the test rows.
  const std::string at = fmt::format("hash({}, 'fold') % {}", draw_, folds);
  const std::string seen = test_.empty() ? "" : fmt::format("NOT ({}) AND ", test_);
  return {.training = Select(fmt::format("{}{} <> {}", seen, at, fold)),
          .evaluation = Select(fmt::format("{}{} = {}", seen, at, fold)),
          .is_split = true};
}

void QueryRows::Scan(const std::function<void(const Batch&)>& visit) {
  engine::Result result = connection_.Query(sql_);
  while (const std::optional<engine::Chunk> chunk = result.Next()) visit(chunk->AsBatch());
}

}  // namespace braid::train
