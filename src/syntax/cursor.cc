// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "syntax/cursor_internal.h"
#include "syntax/format.h"

namespace braid::syntax {

namespace {

constexpr int kMaximumDepth = 100;

std::string Shown(const Token& token) {
  return token.kind == TokenKind::kEnd ? "the end" : std::string(token.text.substr(0, 60));
}

}  // namespace

std::string Name::Quoted() const {
  return schema.empty() ? QuoteIdentifier(name)
                        : QuoteIdentifier(schema) + "." + QuoteIdentifier(name);
}

void Cursor::Fail(std::string message, std::string hint, size_t offset) const {
  const std::string_view whole = place_.whole.empty() ? text_ : place_.whole;
  throw Error(ErrorCode::kSyntax, std::move(message), std::move(hint),
              SpotAt(whole, place_.offset + offset, place_.file));
}

Error Cursor::Replaced(const Error& error) const {
  // The lexer knows this text alone: find its place in the whole.
  if (place_.whole.empty() || !error.where()) return error;
  SourceSpot spot = *error.where();
  const SourceSpot base = SpotAt(place_.whole, place_.offset, place_.file);
  if (spot.line == 1) {
    spot.column += base.column - 1;
    spot.line_text = base.line_text;
  }
  spot.line += base.line - 1;
  return Error(error.code(), error.message(), error.hint(), spot);
}

void Cursor::FailExpected(const std::vector<std::string>& words, std::string_view where) const {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i)
    list += (i == 0 ? "" : (i + 1 == words.size() ? " or " : ", ")) + words[i];
  std::string hint;
  if (Peek().IsName()) {
    if (const auto close = ClosestMatch(Peek().text, words))
      hint = fmt::format("did you mean {}?", *close);
  }
  Fail(fmt::format("Expected {} {}: {}", list, where, Shown(Peek())), hint, Peek().begin);
}

std::string Cursor::ExpectIdentifier(std::string_view what) {
  if (!Peek().IsName()) Fail(fmt::format("Expected {}: {}", what, Shown(Peek())), "", Peek().begin);
  return NameOf(Next());
}

Name Cursor::ExpectName(std::string_view what) {
  Name name;
  name.offset = Peek().begin;
  name.name = ExpectIdentifier(what);
  if (!Accept(".")) return name;
  name.schema = std::move(name.name);
  name.name = ExpectIdentifier(what);
  if (Peek().Is("."))
    Fail(fmt::format("A name has at most two parts here: {}", name.ToString()),
         "write schema.name; the lake is implied", Peek().begin);
  return name;
}

ModelReference Cursor::ExpectModel() {
  ModelReference model;
  model.offset = Peek().begin;
  model.name = ExpectName("a model's name");
  if (!Accept("@")) return model;
  if (Peek().kind == TokenKind::kNumber)
    model.version = ExpectVersion();
  else
    model.alias = ToLower(ExpectIdentifier("a version or alias after @"));
  return model;
}

int64_t Cursor::ExpectVersion() {
  const size_t offset = Peek().begin;
  const std::string_view text = Next().text;
  int64_t version = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    Fail(fmt::format("Not a model version: {}", text), "versions are whole numbers, such as m@3",
         offset);
  return version;
}

std::string Cursor::ExpectString(std::string_view what) {
  if (Peek().kind != TokenKind::kString)
    Fail(fmt::format("Expected {} as a string: {}", what, Shown(Peek())), "", Peek().begin);
  return StringOf(Next());
}

size_t Cursor::FindClosing() const {
  std::vector<size_t> open;
  for (size_t i = at_; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.Is("(") || token.Is("[") || token.Is("{")) open.push_back(i);
    if (token.Is(")") || token.Is("]") || token.Is("}")) {
      if (!open.empty()) open.pop_back();
      if (open.empty()) return i;
    }
  }
  Fail("A parenthesis does not end", "close it", tokens_[at_].begin);
}

SourceText Cursor::ExpectParenthesised(std::string_view what) {
  if (!Peek().Is("(")) Fail(fmt::format("Expected {}: {}", what, Shown(Peek())), "", Peek().begin);
  const size_t closing = FindClosing();
  const size_t begin = tokens_[at_ + 1].begin;
  const size_t end = closing > at_ + 1 ? tokens_[closing - 1].end : begin;
  at_ = closing + 1;
  return {std::string(text_.substr(begin, end - begin)), begin};
}

SourceText Cursor::ExpectQuery(std::string_view where) {
  if (AtEnd()) Fail(fmt::format("Expected a query {}", where), "write AS SELECT …", Peek().begin);
  const size_t begin = Peek().begin;
  const size_t end = tokens_[tokens_.size() - 2].end;
  at_ = tokens_.size() - 1;
  return {std::string(text_.substr(begin, end - begin)), begin};
}

