// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace braid::syntax {

struct StatementText {
  std::string text;   // without the semicolon, from its first token
  size_t offset = 0;  // in the script
};

// The statements of a script, split at semicolons; empty ones are left out. Throws kSyntax where
// Lex does.
std::vector<StatementText> SplitStatements(std::string_view script, std::string_view file);

// For a REPL: whether the text ends in a semicolon that ends a statement (not inside a string or
// comment).
bool IsComplete(std::string_view text);

}  // namespace braid::syntax
