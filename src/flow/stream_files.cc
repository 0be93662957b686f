// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "flow/stream_files_internal.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

namespace fs = std::filesystem;
using syntax::QuoteIdentifier;
using syntax::QuoteString;

enum class FileFormat : uint8_t { kCsv, kJson, kParquet, kText, kBinary };

constexpr std::array<std::pair<std::string_view, FileFormat>, 5> kFormats = {
    {{"csv", FileFormat::kCsv},
     {"json", FileFormat::kJson},
     {"parquet", FileFormat::kParquet},
     {"text", FileFormat::kText},
     {"binaryfile", FileFormat::kBinary}}};

constexpr std::array<std::pair<std::string_view, FileFormat>, 6> kEndings = {
    {{".csv", FileFormat::kCsv},
     {".tsv", FileFormat::kCsv},
     {".json", FileFormat::kJson},
     {".jsonl", FileFormat::kJson},
     {".ndjson", FileFormat::kJson},
     {".parquet", FileFormat::kParquet}}};

FileFormat FormatByName(const std::string& text) {
  const std::vector<syntax::Token> tokens = syntax::Lex(text, "");
  const bool is_string = tokens.size() == 2 && tokens[0].kind == syntax::TokenKind::kString;
  const std::string name = syntax::ToLower(is_string ? syntax::StringOf(tokens[0]) : text);
  for (const auto& [known, format] : kFormats)
    if (name == known) return format;
  std::vector<std::string> known;
  for (const auto& entry : kFormats) known.emplace_back(entry.first);
  const auto close = ClosestMatch(name, known);
  throw Error(ErrorCode::kInvalidOption, fmt::format("Unknown format of files: {}", text),
              close ? fmt::format("did you mean '{}'?", *close)
                    : "formats are 'csv', 'json', 'parquet', 'text' and 'binaryFile'");
}

FileFormat FormatOf(const syntax::ReadFiles& source) {
  for (const auto& [name, value] : source.options)
    if (name == "format") return FormatByName(value);
  std::string path = syntax::ToLower(source.pattern);
  for (const std::string_view packed : {".gz", ".zst"})
    if (path.ends_with(packed)) path.resize(path.size() - packed.size());
  for (const auto& [ending, format] : kEndings)
    if (path.ends_with(ending)) return format;
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("The format of files is not clear from their names: {}", source.pattern),
              "say format => 'csv', 'json', 'parquet', 'text' or 'binaryFile'");
}

bool HasOption(const syntax::ReadFiles& source, std::string_view name) {
  return std::any_of(source.options.begin(), source.options.end(),
                     [&](const auto& option) { return option.first == name; });
}

std::string FileList(const RunContext& context, const FileBatch& batch) {
  std::string list;
  for (const auto& entry : batch.fresh)
    list += (list.empty() ? "" : ", ") + QuoteString((context.root / entry.first).string());
  return "[" + list + "]";
}

// {'name': 'TYPE', …}
std::string TypeMap(const std::vector<lake::Column>& columns) {
  std::string map;
  for (const lake::Column& column : columns)
    map += fmt::format("{}{}: {}", map.empty() ? "" : ", ", QuoteString(column.name),
                       QuoteString(column.type));
  return "{" + map + "}";
}

std::string ReaderCall(const RunContext& context, const syntax::ReadFiles& source,
                       const FileBatch& batch, std::string_view function,
                       const std::string& extra) {
  std::string call = fmt::format("{}({}", function, FileList(context, batch));
  for (const auto& [name, value] : source.options)
    if (name != "format") call += fmt::format(", {} = {}\n", QuoteIdentifier(name), value);
  if (!HasOption(source, "union_by_name")) call += ", union_by_name = true";
  return fmt::format("SELECT * FROM {}{})", call, extra);
}

std::vector<lake::Column> ColumnsOf(engine::Connection& connection, const std::string& query) {
  const engine::StatementInfo info = connection.DescribeStatement(query);
  std::vector<lake::Column> columns;
  for (size_t i = 0; i < info.column_names.size(); ++i)
    columns.push_back({info.column_names[i], info.column_types[i]});
  return columns;
}

bool IsInteger(std::string_view type) {
  return type.ends_with("INT") || type == "INTEGER" || type == "UINTEGER";
}

bool HasFractions(std::string_view type) {
  return type == "DOUBLE" || type == "FLOAT" || type.starts_with("DECIMAL");
}

// The types of the first read stay; columns that are new keep what the reader finds.
std::vector<lake::Column> Merged(const std::vector<lake::Column>& first,
                                 const std::vector<lake::Column>& found) {
  std::vector<lake::Column> merged;
  for (lake::Column column : found) {
    for (const lake::Column& known : first) {
      if (!syntax::EqualsIgnoringCase(known.name, column.name)) continue;
      // DuckDB would round on the way to an integer.
      if (IsInteger(known.type) && HasFractions(column.type))
        throw Error(
            ErrorCode::kConversion,
            fmt::format(
                "New files have fractions where the first ones had whole numbers: {} is {}, was {}",
                column.name, column.type, known.type),
            fmt::format("say types => {{{}: 'DOUBLE'}} in read_files and read all again: braid run "
                        "--select "
                        "<node> --full-refresh",
                        QuoteString(column.name)));
      column.type = known.type;
    }
    merged.push_back(std::move(column));
  }
  return merged;
}

