// SPDX-License-Identifier: Apache-2.0
#include "serve/row_independence.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/text.h"
#include "session/scoring.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

// Words that make rows depend on each other, on their order, or on when they are asked.
constexpr std::string_view kObstacles[] = {"group",          "having",
                                           "order",          "limit",
                                           "offset",         "fetch",
                                           "distinct",       "union",
                                           "intersect",      "except",
                                           "qualify",        "window",
                                           "over",           "recursive",
                                           "pivot",          "unpivot",
                                           "pivot_wider",    "pivot_longer",
                                           "asof",           "positional",
                                           "sample",         "tablesample",
                                           "columns",        "describe",
                                           "summarize",      "show",
                                           "current_date",   "current_time",
                                           "localtime",      "rowid",
                                           "current_user",   "session_user",
                                           "localtimestamp", "current_timestamp"};

// Words that may stand before a parenthesis without being a function.
constexpr std::string_view kNoFunctions[] = {
    "all",     "and",    "any",       "array",    "as",     "between",  "bigint",       "bit",
    "boolean", "by",     "case",      "cast",     "char",   "coalesce", "dec",          "decimal",
    "double",  "else",   "end",       "exclude",  "exists", "extract",  "false",        "float",
    "from",    "glob",   "hugeint",   "ilike",    "in",     "int",      "integer",      "interval",
    "is",      "join",   "lambda",    "lateral",  "like",   "map",      "materialized", "not",
    "null",    "nullif", "numeric",   "on",       "or",     "overlay",  "position",     "real",
    "replace", "row",    "select",    "smallint", "some",   "struct",   "substring",    "text",
    "then",    "time",   "timestamp", "tinyint",  "to",     "trim",     "true",         "try_cast",
    "using",   "values", "varchar",   "when",     "where",  "with"};

template <size_t size>
bool Contains(const std::string_view (&words)[size], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// Predictions are volatile for DuckDB, which would fold them into the plan otherwise.
bool IsPrediction(std::string_view name) { return session::IsScoringFunction(name); }

}  // namespace

RowIndependence::RowIndependence(engine::Connection& connection) {
  engine::Result result = connection.Query(
      "SELECT lower(function_name), bool_and(function_type = 'macro' OR (function_type = 'scalar' "
      "AND "
      "stability IS NOT DISTINCT FROM 'CONSISTENT')), "
      "coalesce(string_agg(macro_definition, '; ') FILTER (function_type = 'macro'), '') "
      "FROM duckdb_functions() GROUP BY ALL");
  while (const auto chunk = result.Next())
    for (size_t row = 0; row < chunk->rows(); ++row)
      functions_.emplace(
          chunk->Value(0, row).get<std::string>(),
          Function{chunk->Value(1, row).get<bool>(), chunk->Value(2, row).get<std::string>()});
}

std::string RowIndependence::Obstacle(std::string_view query) {
  const std::vector<syntax::Token> tokens = syntax::Lex(query, "");
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    const syntax::Token& token = tokens[i];
    if (!token.IsName()) continue;
    const bool is_word = token.kind == syntax::TokenKind::kWord;
    const std::string name = ToLower(is_word ? std::string(token.text) : NameOf(token));
    if (is_word && Contains(kObstacles, name)) return ToUpper(name);
    if (!tokens[i + 1].Is("(") || (is_word && Contains(kNoFunctions, name))) continue;
    if (!MayBeCalled(name)) return name + "(…)";
  }
  return "";
}

bool RowIndependence::MayBeCalled(const std::string& name) {
  if (IsPrediction(name)) return true;
  const auto found = functions_.find(name);
  if (found == functions_.end() || !found->second.is_pure) return false;
  if (found->second.definition.empty()) return true;
  const auto [macro, is_new] = macros_.emplace(name, false);
  if (is_new) macro->second = Obstacle(found->second.definition).empty();
  return macro->second;
}

}  // namespace braid::serve
