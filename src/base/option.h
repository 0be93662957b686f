// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace braid {

// A literal in OPTIONS(…) or STRUCT(…): NULL, boolean, number, string, [list], STRUCT(value AS
// name), or FUNCTION(value, …), as HPARAM_RANGE(0, 5).
struct OptionField;
struct OptionValue {
  using List = std::vector<OptionValue>;
  using Struct = std::vector<OptionField>;
  struct Call {
    std::string function;  // lower case
    List arguments;
  };
  std::variant<std::monostate, bool, int64_t, double, std::string, List, Struct, Call> value;
};

// A type of its own: std::pair looks into its types while OptionValue is not complete yet.
struct OptionField {
  std::string first;
  OptionValue second;
};

// One name = value pair. `offset` is where the name stands in the statement's text, for errors.
struct Option {
  std::string name;  // lower case
  OptionValue value;
  size_t offset = 0;
};

}  // namespace braid
