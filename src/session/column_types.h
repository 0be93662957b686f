// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "lake/tables.h"

// What the names of DuckDB's types say.
namespace braid::session {

bool IsNumeric(const std::string& type);

// The fields of "STRUCT(a INTEGER, \"b c\" STRUCT(…))".
std::vector<lake::Column> StructFields(const std::string& type);

// The type of a list's elements; empty for other types.
std::string ElementType(const std::string& type);

}  // namespace braid::session
