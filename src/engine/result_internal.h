// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "engine/duckdb_internal.h"
#include "engine/result.h"

namespace braid::engine {

struct Result::Handle {
  duckdb_result result{};
  OwnedPrepared prepared;  // kept while the result streams
  std::string sql;
  std::vector<std::string> names;
  std::vector<std::string> types;
  ~Handle() { duckdb_destroy_result(&result); }
  void Describe();
};

// The error type of a message in JSON form (some of DuckDB's calls give no type).
duckdb_error_type ErrorTypeOf(const char* message);

std::string ResultMessage(duckdb_result* result);

}  // namespace braid::engine
