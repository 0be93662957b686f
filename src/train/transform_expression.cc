// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "catalog/place.h"
#include "syntax/format.h"
#include "syntax/token.h"
#include "train/transform_expression_internal.h"

namespace braid::train {

namespace {

using nlohmann::json;
using syntax::MappedText;

constexpr std::string_view kSelect = "SELECT ";

std::string_view TextOf(const json& node, const char* member) {
  const auto found = node.find(member);
  return found != node.end() && found->is_string()
             ? std::string_view(found->get_ref<const std::string&>())
             : std::string_view();
}

// Walks the engine's own tree of an expression.
class Inspection {
 public:
  Inspection(engine::Connection& connection, std::string_view text, const MappedText& sql,
             const std::vector<std::string>& columns)
      : connection_(connection), text_(text), sql_(sql), columns_(columns) {}

  // Where columns stand, ascending.
  std::vector<size_t> Columns() {
    const std::string tree =
        connection_
            .Scalar(fmt::format("SELECT json_serialize_sql({})", syntax::QuoteString(sql_.text())))
            .get<std::string>();
    const json parsed = json::parse(tree);
    if (parsed.at("error").get<bool>()) {
      try {
        connection_.DescribeStatement(sql_.text());
      } catch (const Error& error) {
        throw PlacedIn(text_, sql_, error);
      }
      throw Error(ErrorCode::kSyntax, "The expression cannot be read", "",
                  SpotAt(text_, sql_.OriginalOffset(0), ""));
    }
    const json& list = parsed.at("statements").at(0).at("node").at("select_list");
    CollectParameters(list);
    Visit(list);
    RefuseFunctions();
    std::sort(found_.begin(), found_.end());
    return found_;
  }

 private:
  [[noreturn]] void Fail(size_t position, const Error& error) const {
    throw PlacedIn(text_, sql_, error.At(SpotAt(sql_.text(), position, "")));
  }
  static size_t PositionOf(const json& node) {
    const auto found = node.find("query_location");
    return found != node.end() && found->is_number_unsigned() ? found->get<size_t>() : 0;
  }

  void CollectParameters(const json& node) {
    if (TextOf(node, "class") == "LAMBDA") {
      const json& left = node.at("lhs");
      AddParameter(left);
      if (left.contains("children"))
        for (const json& name : left.at("children")) AddParameter(name);
    }
    for (const json& member : node)
      if (member.is_structured()) CollectParameters(member);
  }
  void AddParameter(const json& name) {
    if (TextOf(name, "class") == "COLUMN_REF")
      parameters_.push_back(name.at("column_names").back().get<std::string>());
  }

  void Visit(const json& node) {
    const std::string_view kind = TextOf(node, "class");
    if (kind == "SUBQUERY" || kind == "WINDOW" || kind == "STAR") {
      const char* what = kind == "SUBQUERY" ? "A subquery"
                         : kind == "WINDOW" ? "A window function"
                                            : "COLUMNS";
      Fail(PositionOf(node),
           Error(ErrorCode::kNotSupported, fmt::format("{} cannot stand in TRANSFORM", what),
                 "a transformed row is computed from itself and frozen statistics: compute the "
                 "rest in the training query"));
    }
    if (kind == "FUNCTION")
      functions_.emplace(ToLower(TextOf(node, "function_name")), PositionOf(node));
    if (kind == "COLUMN_REF") AddColumn(node);
    for (const json& member : node)
      if (member.is_structured()) Visit(member);
  }

  static bool Has(const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& known) { return EqualsIgnoringCase(known, name); });
  }

  void AddColumn(const json& reference) {
    const auto name = reference.at("column_names").front().get<std::string>();
    if (Has(parameters_, name)) return;
    if (!Has(columns_, name)) {
      const auto close = ClosestMatch(name, columns_);
      Fail(PositionOf(reference),
           Error(ErrorCode::kBinder, "The training query gives no column: " + name,
                 close ? fmt::format("did you mean {}?", *close)
                       : fmt::format("its columns are {}", fmt::join(columns_, ", "))));
    }
    found_.push_back(PositionOf(reference));
  }

  void RefuseFunctions() {
    if (functions_.empty()) return;
    std::string names;
    for (const auto& [name, position] : functions_)
      names += (names.empty() ? "" : ", ") + syntax::QuoteString(name);
    for (const auto& row : connection_.Rows(fmt::format(
             "SELECT lower(function_name), CASE WHEN bool_and(function_type = 'aggregate') THEN "
             "'An "
             "aggregate' WHEN bool_or(function_type LIKE '%macro' AND NOT internal) THEN 'A macro' "
             "WHEN bool_or(stability = 'VOLATILE') THEN 'A function whose answers change' END AS "
             "what FROM duckdb_functions() WHERE lower(function_name) IN ({}) GROUP BY 1 HAVING "
             "what IS NOT NULL ORDER BY 1",
             names))) {
      const auto name = row[0].get<std::string>();
      Fail(functions_.find(name)->second,
           Error(ErrorCode::kNotSupported,
                 fmt::format("{} cannot stand in TRANSFORM: {}", row[1].get<std::string>(), name),
                 "a transformed row is computed from itself and frozen statistics: compute the "
                 "rest in the training query"));
    }
  }

  engine::Connection& connection_;
  std::string_view text_;
  const MappedText& sql_;
  const std::vector<std::string>& columns_;
  std::vector<std::string> parameters_;  // of lambdas
  std::map<std::string, size_t> functions_;
  std::vector<size_t> found_;
};

}  // namespace

Error PlacedIn(std::string_view text, const MappedText& sql, const Error& error) {
  const size_t position =
      error.where() ? catalog::OffsetOf(sql.text(), *error.where()) : sql.text().size();
  return {error.code(), error.message(), error.hint(),
          SpotAt(text, sql.OriginalOffset(position), "")};
}

MappedText OverRow(engine::Connection& connection, std::string_view text,
                   const MappedText& expression, const std::vector<std::string>& columns) {
  MappedText sql;
  sql.Append(kSelect);
  sql.Append(expression);
  const std::vector<size_t> positions = Inspection(connection, text, sql, columns).Columns();
  MappedText qualified = expression;
  for (auto at = positions.rbegin(); at != positions.rend(); ++at)
    qualified.Insert(*at - kSelect.size(), "__braid_row.");
  return qualified;
}

}  // namespace braid::train
