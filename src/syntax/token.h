// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace braid::syntax {

enum class TokenKind : uint8_t {
  kWord,        // an identifier or keyword without quotes
  kQuotedName,  // "name" or `name`
  kString,      // 'text', E'text', $$text$$
  kNumber,
  kSymbol,  // one operator or punctuation character, or one of => :: := <= >= <> != ||
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t begin = 0;
  size_t end = 0;
  std::string_view text;  // as written; views into the text that was lexed

  // Case-insensitive, for words and symbols.
  bool Is(std::string_view word) const;
  bool IsName() const { return kind == TokenKind::kWord || kind == TokenKind::kQuotedName; }
};

// The tokens of a text, without white space and comments (-- to the end of line, /* nested */),
// ended by one kEnd. Throws kSyntax at the opening of a string, name or comment that never ends.
// `file` names the text in errors.
std::vector<Token> Lex(std::string_view text, std::string_view file);

// Whether a text has this name among its tokens, quoted or not.
bool HasName(std::string_view text, std::string_view name);

// What a name or string means without its quotes.
std::string NameOf(const Token& token);
std::string StringOf(const Token& token);

}  // namespace braid::syntax
