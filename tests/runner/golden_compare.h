// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace braid::golden {

// A value as it stands in a golden file: NULL, (empty), floats with up to 15 significant digits,
// nested values as JSON; tabs, line ends and backslashes of texts are escaped.
std::string CellText(const nlohmann::ordered_json& value);

// True when both are equal; with a tolerance, numbers may differ by it, absolutely or relatively.
bool SameRows(const std::vector<std::string>& expected, const std::vector<std::string>& got,
              std::optional<double> tolerance);

// Expected lines with -, those that came with +, what both begin and end with without.
std::string DiffText(const std::vector<std::string>& expected, const std::vector<std::string>& got);

// The part of `got` that `expected` speaks of: its fields, in its order.
nlohmann::ordered_json Project(const nlohmann::ordered_json& expected,
                               const nlohmann::ordered_json& got);

}  // namespace braid::golden
