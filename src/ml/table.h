// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace braid::ml {

// A small result about a model, as ML.WEIGHTS gives it. A cell is null, a boolean, a number, text,
// a list, or an object for a STRUCT, as its column's SQL type has it.
struct Table {
  struct Column {
    std::string name;
    std::string type;  // DuckDB's SQL name
  };
  std::vector<Column> columns;
  std::vector<std::vector<nlohmann::ordered_json>> rows;
};

// A cell.
template <typename Value>
nlohmann::ordered_json OrNull(const std::optional<Value>& value) {
  if (value) return *value;
  return nullptr;
}

}  // namespace braid::ml
