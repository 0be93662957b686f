// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/option.h"
#include "syntax/parse.h"
#include "syntax/statement.h"
#include "syntax/token.h"

// How the parsers of this module walk over tokens.
namespace braid::syntax {

class Cursor {
 public:
  Cursor(std::string_view text, const StatementPlace& place) : text_(text), place_(place) {
    try {
      tokens_ = Lex(text, place.file);
    } catch (const Error& error) {
      throw Replaced(error);
    }
  }

  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& Next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool AtEnd() const { return Peek().kind == TokenKind::kEnd; }
  size_t position() const { return at_; }
  void Rewind(size_t position) { at_ = position; }
  std::string_view text() const { return text_; }

  bool Accept(std::string_view word) {
    if (!Peek().Is(word)) return false;
    ++at_;
    return true;
  }
  // All words in order, or none.
  bool AcceptWords(std::initializer_list<std::string_view> words) {
    size_t ahead = 0;
    for (const std::string_view word : words)
      if (!Peek(ahead++).Is(word)) return false;
    at_ += words.size();
    return true;
  }
  void Expect(std::string_view word, std::string_view where) {
    if (Accept(word)) return;
    FailExpected({std::string(word)}, where);
  }

  [[noreturn]] void Fail(std::string message, std::string hint, size_t offset) const;
  // "Expected X after …, found Y", with what was probably meant when a word is misspelt.
  [[noreturn]] void FailExpected(const std::vector<std::string>& words,
                                 std::string_view where) const;

  std::string ExpectIdentifier(std::string_view what);
  Name ExpectName(std::string_view what);
  ModelReference ExpectModel();
  int64_t ExpectVersion();
  std::string ExpectString(std::string_view what);
  // The text between this opening parenthesis and its closing one; the cursor ends after that.
  SourceText ExpectParenthesised(std::string_view what);
  // The end (exclusive token index) of the group that opens at the current token.
  size_t FindClosing() const;
  // All that is left, as a query.
  SourceText ExpectQuery(std::string_view where);
  // Tokens up to (excluding) a comma or closing parenthesis of this level, or one of `stops`.
  SourceText TextUntil(std::initializer_list<std::string_view> stops);
  OptionValue ParseLiteral(int depth);
  std::vector<Option> ParseOptions(std::string_view where);
  // STRUCT(value AS name, …) after the word STRUCT.
  std::vector<Option> ParseStructFields(int depth = 0);

 private:
  OptionValue::List ParseValuesUntil(std::string_view closing, int depth);
  Error Replaced(const Error& error) const;
  std::string_view text_;
  StatementPlace place_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace braid::syntax
