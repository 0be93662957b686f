// SPDX-License-Identifier: Apache-2.0
// SQL text: whatever the bytes, tokens, statements and extensions that stand where they say, or an
// Error of the user's with a place. What is quoted reads back, what is mapped leads back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "syntax/format.h"
#include "syntax/parse.h"
#include "syntax/query.h"
#include "syntax/script.h"
#include "syntax/source_map.h"
#include "syntax/token.h"

namespace {

using namespace braid;          // NOLINT(google-build-using-namespace): a fuzz target is one file
using namespace braid::syntax;  // NOLINT(google-build-using-namespace): likewise

void Require(bool holds) {
  if (!holds) __builtin_trap();
}

void RequireUsersError(const Error& error) {
  Require(error.code() == ErrorCode::kSyntax);
  Require(!error.message().empty());
  Require(error.where() && error.where()->line >= 1 && error.where()->column >= 1);
}

void RequireStandsIn(std::string_view text, const SourceText& part) {
  Require(part.offset <= text.size() && text.substr(part.offset).starts_with(part.text));
}

void RequireReadsBack(const Name& name) {
  const std::string quoted = name.Quoted();  // the tokens view it
  const std::vector<Token> tokens = Lex(quoted, "");
  Require(tokens.size() == (name.schema.empty() ? 2U : 4U));
  Require(NameOf(tokens[tokens.size() - 2]) == name.name);
  if (!name.schema.empty()) Require(NameOf(tokens[0]) == name.schema && tokens[1].Is("."));
}

bool Tokens(std::string_view text) {
  try {
    size_t at = 0;
    const std::vector<Token> tokens = Lex(text, "f.sql");
    for (const Token& token : tokens) {
      Require(token.begin >= at && token.end >= token.begin && token.end <= text.size());
      Require(token.text == text.substr(token.begin, token.end - token.begin));
      const bool last = &token == &tokens.back();
      Require((token.kind == TokenKind::kEnd) == last && token.text.empty() == last);
      if (token.IsName()) NameOf(token);
      if (token.kind == TokenKind::kString) StringOf(token);
      at = token.end;
    }
    return true;
  } catch (const Error& error) {
    RequireUsersError(error);
    return false;
  }
}

void Quotes(const std::string& text) {
  const std::string quoted_name = QuoteIdentifier(text);  // the tokens view it
  const std::vector<Token> name = Lex(quoted_name, "");
  Require(name.size() == 2 && NameOf(name[0]) == text);
  const std::string quoted_text = QuoteString(text);
  const std::vector<Token> string = Lex(quoted_text, "");
  Require(string.size() == 2 && StringOf(string[0]) == text);
}

// Every inner query is a proper part of its call, so this ends; `depth` bounds the stack.
void Extensions(std::string_view query, int depth) {
  QueryExtensions found;
  try {
    found = FindExtensions(query);
  } catch (const Error& error) {
    RequireUsersError(error);
    return;
  }
  std::vector<std::pair<size_t, size_t>> places;
  const auto rows = [&](const auto& call) {
    places.emplace_back(call.begin, call.end);
    if (call.table) RequireReadsBack(*call.table);
    if (!call.query) return;
    RequireStandsIn(query, *call.query);
    Require(call.query->offset > call.begin);
    Require(call.query->offset + call.query->text.size() < call.end);
    if (depth < 100) Extensions(call.query->text, depth + 1);
  };
  for (const MlCall& call : found.calls) {
    rows(call);
    RequireReadsBack(call.model.name);
  }
  places.emplace_back(query.size(), query.size());
  for (const ServiceCall& call : found.services) rows(call);
  for (const MlFunction& function : found.functions)
    places.emplace_back(function.begin, function.end);
  for (const StreamReference& stream : found.streams) {
    places.emplace_back(stream.begin, stream.end);
    if (const Name* name = std::get_if<Name>(&stream.source)) RequireReadsBack(*name);
  }
  // In order of text no two may overlap, else a rewrite would garble the query.
  std::sort(places.begin(), places.end());
  size_t at = 0;
  for (const auto& [begin, end] : places) {
    Require(begin >= at && end >= begin && end <= query.size());
    at = end;
  }
}

void Maps(std::string_view text) {
  MappedText mapped;
  mapped.AppendOriginal(text.substr(0, text.size() / 2), 0);
  mapped.Append("(ours)");
  MappedText rest;
  rest.AppendOriginal(text.substr(text.size() / 2), text.size() / 2);
  mapped.Append(rest);
  Require(mapped.text().size() == text.size() + 6);
  for (size_t i = 0; i < mapped.text().size(); ++i) {
    const size_t original = mapped.OriginalOffset(i);
    const bool ours = i >= text.size() / 2 && i < text.size() / 2 + 6;
    Require(ours ? original == text.size() / 2 : text[original] == mapped.text()[i]);
  }
}

void Names(const Statement& statement) {
  std::visit(
      [](const auto& declared) {
        if constexpr (requires { declared.name.Quoted(); }) RequireReadsBack(declared.name);
      },
      statement);
}

void Queries(std::string_view text, const Statement& statement) {
  const auto query = [text](const SourceText& part) {
    RequireStandsIn(text, part);
    Extensions(part.text, 0);
  };
  const auto table = [&](const TableDeclaration& declared) {
    for (const Expectation& expectation : declared.expectations)
      RequireStandsIn(text, expectation.condition);
    if (declared.query) query(*declared.query);
  };
  if (const auto* stream = std::get_if<CreateStreamingTable>(&statement)) table(*stream);
  if (const auto* view = std::get_if<CreateMaterializedView>(&statement)) table(*view);
  if (const auto* flow = std::get_if<CreateFlow>(&statement)) query(flow->query);
  if (const auto* service = std::get_if<CreateService>(&statement)) query(service->query);
  if (const auto* model = std::get_if<CreateModel>(&statement)) {
    if (model->transform) RequireStandsIn(text, *model->transform);
    query(model->query);
  }
}

void Parsed(std::string_view script, const StatementText& statement) {
  try {
    const Statement parsed = Parse(statement.text, {"f.sql", script, statement.offset});
    Names(parsed);
    Queries(statement.text, parsed);
  } catch (const Error& error) {
    RequireUsersError(error);
  }
}

void Script(std::string_view script) {
  size_t at = 0;
  for (const StatementText& statement : SplitStatements(script, "f.sql")) {
    Require(statement.offset >= at && !statement.text.empty());
    Require(script.substr(statement.offset).starts_with(statement.text));
    at = statement.offset + statement.text.size();
    const std::vector<StatementText> again = SplitStatements(statement.text, "");
    Require(again.size() == 1 && again[0].text == statement.text && again[0].offset == 0);
    Parsed(script, statement);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const bool lexes = Tokens(text);
  Quotes(text);
  Maps(text);
  Extensions(text, 0);
  IsComplete(text);
  // As one statement too, semicolons and all; and split, where that is possible.
  Parsed(text, {text, 0});
  if (lexes) Script(text);
  return 0;
}
