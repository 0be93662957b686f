// SPDX-License-Identifier: Apache-2.0
#include "syntax/token.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/text.h"

namespace braid::syntax {

namespace {

bool IsWordStart(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalpha(byte) != 0 || c == '_' || byte >= 0x80;
}
bool IsWordPart(char c) {
  return IsWordStart(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '$';
}
bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

class Lexer {
 public:
  Lexer(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  std::vector<Token> Run() {
    for (;;) {
      SkipBlanks();
      if (at_ >= text_.size()) break;
      const size_t begin = at_;
      const TokenKind kind = Next();
      tokens_.push_back({kind, begin, at_, text_.substr(begin, at_ - begin)});
    }
    tokens_.push_back({TokenKind::kEnd, text_.size(), text_.size(), {}});
    return std::move(tokens_);
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  [[noreturn]] void Fail(std::string message, std::string hint, size_t offset) const {
    throw Error(ErrorCode::kSyntax, std::move(message), std::move(hint),
                SpotAt(text_, offset, file_));
  }

  void SkipBlanks() {
    for (; at_ < text_.size();) {
      if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
        ++at_;
      } else if (Peek() == '-' && Peek(1) == '-') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (Peek() == '/' && Peek(1) == '*') {
        SkipComment();
      } else {
        return;
      }
    }
  }

  void SkipComment() {
    const size_t opening = at_;
    int depth = 0;
    do {
      if (at_ >= text_.size()) Fail("A comment does not end", "close it with */", opening);
      if (Peek() == '/' && Peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (Peek() == '*' && Peek(1) == '/') {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0);
  }

  TokenKind Next() {
    const char c = Peek();
    if (c == '\'') return Quoted('\'', false, TokenKind::kString, "A string does not end");
    if ((c == 'e' || c == 'E') && Peek(1) == '\'') {
      ++at_;
      return Quoted('\'', true, TokenKind::kString, "A string does not end");
    }
    if (c == '"' || c == '`')
      return Quoted(c, false, TokenKind::kQuotedName, "A quoted name does not end");
    if (c == '$' && DollarString()) return TokenKind::kString;
    if (IsWordStart(c)) {
      while (at_ < text_.size() && IsWordPart(text_[at_])) ++at_;
      return TokenKind::kWord;
    }
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    for (const std::string_view symbol : {"=>", "::", ":=", "<=", ">=", "<>", "!=", "||"}) {
      if (text_.substr(at_, 2) != symbol) continue;
      at_ += 2;
      return TokenKind::kSymbol;
    }
    ++at_;
    return TokenKind::kSymbol;
  }

  TokenKind Quoted(char quote, bool escapes, TokenKind kind, const char* message) {
    const size_t opening = at_++;
    for (;;) {
      if (at_ >= text_.size()) Fail(message, std::string("close it with ") + quote, opening);
      if (escapes && text_[at_] == '\\') {
        at_ += 2;
      } else if (text_[at_] == quote) {
        ++at_;
        if (Peek() != quote) break;
        ++at_;  // doubled: the quote itself
      } else {
        ++at_;
      }
    }
    at_ = std::min(at_, text_.size());
    return kind;
  }

  // $$text$$ or $tag$text$tag$; false when it is a parameter such as $1.
  bool DollarString() {
    size_t close = at_ + 1;
    while (close < text_.size() && IsWordPart(text_[close]) && text_[close] != '$') ++close;
    if (close >= text_.size() || text_[close] != '$' ||
        (close > at_ + 1 && IsDigit(text_[at_ + 1])))
      return false;
    const std::string_view mark = text_.substr(at_, close - at_ + 1);
    const size_t end = text_.find(mark, close + 1);
    if (end == std::string_view::npos)
      Fail("A string does not end", "close it with " + std::string(mark), at_);
    at_ = end + mark.size();
    return true;
  }

  TokenKind Number() {
    while (IsWordPart(Peek()) || Peek() == '.') {
      const char c = Peek();
      ++at_;
      if ((c == 'e' || c == 'E') && (Peek() == '+' || Peek() == '-') && IsDigit(Peek(1))) ++at_;
    }
    return TokenKind::kNumber;
  }

  std::string_view text_;
  std::string_view file_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

bool Token::Is(std::string_view word) const {
  return (kind == TokenKind::kWord || kind == TokenKind::kSymbol) && EqualsIgnoringCase(text, word);
}

std::vector<Token> Lex(std::string_view text, std::string_view file) {
  return Lexer(text, file).Run();
}

namespace {

std::string Unquote(std::string_view text, char quote) {
  std::string plain;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    plain += text[i];
    if (text[i] == quote) ++i;
  }
  return plain;
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 2; i + 1 < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 2 < text.size()) {
      c = text[++i];
      if (c == 'n') c = '\n';
      if (c == 't') c = '\t';
      if (c == 'r') c = '\r';
    } else if (c == '\'') {
      ++i;
    }
    plain += c;
  }
  return plain;
}

}  // namespace

std::string NameOf(const Token& token) {
  return token.kind == TokenKind::kQuotedName ? Unquote(token.text, token.text[0])
                                              : std::string(token.text);
}

std::string StringOf(const Token& token) {
  if (token.text[0] == '\'') return Unquote(token.text, '\'');
  if (token.text[0] == '$') {
    const size_t mark = token.text.find('$', 1) + 1;
    return std::string(token.text.substr(mark, token.text.size() - 2 * mark));
  }
  return Unescape(token.text);
}

bool HasName(std::string_view text, std::string_view name) {
  const std::vector<Token> tokens = Lex(text, "");
  return std::any_of(tokens.begin(), tokens.end(), [&](const Token& token) {
    return token.IsName() && EqualsIgnoringCase(NameOf(token), name);
  });
}

}  // namespace braid::syntax
