// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "syntax/statement.h"

namespace braid::syntax {

// The SELECT that a place of a query stands in, without the set operations around it.
struct QueryBlock {
  // FROM … [WHERE …], where its rows come from; empty (begin = end) without FROM.
  size_t from_begin = 0;
  size_t from_end = 0;
  bool is_grouped = false;  // GROUP BY or HAVING
  bool is_sampled = false;  // SAMPLE or TABLESAMPLE
  bool has_qualify = false;
};

// Throws kSyntax where the query cannot be read as tokens.
QueryBlock FindBlock(std::string_view query, size_t offset);

// The entries of WITH, "name AS (query)", that a place of a query sees, in their order.
std::vector<SourceText> CommonTables(std::string_view query, size_t offset);

}  // namespace braid::syntax
