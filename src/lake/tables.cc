// SPDX-License-Identifier: Apache-2.0
#include "lake/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "lake/sql_text_internal.h"

namespace braid::lake {

namespace {

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// One snapshot's changes are text such as `inserted_into_table:5,inlined_delete:7`; names in quotes
// (created_table:"s"."t") are of no interest here, but may hold commas and colons.
template <typename Visit>
void ForEachChange(std::string_view changes, Visit visit) {
  size_t begin = 0;
  bool quoted = false;
  for (size_t i = 0; i <= changes.size(); ++i) {
    if (i < changes.size() && changes[i] == '"') quoted = !quoted;
    if (i < changes.size() && (changes[i] != ',' || quoted)) continue;
    const std::string_view change = changes.substr(begin, i - begin);
    begin = i + 1;
    const size_t colon = change.find(':');
    if (colon == std::string_view::npos) continue;
    int64_t id = 0;
    const std::string_view number = change.substr(colon + 1);
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), id);
    if (parsed.ec == std::errc() && parsed.ptr == number.data() + number.size())
      visit(change.substr(0, colon), id);
  }
}

// What to store instead of a type; null when it may be stored.
const char* StoreInstead(std::string_view type) {
  if (type == "hugeint" || type == "uhugeint")
    return "cast it, for example CAST(sum(x) AS BIGINT) or DECIMAL(38, 0)";
  if (type == "interval")
    return "Parquet drops its microseconds: store them as BIGINT (epoch_us(…)), or store both ends";
  return nullptr;
}

}  // namespace

TableKey MakeTableKey(std::string_view schema, std::string_view table) {
  return ToLower(schema) + "." + ToLower(table);
}

std::map<TableKey, TableState> LoadTableStates(engine::Connection& connection) {
  std::map<TableKey, TableState> states;
  std::unordered_map<int64_t, TableState*> by_id;
  const std::string metadata = "__ducklake_metadata_lake.";
  for (const auto& row : connection.Rows(fmt::format(
           "SELECT s.schema_name, t.table_name, t.table_id, t.begin_snapshot, (SELECT "
           "min(begin_snapshot) FROM {0}ducklake_table h WHERE h.table_id = t.table_id) FROM "
           "{0}ducklake_table t JOIN {0}ducklake_schema s ON s.schema_id = t.schema_id AND "
           "s.end_snapshot IS NULL WHERE t.end_snapshot IS NULL",
           metadata))) {
    TableState state{.schema = row[0], .name = row[1], .table_id = row[2]};
    state.version = row[3].get<int64_t>();
    state.append_only_since = row[4].get<int64_t>();
    TableState& stored = states[MakeTableKey(state.schema, state.name)] = state;
    by_id[state.table_id] = &stored;
  }
  for (const auto& row : connection.Rows(fmt::format(
           "SELECT s.schema_name, v.view_name, v.begin_snapshot FROM {0}ducklake_view v JOIN "
           "{0}ducklake_schema s ON s.schema_id = v.schema_id AND s.end_snapshot IS NULL WHERE "
           "v.end_snapshot IS NULL",
           metadata))) {
    TableState state{.schema = row[0], .name = row[1], .table_id = -1, .version = row[2]};
    state.is_view = true;
    states[MakeTableKey(state.schema, state.name)] = state;
  }
  for (const auto& row : connection.Rows(fmt::format(
           "SELECT snapshot_id, changes_made FROM {}ducklake_snapshot_changes WHERE changes_made "
           "IS NOT NULL",
           metadata))) {
    const int64_t snapshot = row[0];
    ForEachChange(row[1].get_ref<const std::string&>(), [&](std::string_view what, int64_t id) {
      const auto found = by_id.find(id);
      if (found == by_id.end()) return;
      const bool removes = what == "deleted_from_table" || what == "inlined_delete";
      const bool adds = what == "inserted_into_table" || what == "inlined_insert";
      TableState& state = *found->second;
      if (adds || removes || what == "altered_table")
        state.version = std::max(state.version, snapshot);
      if (removes) state.append_only_since = std::max(state.append_only_since, snapshot);
    });
  }
  return states;
}

std::vector<Column> TableColumns(engine::Connection& connection, std::string_view schema,
                                 std::string_view table) {
  std::vector<Column> columns;
  try {
    const engine::StatementInfo info = connection.DescribeStatement(
        fmt::format("SELECT * FROM lake.{}.{}", SqlName(schema), SqlName(table)));
    for (size_t i = 0; i < info.column_names.size(); ++i)
      columns.push_back({info.column_names[i], info.column_types[i]});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kTableNotFound) throw;
  }
  return columns;
}

void CheckStorable(const std::string& what, const std::string& type) {
  for (size_t at = 0; at < type.size();) {
    size_t end = at + 1;
    if (type[at] == '"' || type[at] == '\'') {
      end = std::min(type.find(type[at], end), type.size() - 1) + 1;
    } else if (IsWord(type[at])) {
      while (end < type.size() && IsWord(type[end])) ++end;
      const std::string word = ToLower(std::string_view(type).substr(at, end - at));
      // A field of that name has its type after a space.
      const bool is_type = end == type.size() || type[end] != ' ';
      if (const char* hint = is_type ? StoreInstead(word) : nullptr; hint != nullptr)
        throw Error(ErrorCode::kTypeNotStorable,
                    fmt::format("A column's type cannot be stored without loss: {} {}", what, type),
                    hint);
    }
    at = end;
  }
}

}  // namespace braid::lake
