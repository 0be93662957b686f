// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "flow/lineage_columns_internal.h"
#include "syntax/token.h"

namespace braid::flow {

const OutputColumn* FindColumn(const std::vector<OutputColumn>& columns, std::string_view name) {
  for (const OutputColumn& column : columns)
    if (!name.empty() && EqualsIgnoringCase(column.name, name)) return &column;
  return nullptr;
}

// Where a column comes from that is not among the named ones.
void AddOpen(const Origins& open, const std::string& name, Origins& origins) {
  Origins tables;
  for (const Origin& origin : open)
    if (origin.kind == OriginKind::kTable) tables.insert(origin);
  // predicted_… is the model's answer; the others are the rows' that it was given.
  const bool predicted = ToLower(name).starts_with("predicted_") && tables.size() < open.size();
  if (predicted || tables.empty()) {
    for (Origin origin : open) {
      if (origin.kind != OriginKind::kModel) continue;
      if (!origin.column) origin.column = name;
      origins.insert(std::move(origin));
    }
    return;
  }
  for (Origin origin : tables) {
    if (tables.size() == 1 && !origin.column && !origin.renamed) origin.column = name;
    origins.insert(std::move(origin));
  }
}

void AddAll(const OutputColumns& rows, Origins& origins) {
  for (const OutputColumn& column : rows.named)
    origins.insert(column.origins.begin(), column.origins.end());
  origins.insert(rows.open.begin(), rows.open.end());
}

void AddColumn(OutputColumns& output, const std::string& name, const Origins& origins) {
  for (OutputColumn& column : output.named) {
    if (name.empty() || !EqualsIgnoringCase(column.name, name)) continue;
    column.origins.insert(origins.begin(), origins.end());
    return;
  }
  output.named.push_back({name, origins});
}

std::vector<std::string> Names(const nlohmann::json& object, const char* member) {
  std::vector<std::string> names;
  if (const nlohmann::json* list = Find(object, member))
    for (const nlohmann::json& name : *list)
      if (name.is_string()) names.push_back(name.get<std::string>());
  return names;
}

void ColumnTracer::AddSelected(const Json& item, Scope& scope, OutputColumns& output) {
  if (TextOf(item, "class") == "STAR" && Find(item, "columns") == nullptr) {
    AddStar(item, scope, output);
    return;
  }
  OutputColumn column;
  column.name = TextOf(item, "alias");
  if (column.name.empty() && TextOf(item, "class") == "COLUMN_REF")
    column.name = item.at("column_names").back().get<std::string>();
  AddOrigins(item, scope, column.origins);
  if (TextOf(item, "class") == "STAR") {
    output.open.insert(column.origins.begin(), column.origins.end());  // COLUMNS(…)
    return;
  }
  scope.aliases.push_back(column);
  output.named.push_back(std::move(column));
}

namespace {

// SELECT * RENAME (a AS b).
void RenameColumns(const nlohmann::json& renamed, OutputColumns& expanded) {
  for (const nlohmann::json& entry : renamed) {
    const std::string name(TextOf(entry.at("key"), "column"));
    OutputColumn column{std::string(TextOf(entry, "value")), {}};
    if (FindColumn(expanded.named, name) == nullptr) {
      AddOpen(expanded.open, name, column.origins);
      expanded.named.push_back(std::move(column));
      continue;
    }
    for (OutputColumn& known : expanded.named)
      if (EqualsIgnoringCase(known.name, name)) known.name = column.name;
  }
}

}  // namespace

void ColumnTracer::AddStar(const Json& star, const Scope& scope, OutputColumns& output) {
  std::vector<std::string> without = Names(star, "exclude_list");
  if (const Json* qualified = Find(star, "qualified_exclude_list"))
    for (const Json& name : *qualified) without.emplace_back(TextOf(name, "column"));
  const auto is_named = [](const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& other) { return EqualsIgnoringCase(other, name); });
  };
  const std::string only = ToLower(TextOf(star, "relation_name"));
  OutputColumns expanded;
  for (const Relation& relation : scope.relations) {
    if (!only.empty() && relation.alias != only) continue;
    for (const OutputColumn& column : relation.rows.named)
      if (!is_named(without, column.name)) AddColumn(expanded, column.name, column.origins);
    expanded.open.insert(relation.rows.open.begin(), relation.rows.open.end());
  }
  if (const Json* replaced = Find(star, "replace_list")) Replace(*replaced, scope, expanded);
  if (const Json* renamed = Find(star, "rename_list")) RenameColumns(*renamed, expanded);
  for (const OutputColumn& column : expanded.named) output.named.push_back(column);
  output.open.insert(expanded.open.begin(), expanded.open.end());
}

