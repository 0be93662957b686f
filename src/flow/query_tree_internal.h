// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/connection.h"
#include "engine/database.h"
#include "flow/query_inputs.h"
#include "syntax/query.h"
#include "syntax/source_map.h"

// DuckDB's syntax tree of a query, in which Braid's extensions stand as calls of one table
// function: "braid:source"(i [, (rows) …]), where i counts `extensions`.
namespace braid::flow {

inline constexpr std::string_view kSourceFunction = "braid:source";

using Extension =
    std::variant<syntax::MlCall, syntax::MlRowsCall, syntax::ServiceCall, syntax::ReadFiles>;

struct ParsedQuery {
  nlohmann::json root;                // the statement: {"node": …}
  std::vector<Extension> extensions;  // offsets of models, names and files count in the query
  std::set<size_t> streamed;          // where the names of STREAM t stand
  syntax::MappedText text;            // what DuckDB parsed

  size_t OffsetOf(const nlohmann::json& node) const;
  // The extension that a call of the source function stands for; null when it is none.
  const Extension* ExtensionOf(const nlohmann::json& function) const;
};

struct QueryReader::State {
  State();
  // Throws Error SYNTAX with a place in `query`.
  ParsedQuery Parse(std::string_view query);

 private:
  engine::Database database_;
  engine::Connection connection_;
  engine::PreparedStatement serialize_;
};

// A member that may be missing.
const nlohmann::json* Find(const nlohmann::json& object, const char* name);
// Its text; empty when it is missing or no text.
std::string_view TextOf(const nlohmann::json& object, const char* name);

// FROM 'x.csv.gz': what DuckDB takes for a file when no table has that name.
bool IsFileName(std::string_view name);
// The lake table that a BASE_TABLE names, unless it is a file's, another database's or the engine's
// own.
std::optional<lake::TableKey> TableKeyOf(const nlohmann::json& table);
// The constant paths of a function that reads files, with the nodes that hold them; nothing for
// another function or when they are not constant.
using FilePatterns = std::vector<std::pair<const nlohmann::json*, std::string>>;
std::optional<FilePatterns> FilePatternsOf(const nlohmann::json& function);
// Whether a table function's rows come from its arguments alone.
bool IsPureFunction(std::string_view name);

}  // namespace braid::flow
