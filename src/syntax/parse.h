// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string_view>

#include "syntax/statement.h"

namespace braid::syntax {

// Where a statement stands, so that an error is shown in its file.
struct StatementPlace {
  std::string_view file;   // how errors name it
  std::string_view whole;  // the file's text; empty: the statement is all there is
  size_t offset = 0;       // of the statement in `whole`
};

// Parses one statement (no semicolon). What is not Braid's is an EngineStatement, unread. Throws
// kSyntax with the place, a hint and, for a misspelt word, what was probably meant.
Statement Parse(std::string_view text, const StatementPlace& place);
Statement Parse(std::string_view text, std::string_view file);

}  // namespace braid::syntax
