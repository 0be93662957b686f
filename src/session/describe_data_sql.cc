// SPDX-License-Identifier: Apache-2.0
// ML.DESCRIBE_DATA: one row for each column, all numbers from one scan, each text and list from one
// of its own.
#include <fmt/format.h>

#include <array>
#include <map>

#include "ml/option_reader.h"
#include "session/feature_sql.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

using syntax::MappedText;

struct Shape {
  int64_t quantiles;
  int64_t length_quantiles;
  int64_t top;
};

constexpr std::array<std::pair<const char*, const char*>, 20> kColumns = {
    {{"name", "VARCHAR"},
     {"num_rows", "BIGINT"},
     {"num_nulls", "BIGINT"},
     {"num_zeros", "BIGINT"},
     {"min", "VARCHAR"},
     {"max", "VARCHAR"},
     {"mean", "DOUBLE"},
     {"stdev", "DOUBLE"},
     {"median", "DOUBLE"},
     {"quantiles", "DOUBLE[]"},
     {"unique", "BIGINT"},
     {"avg_string_length", "DOUBLE"},
     {"num_values", "BIGINT"},
     {"top_values", "STRUCT(\"value\" VARCHAR, count BIGINT)[]"},
     {"min_array_length", "BIGINT"},
     {"max_array_length", "BIGINT"},
     {"avg_array_length", "DOUBLE"},
     {"total_array_length", "BIGINT"},
     {"array_length_quantiles", "BIGINT[]"},
     {"dimension", "BIGINT"}}};

// The values that parts 0, 1/n, … of the others are below: n + 1 of them.
std::string QuantilesSql(const std::string& value, int64_t count) {
  return fmt::format("quantile_disc({0}, [i / CAST({1} AS DOUBLE) FOR i IN range({2})])", value,
                     count, count + 1);
}

using Cells = std::map<std::string, std::string>;

// A SELECT of all columns; those without a cell are NULL.
std::string RowSql(const Cells& cells, const std::string& from) {
  std::string list;
  for (const auto& [name, type] : kColumns) {
    const auto cell = cells.find(name);
    list += fmt::format("{}CAST({} AS {}) AS {}", list.empty() ? "" : ", ",
                        cell == cells.end() ? "NULL" : cell->second, type,
                        syntax::QuoteIdentifier(name));
  }
  return fmt::format("SELECT {} FROM {}", list, from);
}

// Aggregates over numbers; `value` is DOUBLE, `shown` what minimum and maximum are shown as.
Cells NumberCells(const std::string& value, const std::string& shown, const Shape& shape) {
  const std::string finite = fmt::format("CASE WHEN isfinite({0}) THEN {0} END", value);
  return {{"num_zeros", fmt::format("count(*) FILTER ({} = 0)", value)},
          {"min", fmt::format("min({}) FILTER (isfinite({}))", shown, value)},
          {"max", fmt::format("max({}) FILTER (isfinite({}))", shown, value)},
          {"mean", fmt::format("avg({})", finite)},
          {"stdev", fmt::format("stddev_samp({})", finite)},
          {"median", fmt::format("median({})", finite)},
          {"quantiles", QuantilesSql(finite, shape.quantiles)},
          {"num_values", fmt::format("count({})", value)}};
}

// Over __g, the different values v and how often each occurs, n.
Cells CategoryCells(const Shape& shape) {
  return {
      {"min", "min(v)"},
      {"max", "max(v)"},
      {"unique", "count(v)"},
      {"avg_string_length",
       "sum(length(v) * n) FILTER (v IS NOT NULL) / sum(n) FILTER (v IS NOT NULL)"},
      {"num_values", "coalesce(sum(n) FILTER (v IS NOT NULL), 0)"},
      {"top_values",
       fmt::format("(SELECT list({{'value': v, 'count': n}} ORDER BY n DESC, v) FROM (SELECT v, "
                   "n FROM __g WHERE v IS NOT NULL ORDER BY n DESC, v LIMIT {}))",
                   shape.top)}};
}

