// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <map>
#include <vector>

#include "flow/graph.h"

namespace braid::flow {

// For each node, the nodes that it reads and where in its statement it first names them.
using ReadPlaces = std::vector<std::map<size_t, size_t>>;

// Brings the nodes into an order in which they can run, sets upstream and downstream, and reports
// circles. `reads` counts the nodes as they stand before.
void OrderNodes(Graph& graph, const ReadPlaces& reads);

}  // namespace braid::flow
