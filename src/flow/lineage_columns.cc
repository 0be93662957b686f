// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "flow/lineage_columns_internal.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

using nlohmann::json;

// t(a, b): new names in order. Where the order is not known, any column may be any other.
void Rename(OutputColumns& rows, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (rows.open.empty()) {
    for (size_t i = 0; i < std::min(names.size(), rows.named.size()); ++i)
      rows.named[i].name = names[i];
    return;
  }
  Origins all;
  AddAll(rows, all);
  Origins renamed;
  for (Origin origin : all) {
    origin.renamed = true;
    renamed.insert(std::move(origin));
  }
  rows.named.clear();
  for (const std::string& name : names) rows.named.push_back({name, renamed});
  rows.open = renamed;
}

}  // namespace

OutputColumns ColumnTracer::Query(const Json& holder, const Scope* outer) {
  const Json* node = Find(holder, "node");
  return node == nullptr ? OutputColumns{} : Node(*node, outer);
}

OutputColumns ColumnTracer::Node(const Json& node, const Scope* outer) {
  const size_t visible = common_tables_.size();
  AddCommonTables(node, outer);
  OutputColumns rows;
  const std::string_view type = TextOf(node, "type");
  if (type == "SELECT_NODE") {
    rows = SelectNode(node, outer);
  } else if (type == "SET_OPERATION_NODE" || type == "RECURSIVE_CTE_NODE") {
    rows = SetOperation(node, outer);
  }
  common_tables_.resize(visible);
  return rows;
}

void ColumnTracer::AddCommonTables(const Json& node, const Scope* outer) {
  const Json* common = Find(node, "cte_map");
  const Json* entries = common == nullptr ? nullptr : Find(*common, "map");
  if (entries == nullptr) return;
  for (const Json& entry : *entries) {
    const Json& value = entry.at("value");
    OutputColumns rows = Query(value.at("query"), outer);
    Rename(rows, Names(value, "aliases"));
    common_tables_.emplace_back(ToLower(TextOf(entry, "key")),
                                std::make_shared<const OutputColumns>(std::move(rows)));
  }
}

OutputColumns ColumnTracer::SelectNode(const Json& node, const Scope* outer) {
  Scope scope{outer, {}, {}};
  if (const Json* from = Find(node, "from_table")) AddRelations(*from, scope);
  OutputColumns output;
  if (const Json* items = Find(node, "select_list"))
    for (const Json& item : *items) AddSelected(item, scope, output);
  return output;
}

OutputColumns ColumnTracer::SetOperation(const Json& node, const Scope* outer) {
  OutputColumns left = Node(node.at("left"), outer);
  const bool recursive = TextOf(node, "type") == "RECURSIVE_CTE_NODE";
  if (recursive)
    common_tables_.emplace_back(ToLower(TextOf(node, "cte_name")),
                                std::make_shared<const OutputColumns>(left));
  OutputColumns right = Node(node.at("right"), outer);
  const std::string_view kind = TextOf(node, "setop_type");
  // EXCEPT and INTERSECT give rows of their first half.
  if (!recursive && !kind.starts_with("UNION")) return left;
  const bool by_name = kind == "UNION_BY_NAME";
  const bool by_position = !by_name && left.open.empty() && right.open.empty();
  for (size_t i = 0; i < right.named.size(); ++i) {
    const OutputColumn& column = right.named[i];
    if (by_position && i < left.named.size()) {
      left.named[i].origins.insert(column.origins.begin(), column.origins.end());
    } else if (by_name || FindColumn(left.named, column.name) != nullptr) {
      AddColumn(left, column.name, column.origins);
    } else {
      left.open.insert(column.origins.begin(), column.origins.end());
    }
  }
  left.open.insert(right.open.begin(), right.open.end());
  return left;
}

