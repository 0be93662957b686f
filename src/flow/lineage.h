// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "flow/graph.h"
#include "flow/query_inputs.h"
#include "lake/tables.h"

namespace braid::flow {

// One row of braid.lineage: what flows from one node into another.
struct LineageEdge {
  std::string from_node;                   // a table's key, a model or service, a path of files
  std::optional<std::string> from_column;  // both columns or neither, but for kind "model"
  std::string to_node;                     // the table that is written, else the node's name
  std::optional<std::string> to_column;
  // "column": from_column goes into to_column, as it is or inside an expression.
  // "table": read, which columns cannot be told or none reaches the result (a filter,
  // promotion_query). "model": a model's or service's answers. "stream": read with STREAM, besides
  // its columns.
  std::string kind;

  bool operator==(const LineageEdge&) const = default;
};

// The columns of a table, in order; empty when they are not known.
using ColumnLookup = std::function<std::vector<std::string>(const lake::TableKey&)>;

// The lineage of a node, as far as its text tells it: columns are followed through aliases,
// subqueries, common tables and set operations; * is expanded where `columns` knows the table.
// Sorted, each edge once. A query that cannot be parsed has none.
std::vector<LineageEdge> LineageOf(const Node& node, QueryReader& reader,
                                   const ColumnLookup& columns);

}  // namespace braid::flow