void ColumnTracer::Replace(const Json& replaced, const Scope& scope, OutputColumns& expanded) {
  for (const Json& entry : replaced) {
    const std::string name(TextOf(entry, "key"));
    Origins origins;
    AddOrigins(entry.at("value"), scope, origins);
    std::erase_if(expanded.named, [&](const OutputColumn& column) {
      return EqualsIgnoringCase(column.name, name);
    });
    expanded.named.push_back({name, origins});
  }
}

void ColumnTracer::AddOrigins(const Json& expression, const Scope& scope, Origins& origins) {
  if (expression.is_array()) {
    for (const Json& item : expression) AddOrigins(item, scope, origins);
    return;
  }
  if (!expression.is_object()) return;
  const std::string_view kind = TextOf(expression, "class");
  if (kind == "COLUMN_REF") {
    AddReference(expression, scope, origins);
    return;
  }
  if (kind == "SUBQUERY") {
    if (const Json* child = Find(expression, "child")) AddOrigins(*child, scope, origins);
    const OutputColumns rows = Query(expression.at("subquery"), &scope);
    if (TextOf(expression, "subquery_type") != "EXISTS") AddAll(rows, origins);
    return;
  }
  const size_t names = lambda_names_.size();
  if (kind == "STAR") {
    for (const Relation& relation : scope.relations) AddAll(relation.rows, origins);
  } else if (kind == "LAMBDA") {
    AddLambdaNames(expression);
  }
  for (const auto& [name, member] : expression.items())
    if (member.is_structured()) AddOrigins(member, scope, origins);
  lambda_names_.resize(names);
}

// j -> '$.a' is written as a lambda too, but reaches into j.
void ColumnTracer::AddLambdaNames(const Json& lambda) {
  if (TextOf(lambda.at("expr"), "class") == "CONSTANT") return;
  const auto add = [this](const Json& name) {
    if (TextOf(name, "class") == "COLUMN_REF")
      lambda_names_.push_back(ToLower(name.at("column_names").back().get<std::string>()));
  };
  const Json& left = lambda.at("lhs");
  add(left);
  if (const Json* several = Find(left, "children"))
    for (const Json& name : *several) add(name);
}

void ColumnTracer::AddReference(const Json& reference, const Scope& scope, Origins& origins) const {
  std::vector<std::string> parts = Names(reference, "column_names");
  if (parts.size() > 2 && EqualsIgnoringCase(parts[0], "lake")) parts.erase(parts.begin());
  if (std::find(lambda_names_.begin(), lambda_names_.end(), ToLower(parts[0])) !=
      lambda_names_.end())
    return;
  for (const Scope* level = &scope; level != nullptr; level = level->outer)
    if (AddQualified(parts, *level, origins) || AddBare(parts[0], *level, origins)) return;
}

// table.column, schema.table.column; what follows is a field of a struct.
bool ColumnTracer::AddQualified(const std::vector<std::string>& parts, const Scope& level,
                                Origins& origins) {
  const std::string first = ToLower(parts[0]);
  for (const Relation& relation : level.relations) {
    size_t column = 0;
    if (parts.size() > 1 && relation.alias == first) column = 1;
    if (parts.size() > 2 && !relation.table.empty() && relation.schema == first &&
        relation.alias == ToLower(parts[1]))
      column = 2;
    if (column == 0) continue;
    if (const OutputColumn* found = FindColumn(relation.rows.named, parts[column])) {
      origins.insert(found->origins.begin(), found->origins.end());
    } else {
      AddOpen(relation.rows.open, parts[column], origins);
    }
    return true;
  }
  return false;
}

bool ColumnTracer::AddBare(const std::string& name, const Scope& level, Origins& origins) {
  bool found = false;
  Origins open;
  for (const Relation& relation : level.relations) {
    open.insert(relation.rows.open.begin(), relation.rows.open.end());
    const OutputColumn* column = FindColumn(relation.rows.named, name);
    if (column == nullptr) continue;
    origins.insert(column->origins.begin(), column->origins.end());
    found = true;
  }
  if (found) return true;
  if (const OutputColumn* alias = FindColumn(level.aliases, name)) {
    origins.insert(alias->origins.begin(), alias->origins.end());
    return true;
  }
  AddOpen(open, name, origins);
  return !open.empty();
}

}  // namespace braid::flow
