// SPDX-License-Identifier: Apache-2.0
#include "syntax/query_block.h"

#include <algorithm>
#include <vector>

#include "syntax/token.h"

namespace braid::syntax {

namespace {

bool IsOneOf(const Token& token, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return token.Is(word); });
}

bool Opens(const Token& token) { return IsOneOf(token, {"(", "[", "{"}); }
bool Closes(const Token& token) { return IsOneOf(token, {")", "]", "}"}); }

// Token indices: [begin, end) is what stands inside one pair of parentheses.
struct Range {
  size_t begin;
  size_t end;
};

// The innermost query around a token: parentheses that begin with a query's word, or all.
Range QueryAround(const std::vector<Token>& tokens, size_t at) {
  std::vector<size_t> open;
  for (size_t i = 0; i < at; ++i) {
    if (Opens(tokens[i])) open.push_back(i);
    if (Closes(tokens[i]) && !open.empty()) open.pop_back();
  }
  while (!open.empty() && !IsOneOf(tokens[open.back() + 1], {"SELECT", "FROM", "WITH"}))
    open.pop_back();
  const size_t begin = open.empty() ? 0 : open.back() + 1;
  size_t end = begin;
  for (int depth = 0; tokens[end].kind != TokenKind::kEnd; ++end) {
    if (Opens(tokens[end])) ++depth;
    if (Closes(tokens[end]) && --depth < 0) break;
  }
  return {begin, end};
}

}  // namespace

QueryBlock FindBlock(std::string_view query, size_t offset) {
  const std::vector<Token> tokens = Lex(query, "");
  size_t at = 0;
  while (tokens[at].kind != TokenKind::kEnd && tokens[at].end <= offset) ++at;
  Range range = QueryAround(tokens, at);

  // The tokens of this level alone, between two set operations.
  std::vector<size_t> level;
  int depth = 0;
  for (size_t i = range.begin; i < range.end; ++i) {
    const Token& token = tokens[i];
    if (Closes(token)) --depth;
    if (depth == 0) {
      const bool star_except = token.Is("EXCEPT") && i > 0 && tokens[i - 1].Is("*");
      if (IsOneOf(token, {"UNION", "EXCEPT", "INTERSECT", ";"}) && !star_except) {
        if (token.begin >= offset) {
          range.end = i;
          break;
        }
        level.clear();
      } else {
        level.push_back(i);
      }
    }
    if (Opens(token)) ++depth;
  }

  QueryBlock block;
  bool in_from = false;
  for (const size_t i : level) {
    const Token& token = tokens[i];
    block.is_grouped =
        block.is_grouped || token.Is("HAVING") || (token.Is("GROUP") && tokens[i + 1].Is("BY"));
    block.is_sampled = block.is_sampled || token.Is("TABLESAMPLE") ||
                       (token.Is("USING") && tokens[i + 1].Is("SAMPLE"));
    block.has_qualify = block.has_qualify || token.Is("QUALIFY");
    const bool distinct_from = i > 0 && tokens[i - 1].Is("DISTINCT");
    if (token.Is("FROM") && !distinct_from && block.from_end == 0) {
      in_from = true;
      block.from_begin = token.begin;
    } else if (in_from && (IsOneOf(token, {"SELECT", "GROUP", "HAVING", "WINDOW", "QUALIFY",
                                           "ORDER", "LIMIT", "OFFSET"}) ||
                           (token.Is("USING") && tokens[i + 1].Is("SAMPLE")))) {
      in_from = false;
    }
    if (in_from) block.from_end = token.end;
  }
  return block;
}

std::vector<SourceText> CommonTables(std::string_view query, size_t offset) {
  const std::vector<Token> tokens = Lex(query, "");
  // By the index of an opening parenthesis, that of the closing one; the end where there is none.
  std::vector<size_t> closing(tokens.size(), tokens.size() - 1);
  std::vector<size_t> open;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (Opens(tokens[i])) open.push_back(i);
    if (!Closes(tokens[i]) || open.empty()) continue;
    closing[open.back()] = i;
    open.pop_back();
  }
  std::vector<SourceText> tables;
  bool in_list = false;  // after WITH: an entry begins here
  for (size_t i = 0; tokens[i].kind != TokenKind::kEnd && tokens[i].begin < offset;) {
    if (in_list) {
      const size_t begin = i;
      while (tokens[i].kind != TokenKind::kEnd && !tokens[i].Is("AS")) ++i;
      while (tokens[i].kind != TokenKind::kEnd && !tokens[i].Is("(")) ++i;
      const size_t end = closing[i];
      in_list = tokens[end].end <= offset && end + 1 < tokens.size() && tokens[end + 1].Is(",");
      if (tokens[end].end > offset) {
        ++i;  // the place lies in this entry
        continue;
      }
      tables.push_back(
          {std::string(query.substr(tokens[begin].begin, tokens[end].end - tokens[begin].begin)),
           tokens[begin].begin});
      i = end + (in_list ? 2 : 1);
    } else if (Opens(tokens[i]) && tokens[closing[i]].end <= offset) {
      i = closing[i] + 1;
    } else {
      const bool with = tokens[i].Is("WITH") && tokens[i + 1].IsName() &&
                        !IsOneOf(tokens[i + 1], {"TIME", "ORDINALITY", "TIES"});
      i += with && tokens[i + 1].Is("RECURSIVE") ? 2 : 1;
      in_list = with;
    }
  }
  return tables;
}

}  // namespace braid::syntax
