// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"
#include "flow/query_inputs.h"

namespace braid::flow {

// A declaration and what it stands on.
struct Node {
  // The object's key, unique in the graph ("gold.routes", "delay", "flow into_training"); where a
  // table has a model's key, or either a service's, the kind goes before it ("service delay").
  std::string name;
  catalog::Object object;
  // Of its query, of the conditions that it expects and of promotion_query. Offsets count in the
  // statement. A service's `request` is not among them.
  QueryInputs inputs;
  lake::TableKey target;           // the table it writes; empty for models and services
  std::vector<size_t> upstream;    // nodes that must come before it, ascending
  std::vector<size_t> downstream;  // the reverse
  // Tables of inference.* and feedback.* that it reads as they stood when the run began.
  std::vector<lake::TableKey> captured;
};

struct Graph {
  std::vector<Node> nodes;  // in an order in which they can run, ties by name; circles come last
  // Queries that cannot be parsed, unknown tables, models and services (did-you-mean), STREAM where
  // nothing streams, circles (CYCLE): each with its place.
  std::vector<Error> problems;
  // For people: arrows that point up a layer (silver reads gold), streams from tables that are
  // recomputed.
  std::vector<std::string> warnings;
};

// Orders declarations by what their queries read. `known_tables` are the lake's other tables
// (keys), so that a query may read them too; `known_models` likewise. A problem's place is that of
// the name in its file. That a project's flows write into declared tables is LoadDeclarations' to
// say.
Graph BuildGraph(const std::vector<catalog::Object>& objects,
                 const std::set<std::string>& known_tables,
                 const std::set<std::string>& known_models, QueryReader& reader);

// The nodes that selectors name: "gold.routes", "gold.*", "n+" (and all after it), "+n" (and all
// before it), "+n+". Flows also without the word "flow", tables of main without schema; * stands
// for any text. Empty selectors: all nodes. Throws Error NOT_FOUND with did-you-mean.
std::set<size_t> Select(const Graph& graph, const std::vector<std::string>& selectors);

}  // namespace braid::flow
