// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "engine/duckdb_internal.h"

namespace braid::engine {

namespace {

constexpr std::string_view kMark = "braid-error:";

// "…braid-error:CODE:message\x1Fhint…" → the Error.
std::optional<Error> Decode(std::string_view text) {
  const size_t mark = text.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  text.remove_prefix(mark + kMark.size());
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto code = FindErrorCode(text.substr(0, colon));
  if (!code) return std::nullopt;
  text.remove_prefix(colon + 1);
  const size_t separator = text.find('\x1F');
  return Error(*code, std::string(text.substr(0, separator)),
               separator == std::string_view::npos ? "" : std::string(text.substr(separator + 1)));
}

ErrorCode CodeOf(duckdb_error_type type, std::string_view message) {
  switch (type) {
    case DUCKDB_ERROR_PARSER:
    case DUCKDB_ERROR_SYNTAX:
      return ErrorCode::kSyntax;
    case DUCKDB_ERROR_CATALOG:
      if (message.find("already exists") != std::string_view::npos)
        return ErrorCode::kAlreadyExists;
      return message.find("Table with name") != std::string_view::npos ||
                     message.find("View with name") != std::string_view::npos
                 ? ErrorCode::kTableNotFound
                 : ErrorCode::kBinder;
    case DUCKDB_ERROR_BINDER:
      return ErrorCode::kBinder;
    case DUCKDB_ERROR_CONVERSION:
    case DUCKDB_ERROR_MISMATCH_TYPE:
    case DUCKDB_ERROR_OUT_OF_RANGE:
      return ErrorCode::kConversion;
    case DUCKDB_ERROR_CONSTRAINT:
      return ErrorCode::kConstraint;
    case DUCKDB_ERROR_TRANSACTION:
      return ErrorCode::kInvalidTransaction;
    case DUCKDB_ERROR_IO:
      return ErrorCode::kIo;
    case DUCKDB_ERROR_INTERRUPT:
      return ErrorCode::kInterrupted;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return ErrorCode::kOutOfMemory;
    case DUCKDB_ERROR_NOT_IMPLEMENTED:
      return ErrorCode::kNotSupported;
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_FATAL:
      return ErrorCode::kInternal;
    default:
      return ErrorCode::kSqlExecution;
  }
}

// The message without its "Binder Error: " and without the "LINE 1: …" picture.
std::string CleanMessage(std::string_view message) {
  const size_t line = message.find("\n\nLINE ");
  if (line != std::string_view::npos) message = message.substr(0, line);
  const size_t colon = message.find("Error: ");
  if (colon != std::string_view::npos && colon < 40) message.remove_prefix(colon + 7);
  while (message.ends_with('\n')) message.remove_suffix(1);
  return std::string(message);
}

// Where that many characters of UTF-8 end.
size_t ByteOffset(std::string_view text, size_t characters) {
  size_t at = 0;
  while (at < text.size() && characters > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    --characters;
  }
  return at;
}

std::string TextOr(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string EncodeError(const Error& error) {
  return fmt::format("{}{}:{}\x1F{}", kMark, Describe(error.code()).text, error.message(),
                     error.hint());
}

Error TranslateError(duckdb_error_type type, std::string_view message, std::string_view sql) {
  // With errors_as_json a message is {"exception_type", "exception_message", "position",
  // "candidates", …}, where parser errors put "Parser Error: " before it.
  const size_t brace = message.find('{');
  nlohmann::json parsed;
  if (brace != std::string_view::npos && message.ends_with('}'))
    parsed = nlohmann::json::parse(message.substr(brace), nullptr, false);
  const bool structured = parsed.is_object() && parsed.contains("exception_message");
  const std::string text = structured ? TextOr(parsed, "exception_message") : std::string(message);
  if (auto own = Decode(text)) return *own;
  std::string clean = CleanMessage(text);
  std::string hint;
  // DuckDB writes its suggestions below the message.
  for (const char* start : {"\nDid you mean ", "\n\nDid you mean ", "\nCandidate bindings: "}) {
    const size_t at = clean.find(start);
    if (at == std::string::npos) continue;
    hint = clean.substr(clean.find_first_not_of('\n', at));
    clean.erase(at);
    if (hint.starts_with("Did")) hint[0] = 'd';
    if (hint.starts_with("Cand")) hint[0] = 'c';
    break;
  }
  Error error(CodeOf(type, clean), clean, hint);
  const std::string position = structured ? TextOr(parsed, "position") : "";
  size_t offset = 0;
  if (position.empty() ||
      std::from_chars(position.data(), position.data() + position.size(), offset).ec != std::errc())
    return error;
  // DuckDB's parser counts characters, its binder bytes.
  const bool counts_characters = type == DUCKDB_ERROR_PARSER || type == DUCKDB_ERROR_SYNTAX;
  return error.At(SpotAt(sql, counts_characters ? ByteOffset(sql, offset) : offset, ""));
}

}  // namespace braid::engine
