// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "syntax/statement.h"

namespace braid::syntax {

// TABLE t or (query): the rows that a call is given.
struct RowsArgument {
  std::optional<Name> table;
  std::optional<SourceText> query;
};

// ML.F(MODEL m [, MODEL n …] [, TABLE t | (query) …] [, STRUCT(value AS name, …)]); rows and
// settings in any order.
struct MlCall {
  size_t begin = 0;
  size_t end = 0;
  std::string function;  // upper case, without ML.
  size_t function_offset = 0;
  std::vector<ModelReference> models;  // at least one
  std::vector<RowsArgument> rows;
  std::vector<Option> settings;
};

// ML.F({TABLE t | (query)}, … [, STRUCT(value AS name, …)]) of the functions that describe rows and
// need no model.
struct MlRowsCall {
  size_t begin = 0;
  size_t end = 0;
  std::string function;  // upper case, without ML.
  size_t function_offset = 0;
  std::vector<RowsArgument> rows;
  std::vector<Option> settings;
};

// ML.F(…) [OVER (…)] without MODEL: a preprocessing function.
struct MlFunction {
  std::string name;  // upper case, without ML.
  size_t begin = 0;
  size_t end = 0;
  std::vector<SourceText> arguments;
  std::optional<SourceText> over;  // what stands between the parentheses, or a window's name
};

// read_files('pattern', option => value, …); options are kept as SQL text, names in lower case.
struct ReadFiles {
  std::string pattern;
  std::vector<std::pair<std::string, std::string>> options;
  size_t offset = 0;
};

// STREAM t, STREAM(t), STREAM read_files(…), STREAM(read_files(…)) after FROM, JOIN or a comma.
struct StreamReference {
  size_t begin = 0;
  size_t end = 0;
  std::variant<Name, ReadFiles> source;
};

// s(TABLE t) or s(TABLE (query)): a service over a table.
struct ServiceCall {
  size_t begin = 0;
  size_t end = 0;
  Name name;
  RowsArgument rows;
};

// s(value, …) or s(parameter := value, …) where a table may stand: a service asked once for each
// row of what stands before it, or once for the request.
struct ServiceRequest {
  struct Argument {
    std::optional<std::string> parameter;
    SourceText value;
  };
  size_t begin = 0;
  size_t end = 0;
  Name name;
  std::vector<Argument> arguments;
  bool stands_first = false;  // after FROM: its values are of the request
};

// The outermost extensions of a query, in textual order. What stands inside a call's query is found
// by asking again.
struct QueryExtensions {
  std::vector<MlCall> calls;
  std::vector<MlRowsCall> rows_calls;
  std::vector<MlFunction> functions;
  std::vector<StreamReference> streams;
  std::vector<ServiceCall> services;
  std::vector<ServiceRequest> requests;
};

// Throws kSyntax with a position in `query` for a call that is written wrongly. Only names that
// `is_service` knows are requests; others are table functions of DuckDB.
QueryExtensions FindExtensions(std::string_view query,
                               const std::function<bool(const Name&)>& is_service = {});

}  // namespace braid::syntax
