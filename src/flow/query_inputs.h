// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lake/tables.h"
#include "syntax/query.h"
#include "syntax/statement.h"

namespace braid::flow {

struct TableRead {
  lake::TableKey key;  // "schema.table"; schema "main" where none is given
  bool streamed = false;
  size_t offset = 0;  // where the name stands in the query
};

struct QueryInputs {
  std::vector<TableRead> tables;  // in textual order; a table that is read twice stands twice
  std::vector<syntax::ModelReference> models;
  std::vector<syntax::Name> services;           // s(TABLE t)
  std::vector<syntax::ReadFiles> stream_files;  // STREAM read_files(…)
  // Constant path arguments, as written, of functions that read files without STREAM
  // (read_csv('x.csv'), FROM 'x.parquet').
  std::vector<std::string> file_patterns;
  // Something whose inputs nobody can tell (a table function, another database, the engine's own
  // views): never skipped.
  bool reads_unknown = false;
};

struct ParsedQuery;  // query_tree_internal.h

// Tells what a query reads, from its text alone: common table expressions are no tables, tables
// need not exist. Owns a DuckDB instance that only parses (json_serialize_sql), from the first
// query on. One thread at a time.
class QueryReader {
 public:
  QueryReader();
  ~QueryReader();
  // Throws Error SYNTAX with a place in `query` (empty file name); NOT_SUPPORTED for a PIVOT
  // without its values.
  QueryInputs Read(std::string_view query);
  // The query's syntax tree, for this module.
  ParsedQuery Parse(std::string_view query);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::flow
