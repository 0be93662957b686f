// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/connection.h"

namespace braid::lake {

struct Column {
  std::string name;
  std::string type;  // DuckDB's SQL name
};

// "schema.table" in lower case: how tables are named in maps and in braid.* tables.
using TableKey = std::string;
TableKey MakeTableKey(std::string_view schema, std::string_view table);

struct TableState {
  std::string schema;
  std::string name;
  int64_t table_id = 0;
  int64_t version = 0;  // the last committed snapshot that changed its rows or columns
  int64_t append_only_since =
      0;  // the last committed snapshot that updated or deleted rows, or recreated it
  bool is_view = false;
};

// All tables and views of the lake as committed, from the catalogue (milliseconds, whatever their
// number).
std::map<TableKey, TableState> LoadTableStates(engine::Connection& connection);

// The columns of a lake table, inside the connection's transaction; empty when it does not exist.
std::vector<Column> TableColumns(engine::Connection& connection, std::string_view schema,
                                 std::string_view table);

// Throws kTypeNotStorable when a value of that type would change on its way through Parquet
// (HUGEINT and UHUGEINT are written as DOUBLE). `what` names the column.
void CheckStorable(const std::string& what, const std::string& type);

}  // namespace braid::lake
