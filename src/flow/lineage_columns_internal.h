// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <compare>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flow/lineage.h"
#include "flow/query_tree_internal.h"

// What the columns of a query are made of.
namespace braid::flow {

enum class OriginKind : uint8_t { kTable, kModel };

// A column of a table, file or model; without a column: some of its columns, nobody knows which.
struct Origin {
  std::string node;
  std::optional<std::string> column;
  OriginKind kind = OriginKind::kTable;
  bool renamed = false;  // its columns do not keep their names (PIVOT)

  auto operator<=>(const Origin&) const = default;
};
using Origins = std::set<Origin>;

struct OutputColumn {
  std::string name;  // empty: only the engine knows
  Origins origins;
};

struct OutputColumns {
  std::vector<OutputColumn> named;
  Origins open;  // where further columns come from
};

const OutputColumn* FindColumn(const std::vector<OutputColumn>& columns, std::string_view name);
// Where a column comes from that is not among the named ones.
void AddOpen(const Origins& open, const std::string& name, Origins& origins);
void AddAll(const OutputColumns& rows, Origins& origins);
// Adds to the column of that name, or a new one.
void AddColumn(OutputColumns& output, const std::string& name, const Origins& origins);
// The strings of a list that may be missing.
std::vector<std::string> Names(const nlohmann::json& object, const char* member);

class ColumnTracer {
 public:
  // `request`: the unqualified table `request` is a service's, not the lake's.
  ColumnTracer(const ParsedQuery& parsed, const ColumnLookup& columns, bool request)
      : parsed_(parsed), columns_(columns), request_(request) {}

  OutputColumns Trace() { return Query(parsed_.root, nullptr); }

 private:
  struct Relation {
    std::string alias;   // lower case
    std::string schema;  // of a table
    std::string table;
    OutputColumns rows;
  };
  struct Scope {
    const Scope* outer;
    std::vector<Relation> relations;
    std::vector<OutputColumn> aliases;  // of the select list so far
  };
  using Json = nlohmann::json;

  OutputColumns Query(const Json& holder, const Scope* outer);
  OutputColumns Node(const Json& node, const Scope* outer);
  OutputColumns SelectNode(const Json& node, const Scope* outer);
  OutputColumns SetOperation(const Json& node, const Scope* outer);
  void AddCommonTables(const Json& node, const Scope* outer);

  void AddRelations(const Json& from, Scope& scope);
  OutputColumns Table(const Json& table) const;
  OutputColumns Function(const Json& function, const Scope& scope);
  OutputColumns Values(const Json& list, const Scope& scope);

  void AddSelected(const Json& item, Scope& scope, OutputColumns& output);
  void AddStar(const Json& star, const Scope& scope, OutputColumns& output);
  void Replace(const Json& replaced, const Scope& scope, OutputColumns& expanded);
  void AddLambdaNames(const Json& lambda);
  void AddOrigins(const Json& expression, const Scope& scope, Origins& origins);
  void AddReference(const Json& reference, const Scope& scope, Origins& origins) const;
  // False when the name means nothing on this level.
  static bool AddQualified(const std::vector<std::string>& parts, const Scope& level,
                           Origins& origins);
  static bool AddBare(const std::string& name, const Scope& level, Origins& origins);

  const ParsedQuery& parsed_;
  const ColumnLookup& columns_;
  bool request_;
  std::vector<std::pair<std::string, std::shared_ptr<const OutputColumns>>> common_tables_;
  std::vector<std::string> lambda_names_;
};

}  // namespace braid::flow
