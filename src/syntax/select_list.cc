// SPDX-License-Identifier: Apache-2.0
#include "syntax/select_list.h"

#include <fmt/format.h>

#include "syntax/cursor_internal.h"

namespace braid::syntax {

namespace {

// The last part of a, t.a, …; empty for what is no column.
std::string ColumnName(const SourceText& expression) {
  const std::vector<Token> tokens = Lex(expression.text, "");
  std::string name;
  for (size_t i = 0; tokens[i].kind != TokenKind::kEnd; ++i) {
    if (i % 2 == 0 ? !tokens[i].IsName() : !tokens[i].Is(".")) return "";
    if (i % 2 == 0) name = NameOf(tokens[i]);
    if (i % 2 == 1 && tokens[i + 1].kind == TokenKind::kEnd) return "";
  }
  return name;
}

SelectItem TakeExpression(Cursor& cursor) {
  SelectItem item;
  item.expression = cursor.TextUntil({"AS"});
  if (item.expression.text.empty())
    cursor.Fail("Expected an expression", "", item.expression.offset);
  item.name = cursor.Accept("AS") ? cursor.ExpectIdentifier("a column's name after AS")
                                  : ColumnName(item.expression);
  return item;
}

SelectItem TakeStar(Cursor& cursor) {
  SelectItem star;
  star.expression.offset = cursor.Next().begin;
  star.is_star = true;
  if (cursor.Accept("EXCEPT") || cursor.Accept("EXCLUDE")) {
    const bool parenthesised = cursor.Accept("(");
    do star.excluded.push_back(cursor.ExpectName("a column's name"));
    while (parenthesised && cursor.Accept(","));
    if (parenthesised) cursor.Expect(")", "after the columns");
  }
  if (cursor.Accept("REPLACE")) {
    cursor.Expect("(", "after REPLACE");
    do star.replaced.push_back(TakeExpression(cursor));
    while (cursor.Accept(","));
    cursor.Expect(")", "at the end of REPLACE");
  }
  return star;
}

}  // namespace

std::vector<SelectItem> ParseSelectList(std::string_view text) {
  Cursor cursor(text, StatementPlace{});
  std::vector<SelectItem> items;
  do {
    if (cursor.AtEnd() && !items.empty()) break;  // SELECT a, FROM …
    items.push_back(cursor.Peek().Is("*") ? TakeStar(cursor) : TakeExpression(cursor));
  } while (cursor.Accept(","));
  if (!cursor.AtEnd()) cursor.FailExpected({","}, "in the list of columns");
  return items;
}

std::vector<SelectItem> ParseStruct(std::string_view text) {
  Cursor cursor(text, StatementPlace{});
  std::vector<SelectItem> items;
  if (!cursor.AcceptWords({"STRUCT", "("})) return items;
  do items.push_back(TakeExpression(cursor));
  while (cursor.Accept(","));
  cursor.Expect(")", "at the end of STRUCT");
  if (!cursor.AtEnd()) items.clear();
  return items;
}

OptionValue ParseLiteral(std::string_view text) {
  Cursor cursor(text, StatementPlace{});
  OptionValue value = cursor.ParseLiteral(0);
  if (!cursor.AtEnd()) cursor.Fail("Expected a value: " + std::string(text), "", 0);
  return value;
}

}  // namespace braid::syntax
