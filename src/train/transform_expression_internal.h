// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/connection.h"
#include "syntax/source_map.h"

namespace braid::train {

// Qualifies the columns of an expression with __braid_row. Throws, with the place in the `text`
// that the expression was made from, for columns that there are not, subqueries, aggregates, window
// functions, volatile functions, macros and stars.
syntax::MappedText OverRow(engine::Connection& connection, std::string_view text,
                           const syntax::MappedText& expression,
                           const std::vector<std::string>& columns);

// An error of the SQL, its place found in the `text` that the SQL was made from.
Error PlacedIn(std::string_view text, const syntax::MappedText& sql, const Error& error);

}  // namespace braid::train
