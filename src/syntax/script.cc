// SPDX-License-Identifier: Apache-2.0
#include "syntax/script.h"

#include "base/error.h"
#include "syntax/token.h"

namespace braid::syntax {

std::vector<StatementText> SplitStatements(std::string_view script, std::string_view file) {
  std::vector<StatementText> statements;
  size_t begin = 0;
  size_t end = 0;
  bool started = false;
  for (const Token& token : Lex(script, file)) {
    const bool ends = token.kind == TokenKind::kEnd || token.Is(";");
    if (ends) {
      if (started) statements.push_back({std::string(script.substr(begin, end - begin)), begin});
      started = false;
      continue;
    }
    if (!started) begin = token.begin;
    started = true;
    end = token.end;
  }
  return statements;
}

bool IsComplete(std::string_view text) {
  try {
    const std::vector<Token> tokens = Lex(text, "");
    return tokens.size() >= 2 && tokens[tokens.size() - 2].Is(";");
  } catch (const Error&) {
    return false;  // something is still open
  }
}

}  // namespace braid::syntax