SourceText Cursor::TextUntil(std::initializer_list<std::string_view> stops) {
  const size_t begin = Peek().begin;
  size_t end = begin;
  for (;;) {
    const Token& token = Peek();
    bool stop = AtEnd() || token.Is(",") || token.Is(")");
    for (const std::string_view word : stops) stop = stop || token.Is(word);
    if (stop) return {std::string(text_.substr(begin, end - begin)), begin};
    if (token.Is("(") || token.Is("[") || token.Is("{")) at_ = FindClosing();
    end = Next().end;
  }
}

OptionValue::List Cursor::ParseValuesUntil(std::string_view closing, int depth) {
  OptionValue::List list;
  if (!Peek().Is(closing)) {
    do list.push_back(ParseLiteral(depth));
    while (Accept(","));
  }
  Expect(closing, "at the end of a list");
  return list;
}

OptionValue Cursor::ParseLiteral(int depth) {
  if (depth > kMaximumDepth) Fail("Values are nested too deeply", "", Peek().begin);
  const Token& token = Peek();
  if (token.kind == TokenKind::kString) return {StringOf(Next())};
  if (Accept("TRUE")) return {true};
  if (Accept("FALSE")) return {false};
  if (Accept("NULL")) return {std::monostate{}};
  if (Accept("STRUCT")) {
    OptionValue::Struct fields;
    for (Option& field : ParseStructFields(depth + 1)) fields.emplace_back(field.name, field.value);
    return {fields};
  }
  // Inside a value, as in [('a', 0.1)], a STRUCT may go without its word.
  if (depth > 0 && Peek().Is("(")) {
    OptionValue::Struct fields;
    for (Option& field : ParseStructFields(depth + 1)) fields.emplace_back(field.name, field.value);
    return {fields};
  }
  if (Accept("[")) return {ParseValuesUntil("]", depth + 1)};
  const bool negative = Accept("-");
  if (!negative) Accept("+");
  if (Peek().kind == TokenKind::kNumber) {
    const std::string text = (negative ? "-" : "") + std::string(Next().text);
    int64_t integer = 0;
    const auto whole = std::from_chars(text.data(), text.data() + text.size(), integer);
    if (whole.ec == std::errc() && whole.ptr == text.data() + text.size()) return {integer};
    double number = 0;
    const auto real = std::from_chars(text.data(), text.data() + text.size(), number);
    if (real.ec == std::errc() && real.ptr == text.data() + text.size()) return {number};
    Fail(fmt::format("Not a number: {}", text), "", token.begin);
  }
  // BigQuery writes some choices as bare words.
  if (!negative && Peek().IsName()) {
    std::string word = NameOf(Next());
    if (!Accept("(")) return {std::move(word)};
    return {OptionValue::Call{ToLower(word), ParseValuesUntil(")", depth + 1)}};
  }
  Fail(fmt::format("Expected a value: {}", Shown(Peek())),
       "values are strings, numbers, TRUE, FALSE, NULL, [lists] and STRUCT(value AS name)",
       Peek().begin);
}

std::vector<Option> Cursor::ParseOptions(std::string_view where) {
  Expect("(", where);
  std::vector<Option> options;
  if (Accept(")")) return options;
  do {
    Option option;
    option.offset = Peek().begin;
    option.name = ToLower(ExpectIdentifier("an option's name"));
    for (const Option& earlier : options)
      if (earlier.name == option.name)
        Fail(fmt::format("An option is given twice: {}", option.name), "keep one of them",
             option.offset);
    if (!Accept("=") && !Accept("=>")) FailExpected({"="}, fmt::format("after {}", option.name));
    option.value = ParseLiteral(0);
    options.push_back(std::move(option));
  } while (Accept(","));
  if (!Accept(")")) FailExpected({",", ")"}, "in the options");
  return options;
}

std::vector<Option> Cursor::ParseStructFields(int depth) {
  Expect("(", "after STRUCT");
  std::vector<Option> fields;
  if (Accept(")")) return fields;
  do {
    Option field;
    field.offset = Peek().begin;
    field.value = ParseLiteral(depth);
    // In an option's value, as in CLASS_WEIGHTS, places say enough.
    if (depth == 0 || Peek().Is("AS")) {
      Expect("AS", "after a value in STRUCT(value AS name)");
      field.name = ToLower(ExpectIdentifier("a field's name"));
    }
    fields.push_back(std::move(field));
  } while (Accept(","));
  if (!Accept(")")) FailExpected({",", ")"}, "in STRUCT");
  return fields;
}

}  // namespace braid::syntax