std::string GroupedSql(const std::string& name, const FeatureColumn& column,
                       const std::string& rows, const Shape& shape, Cells cells) {
  cells.merge(CategoryCells(shape));
  cells["name"] = name;
  return fmt::format(
      "(WITH __g AS MATERIALIZED (SELECT v, count(*) AS n FROM (SELECT {} AS v FROM "
      "{}) GROUP BY v) {})",
      column.value, rows, RowSql(cells, "__g"));
}

// The columns of lists, from the lengths in __lengths(l).
Cells LengthCells(const Shape& shape) {
  const auto of = [](const std::string& aggregate) {
    return fmt::format("(SELECT {} FROM __lengths)", aggregate);
  };
  return {{"num_rows", of("count(*)")},
          {"num_nulls", of("count(*) - count(l)")},
          {"min_array_length", of("min(l)")},
          {"max_array_length", of("max(l)")},
          {"avg_array_length", of("avg(l)")},
          {"total_array_length", of("coalesce(sum(l), 0)")},
          {"array_length_quantiles", of(QuantilesSql("l", shape.length_quantiles))}};
}

std::string ListSql(const std::string& name, const FeatureColumn& column, const Shape& shape) {
  Cells cells = LengthCells(shape);
  std::string row;
  if (column.kind == FeatureKind::kCategories) {
    row = GroupedSql(name, column, kRows, shape, std::move(cells));
  } else {
    cells.merge(NumberCells("v", "v", shape));
    cells["name"] = name;
    if (column.kind == FeatureKind::kSparse)
      cells["dimension"] =
          fmt::format("(SELECT max(i) + 1 FROM (SELECT {} AS i FROM {}))", column.index, kRows);
    row = RowSql(cells, fmt::format("(SELECT {} AS v FROM {})", column.value, kRows));
  }
  return fmt::format("(WITH __lengths AS MATERIALIZED (SELECT len({}) AS l FROM {}) FROM ({}))",
                     column.expression, kRows, row);
}

}  // namespace

MappedText DescribeDataSql(const GivenRows& rows, const std::vector<Option>& settings) {
  const ml::OptionReader reader(settings);
  const Shape shape{
      .quantiles = IntegerBetween(reader, "num_quantiles", 1, 100'000, 2),
      .length_quantiles = IntegerBetween(reader, "num_array_length_quantiles", 1, 100'000, 10),
      .top = IntegerBetween(reader, "top_k", 1, 10'000, 1)};
  const std::vector<FeatureColumn> columns = FeatureColumns(rows.columns);
  std::string numbers;
  std::string list;
  for (size_t i = 0; i < columns.size(); ++i) {
    const FeatureColumn& column = columns[i];
    const std::string name = syntax::QuoteString(column.name);
    std::string row;
    if (column.kind == FeatureKind::kNumber) {
      Cells cells = NumberCells(column.value, column.expression, shape);
      cells["num_rows"] = "count(*)";
      cells["num_nulls"] = fmt::format("count(*) - count({})", column.expression);
      Cells taken = {{"name", name}};
      std::string fields;
      for (const auto& [cell, sql] : cells) {
        fields += fmt::format("{}'{}': {}", fields.empty() ? "" : ", ", cell, sql);
        taken[cell] = fmt::format("s{}.\"{}\"", i, cell);
      }
      numbers += fmt::format("{}{{{}}} AS s{}", numbers.empty() ? "" : ", ", fields, i);
      row = RowSql(taken, "__numbers");
    } else if (column.kind == FeatureKind::kCategory) {
      row = GroupedSql(name, column, kRows, shape,
                       {{"num_rows", "coalesce(sum(n), 0)"},
                        {"num_nulls", "coalesce(sum(n) FILTER (v IS NULL), 0)"}});
    } else {
      row = ListSql(name, column, shape);
    }
    list += fmt::format("{}SELECT {} AS __position, * FROM ({})", list.empty() ? "" : " UNION ALL ",
                        i, row);
  }
  return OverRowsSql(
      rows, numbers,
      fmt::format("SELECT * EXCLUDE (__position) FROM ({}) ORDER BY __position", list));
}

}  // namespace braid::session
