// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace braid::lake {

// The text between two quotes, those within it doubled: 'text' or "name".
inline std::string Quoted(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    quoted += c;
    if (c == quote) quoted += c;
  }
  return quoted + quote;
}

inline std::string SqlText(std::string_view text) { return Quoted(text, '\''); }
inline std::string SqlName(std::string_view name) { return Quoted(name, '"'); }

}  // namespace braid::lake
