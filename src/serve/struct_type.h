// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "serve/request_json.h"

namespace braid::serve {

// The SQL type STRUCT("a" BIGINT, …) of some fields, names quoted.
std::string StructType(const std::vector<FieldType>& fields);

// The fields of such a type: its own, not those of types within. Empty for another type. Throws
// what the lexer throws for text that is no type at all.
std::vector<FieldType> StructFields(std::string_view struct_type);

// A list taken apart at the commas that stand in no brackets, without white space around the parts.
std::vector<std::string_view> SplitList(std::string_view list);

// The fields of "late BOOLEAN, \"time of day\" DECIMAL(10, 2)"; one without name or type is empty
// there.
std::vector<FieldType> FieldsOf(std::string_view list);

}  // namespace braid::serve