void ColumnTracer::AddRelations(const Json& from, Scope& scope) {
  const std::string_view type = TextOf(from, "type");
  if (type == "JOIN") {
    if (const Json* left = Find(from, "left")) AddRelations(*left, scope);
    if (const Json* right = Find(from, "right")) AddRelations(*right, scope);
    return;
  }
  Relation relation;
  relation.alias = ToLower(TextOf(from, "alias"));
  if (type == "BASE_TABLE") {
    relation.schema = ToLower(TextOf(from, "schema_name"));
    relation.table = ToLower(TextOf(from, "table_name"));
    if (relation.alias.empty()) relation.alias = relation.table;
    relation.rows = Table(from);
  } else if (type == "SUBQUERY") {
    relation.rows = Query(from.at("subquery"), &scope);
  } else if (type == "TABLE_FUNCTION") {
    relation.rows = Function(from.at("function"), scope);
    if (relation.alias.empty())
      relation.alias = ToLower(TextOf(from.at("function"), "function_name"));
  } else if (type == "EXPRESSION_LIST") {
    relation.rows = Values(from, scope);
  } else if (type == "PIVOT") {
    Scope source{scope.outer, {}, {}};
    AddRelations(from.at("source"), source);
    for (const Relation& part : source.relations) {
      Origins all;
      AddAll(part.rows, all);
      for (const Origin& origin : all)
        relation.rows.open.insert({origin.node, std::nullopt, origin.kind, true});
    }
  }
  Rename(relation.rows, Names(from, "column_name_alias"));
  scope.relations.push_back(std::move(relation));
}

OutputColumns ColumnTracer::Table(const Json& table) const {
  const std::string name = ToLower(TextOf(table, "table_name"));
  const bool bare = TextOf(table, "schema_name").empty() && TextOf(table, "catalog_name").empty();
  const bool recurring = EqualsIgnoringCase(TextOf(table, "schema_name"), "recurring");
  if (bare || recurring)
    for (size_t i = common_tables_.size(); i-- > 0;)
      if (common_tables_[i].first == name) return *common_tables_[i].second;
  if (bare && request_ && name == "request") return {};
  const auto key = TableKeyOf(table);
  if (!key) {
    if (bare && IsFileName(name)) return {{}, {{std::string(TextOf(table, "table_name")), {}}}};
    return {};
  }
  OutputColumns rows;
  for (const std::string& column : columns_ ? columns_(*key) : std::vector<std::string>())
    rows.named.push_back({column, {{*key, column}}});
  if (rows.named.empty()) rows.open.insert({*key, std::nullopt});
  return rows;
}

OutputColumns ColumnTracer::Function(const Json& function, const Scope& scope) {
  OutputColumns rows;
  const std::string name = ToLower(TextOf(function, "function_name"));
  const Json* arguments = Find(function, "children");
  if (name != kSourceFunction) {
    if (const auto patterns = FilePatternsOf(function)) {
      for (const auto& [offset, pattern] : *patterns) rows.open.insert({pattern, std::nullopt});
    } else if (arguments != nullptr) {
      AddOrigins(*arguments, scope, rows.open);
    }
    return rows;
  }
  const Extension* extension = parsed_.ExtensionOf(function);
  if (extension == nullptr) return rows;
  if (const auto* files = std::get_if<syntax::ReadFiles>(extension)) {
    rows.open.insert({files->pattern, std::nullopt});
  } else if (const auto* service = std::get_if<syntax::ServiceCall>(extension)) {
    rows.open.insert({catalog::ObjectKey(service->name, catalog::ObjectKind::kService),
                      std::nullopt, OriginKind::kModel});
  } else if (std::holds_alternative<syntax::MlRowsCall>(*extension)) {
    if (arguments != nullptr) AddOrigins(*arguments, scope, rows.open);
  } else if (const auto* call = std::get_if<syntax::MlCall>(extension)) {
    if (call->function == "PREDICT" && arguments != nullptr && arguments->size() > 1)
      rows = Query(arguments->at(1).at("subquery"), &scope);
    rows.open.insert({catalog::ObjectKey(call->model.name, catalog::ObjectKind::kModel),
                      std::nullopt, OriginKind::kModel});
  }
  return rows;
}

OutputColumns ColumnTracer::Values(const Json& list, const Scope& scope) {
  OutputColumns rows;
  if (const Json* values = Find(list, "values")) {
    for (const Json& row : *values) {
      for (size_t i = 0; i < row.size(); ++i) {
        if (rows.named.size() <= i) rows.named.push_back({"col" + std::to_string(i), {}});
        AddOrigins(row[i], scope, rows.named[i].origins);
      }
    }
  }
  return rows;
}

}  // namespace braid::flow
