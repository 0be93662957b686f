// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "engine/connection.h"

namespace braid::serve {

// DuckDB's own name of a type ("INT" is INTEGER). Throws what DuckDB says of a type that does not
// exist.
std::string NormalisedType(engine::Connection& connection, const std::string& sql_type);

enum class FieldRole : uint8_t { kInput, kOutput };

// Throws Error TYPE_NOT_STORABLE for a type whose values would change on their way through JSON,
// the capture log or Parquet. `what` names the field ("output price").
void CheckCaptured(const std::string& what, const std::string& type, FieldRole role);

}  // namespace braid::serve
