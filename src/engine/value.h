// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <variant>

namespace braid::engine {

// A parameter of a prepared statement. Other types are bound as text and cast in SQL.
using Value = std::variant<std::monostate, bool, int64_t, double, std::string>;

}  // namespace braid::engine
