// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "catalog/place.h"
#include "flow/query_tree_internal.h"
#include "flow/require_utf8_internal.h"
#include "syntax/script.h"
#include "syntax/select_list.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

using syntax::MappedText;

constexpr int kMaximumDepth = 100;

[[noreturn]] void Fail(std::string_view query, size_t offset, std::string message, std::string hint,
                       ErrorCode code = ErrorCode::kSyntax) {
  throw Error(code, std::move(message), std::move(hint), SpotAt(query, offset, ""));
}

// Writes calls of the source function for what DuckDB does not know.
class Substitution {
 public:
  Substitution(std::string_view query, ParsedQuery& parsed) : query_(query), parsed_(parsed) {}

  MappedText Substitute(size_t begin, size_t end, int depth) {
    if (depth > kMaximumDepth) Fail(query_, begin, "Queries are nested too deeply", "");
    const std::string_view part = query_.substr(begin, end - begin);
    struct Piece {
      size_t begin;
      size_t end;
      MappedText text;
    };
    std::vector<Piece> pieces;
    syntax::QueryExtensions found = FindIn(part, begin);
    for (syntax::MlCall& call : found.calls)
      pieces.push_back({call.begin, call.end, Call(std::move(call), begin, depth)});
    for (syntax::MlRowsCall& call : found.rows_calls)
      pieces.push_back({call.begin, call.end, RowsCall(std::move(call), begin, depth)});
    for (const syntax::MlFunction& function : found.functions)
      pieces.push_back({function.begin, function.end, Function(function, begin, depth)});
    for (syntax::ServiceCall& call : found.services)
      pieces.push_back({call.begin, call.end, Call(std::move(call), begin, depth)});
    for (syntax::StreamReference& stream : found.streams)
      pieces.push_back({stream.begin, stream.end, Stream(stream, begin)});
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
    MappedText result;
    size_t at = 0;
    for (const Piece& piece : pieces) {
      result.AppendOriginal(part.substr(at, piece.begin - at), begin + at);
      result.Append(piece.text);
      at = piece.end;
    }
    result.AppendOriginal(part.substr(at), begin + at);
    return result;
  }

 private:
  syntax::QueryExtensions FindIn(std::string_view part, size_t begin) const {
    try {
      return syntax::FindExtensions(part);
    } catch (const Error& error) {
      const size_t inside = error.where() ? catalog::OffsetOf(part, *error.where()) : 0;
      Fail(query_, begin + inside, error.message(), error.hint(), error.code());
    }
  }

  // Keeps an extension, its offsets counted in the whole query; returns the head of its call.
  MappedText Keep(Extension extension, size_t anchor) {
    MappedText text;
    text.Append(fmt::format("\"{}\"({}", kSourceFunction, parsed_.extensions.size()), anchor);
    parsed_.extensions.push_back(std::move(extension));
    return text;
  }

  static void Move(syntax::MlCall& call, size_t by) {
    for (syntax::ModelReference& model : call.models) {
      model.offset += by;
      model.name.offset += by;
    }
    call.function_offset += by;
  }
  static void Move(syntax::ServiceCall& call, size_t by) { call.name.offset += by; }

  static std::vector<syntax::RowsArgument> RowsOf(const syntax::MlCall& call) { return call.rows; }
  static std::vector<syntax::RowsArgument> RowsOf(const syntax::ServiceCall& call) {
    return {call.rows};
  }

  template <typename AnyCall>
  MappedText Call(AnyCall call, size_t base, int depth) {
    const std::vector<syntax::RowsArgument> arguments = RowsOf(call);
    const size_t anchor = base + call.begin;
    Move(call, base);
    MappedText text = Keep(std::move(call), anchor);
    for (const syntax::RowsArgument& rows : arguments) AppendRows(rows, base, depth, text);
    text.Append(")");
    return text;
  }

  MappedText RowsCall(syntax::MlRowsCall call, size_t base, int depth) {
    const std::vector<syntax::RowsArgument> arguments = call.rows;
    const size_t anchor = base + call.begin;
    MappedText text = Keep(std::move(call), anchor);
    for (const syntax::RowsArgument& rows : arguments) AppendRows(rows, base, depth, text);
    text.Append(")");
    return text;
  }

  void AppendRows(const syntax::RowsArgument& rows, size_t base, int depth, MappedText& text) {
    if (rows.table) {
      text.Append(", (SELECT * FROM ", base + rows.table->offset);
      text.Append(rows.table->Quoted(), base + rows.table->offset);
      text.Append(")");
    } else if (rows.query) {
      const size_t begin = base + rows.query->offset;
      text.Append(", (", begin);
      text.Append(Substitute(begin, begin + rows.query->text.size(), depth + 1));
      text.Append("\n)");  // the query may end in a comment
    }
  }