// `name` is the option that gives the reader its types.
std::string TypedQuery(RunContext& context, const syntax::ReadFiles& source, const FileBatch& batch,
                       std::string_view function, const char* name,
                       std::vector<lake::Column>& columns) {
  const std::string plain = ReaderCall(context, source, batch, function, "");
  const std::vector<lake::Column> found = ColumnsOf(context.change.connection, plain);
  if (columns.empty()) {
    columns = found;
    return plain;
  }
  if (HasOption(source, name) || HasOption(source, "columns") || HasOption(source, "all_varchar"))
    return plain;
  std::vector<lake::Column> typed;
  for (const lake::Column& column : Merged(columns, found))
    if (column.name != "filename" || !HasOption(source, "filename")) typed.push_back(column);
  if (typed.empty()) return plain;
  return ReaderCall(context, source, batch, function,
                    fmt::format(", {} = {}", name, TypeMap(typed)));
}

void RefuseOptions(const syntax::ReadFiles& source) {
  for (const auto& option : source.options)
    if (option.first != "format")
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("This format of files has no such option: {}", option.first),
                  "text and binaryFile take none");
}

std::string EmptyQuery(const std::vector<lake::Column>& columns) {
  std::string list;
  for (const lake::Column& column : columns)
    list += fmt::format("{}CAST(NULL AS {}) AS {}", list.empty() ? "" : ", ", column.type,
                        QuoteIdentifier(column.name));
  return fmt::format("SELECT {} WHERE false", list);
}

std::string StoredPath(const RunContext& context, const std::string& path) {
  const fs::path relative = fs::path(path).lexically_relative(context.root);
  const bool below = !relative.empty() && *relative.begin() != "..";
  return below ? relative.generic_string() : path;
}

}  // namespace

std::string AbsolutePattern(const RunContext& context, const std::string& pattern) {
  if (pattern.find("://") != std::string::npos || pattern.starts_with("~")) return pattern;
  return (context.root / pattern).lexically_normal().string();
}

std::map<std::string, ReadFile> ListFiles(RunContext& context, const std::string& pattern) {
  std::map<std::string, ReadFile> files;
  const engine::Value parameters[] = {AbsolutePattern(context, pattern)};
  for (const auto& row : context.change.connection.Rows("SELECT file FROM glob($1)", parameters)) {
    const std::string& path = row[0].get_ref<const std::string&>();
    std::error_code gone;
    const auto size = fs::file_size(path, gone);
    if (gone) continue;
    const auto modified = std::chrono::file_clock::to_sys(fs::last_write_time(path, gone));
    if (gone) continue;
    const auto micros =
        std::chrono::floor<std::chrono::microseconds>(modified).time_since_epoch().count();
    files[StoredPath(context, path)] = {static_cast<int64_t>(size), micros};
  }
  return files;
}

FileBatch FindNewFiles(RunContext& context, const std::string& node,
                       const syntax::ReadFiles& source) {
  FileBatch batch{.pattern = AbsolutePattern(context, source.pattern)};
  std::map<std::string, ReadFile> files = ListFiles(context, source.pattern);
  batch.matched = files.size();
  const auto known = context.memory.files.find(node);
  for (auto& [path, file] : files) {
    if (known != context.memory.files.end()) {
      const auto read = known->second.find(path);
      if (read != known->second.end()) {
        if (!(read->second == file)) batch.changed.push_back(path);
        continue;
      }
    }
    batch.fresh.emplace(path, file);
  }
  return batch;
}

bool FolderExists(const std::string& absolute_pattern) {
  std::string fixed = absolute_pattern.substr(0, absolute_pattern.find_first_of("*?[{"));
  const size_t slash = fixed.rfind('/');
  if (slash == std::string::npos) return true;
  std::error_code ignored;
  return fs::is_directory(fixed.substr(0, slash + 1), ignored);
}

std::optional<std::string> FilesQuery(RunContext& context, const syntax::ReadFiles& source,
                                      const FileBatch& batch, std::vector<lake::Column>& columns) {
  const FileFormat format = FormatOf(source);
  if (batch.fresh.empty()) {
    if (columns.empty()) return std::nullopt;
    return EmptyQuery(columns);
  }
  switch (format) {
    case FileFormat::kCsv:
      return TypedQuery(context, source, batch, "read_csv", "types", columns);
    case FileFormat::kJson:
      return TypedQuery(context, source, batch, "read_json", "columns", columns);
    case FileFormat::kParquet: {
      const std::string query = ReaderCall(context, source, batch, "read_parquet", "");
      if (columns.empty()) columns = ColumnsOf(context.change.connection, query);
      return query;
    }
    case FileFormat::kText:
      RefuseOptions(source);
      columns = {{"value", "VARCHAR"}};
      // A final line end begins no further line.
      return fmt::format(
          "SELECT rtrim(unnest(string_split(regexp_replace(content, '\\n$', ''), chr(10))), "
          "chr(13)) AS value FROM "
          "read_text({}) WHERE content <> ''",
          FileList(context, batch));
    case FileFormat::kBinary:
      RefuseOptions(source);
      columns = {{"path", "VARCHAR"},
                 {"modificationTime", "TIMESTAMP WITH TIME ZONE"},
                 {"length", "BIGINT"},
                 {"content", "BLOB"}};
      return fmt::format(
          "SELECT filename AS path, last_modified AS \"modificationTime\", size AS length, content "
          "FROM read_blob({})",
          FileList(context, batch));
  }
  return std::nullopt;
}

std::string FilesFingerprint(RunContext& context, const std::string& pattern) {
  std::string text;
  for (const auto& [path, file] : ListFiles(context, pattern))
    text += fmt::format("{}\x1F{}\x1F{}\x1E", path, file.size, file.modified_us);
  return Sha256Hex(text);
}

}  // namespace braid::flow