  // A preprocessing function: what its first argument reads; the others are literals.
  MappedText Function(const syntax::MlFunction& function, size_t base, int depth) {
    MappedText text;
    text.Append("list_value(", base + function.begin);
    if (function.arguments.empty()) {
      text.Append(")");
      return text;
    }
    const syntax::SourceText& argument = function.arguments[0];
    const size_t inside = base + argument.offset;
    std::vector<syntax::SelectItem> fields = syntax::ParseStruct(argument.text);
    if (fields.empty()) fields.push_back({.expression = {argument.text, 0}});
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) text.Append(", ");
      const size_t begin = inside + fields[i].expression.offset;
      text.Append(Substitute(begin, begin + fields[i].expression.text.size(), depth + 1));
    }
    text.Append(")");
    return text;
  }

  MappedText Stream(const syntax::StreamReference& stream, size_t base) {
    if (const auto* files = std::get_if<syntax::ReadFiles>(&stream.source)) {
      syntax::ReadFiles moved = *files;
      moved.offset += base;
      const size_t anchor = moved.offset;
      MappedText text = Keep(std::move(moved), anchor);
      text.Append(")");
      return text;
    }
    const auto& name = std::get<syntax::Name>(stream.source);
    parsed_.streamed.insert(base + name.offset);
    MappedText text;
    text.Append(name.Quoted(), base + name.offset);
    return text;
  }

  std::string_view query_;
  ParsedQuery& parsed_;
};

// Parser errors count characters, unlike all else that DuckDB says about places.
size_t ByteOffset(std::string_view text, size_t characters) {
  size_t at = 0;
  for (; at < text.size() && characters > 0; --characters) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

size_t FindWord(std::string_view query, std::string_view word) {
  for (const syntax::Token& token : syntax::Lex(query, ""))
    if (token.Is(word)) return token.begin;
  return std::string_view::npos;
}

[[noreturn]] void FailUnserializable(std::string_view query) {
  const size_t pivot = FindWord(query, "PIVOT");
  if (pivot != std::string_view::npos)
    Fail(query, pivot, "PIVOT without its values has no columns that are known beforehand",
         "name the values: PIVOT t ON column IN ('a', 'b') USING …", ErrorCode::kNotSupported);
  const auto tokens = syntax::Lex(query, "");
  Fail(query, tokens[0].begin, fmt::format("Expected a query: {}", tokens[0].text),
       "write SELECT …, FROM …, VALUES … or WITH …");
}

[[noreturn]] void FailParse(std::string_view query, const MappedText& text,
                            const nlohmann::json& answer) {
  if (TextOf(answer, "error_type") == "not implemented") FailUnserializable(query);
  std::string message(TextOf(answer, "error_message"));
  const std::string_view position = TextOf(answer, "position");
  size_t characters = 0;
  std::from_chars(position.data(), position.data() + position.size(), characters);
  const size_t offset = text.OriginalOffset(ByteOffset(text.text(), characters));
  // A call that stands where no table may stand is named as it was written.
  const std::string ours = fmt::format("\"{}\"", kSourceFunction);
  if (const size_t at = message.find(ours); at != std::string::npos)
    message.replace(at, ours.size(), syntax::Lex(query.substr(offset), "")[0].text);
  Fail(query, offset, std::move(message), "");
}

}  // namespace

const nlohmann::json* Find(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string_view TextOf(const nlohmann::json& object, const char* name) {
  const nlohmann::json* member = Find(object, name);
  if (member == nullptr || !member->is_string()) return {};
  return member->get_ref<const std::string&>();
}

size_t ParsedQuery::OffsetOf(const nlohmann::json& node) const {
  const nlohmann::json* location = Find(node, "query_location");
  const bool known = location != nullptr && location->is_number_unsigned();
  return text.OriginalOffset(known ? location->get<size_t>() : 0);
}

QueryReader::State::State()
    : database_({.threads = 1, .memory_limit = {}, .temp_directory = {}, .with_extensions = false}),
      connection_(database_),
      serialize_(
          connection_.Prepare("SELECT CAST(json_serialize_sql($1::VARCHAR, skip_null => true, "
                              "skip_empty => true, skip_default => true) AS VARCHAR)")) {}

ParsedQuery QueryReader::State::Parse(std::string_view query) {
  RequireUtf8(query, "");
  ParsedQuery parsed;
  parsed.text = Substitution(query, parsed).Substitute(0, query.size(), 0);
  const engine::Value parameters[] = {parsed.text.text()};
  engine::Result result = serialize_.Execute(parameters);
  const auto chunk = result.Next();
  BRAID_CHECK(chunk && chunk->rows() == 1);
  nlohmann::json answer = nlohmann::json::parse(chunk->Value(0, 0).get_ref<const std::string&>());
  if (answer.at("error") == true) FailParse(query, parsed.text, answer);
  nlohmann::json& statements = answer.at("statements");
  if (statements.empty()) Fail(query, 0, "Expected a query", "write SELECT …, FROM … or VALUES …");
  if (statements.size() > 1)
    Fail(query, syntax::SplitStatements(query, "").at(1).offset, "A query is one statement",
         "remove the semicolon");
  parsed.root = std::move(statements[0]);
  return parsed;
}

}  // namespace braid::flow
