// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "catalog/place.h"
#include "flow/run_parts_internal.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

using syntax::QuoteIdentifier;
using syntax::QuoteString;

bool IsCaptured(const lake::TableKey& key) {
  return key.starts_with("inference.") || key.starts_with("feedback.");
}

std::string ColumnList(const std::vector<lake::Column>& columns) {
  std::string list;
  for (const lake::Column& column : columns)
    list += (list.empty() ? "" : ", ") + QuoteIdentifier(column.name);
  return list;
}

std::string Absolute(const std::filesystem::path& root, const std::string& pattern) {
  if (pattern.find("://") != std::string::npos) return pattern;
  return (root / pattern).string();
}

// A project that moves knows its files again.
std::string Relative(const std::filesystem::path& root, const std::string& path) {
  const std::string folder = (root / "").string();
  return path.starts_with(folder) ? path.substr(folder.size()) : path;
}

std::string FormatOf(const syntax::ReadFiles& files) {
  for (const auto& [name, value] : files.options)
    if (name == "format") {
      const auto tokens = syntax::Lex(value, "");
      return ToLower(tokens[0].kind == syntax::TokenKind::kString ? syntax::StringOf(tokens[0])
                                                                  : value);
    }
  std::string pattern = ToLower(files.pattern);
  for (const char* packed : {".gz", ".zst"})
    if (pattern.ends_with(packed)) pattern.resize(pattern.size() - std::string_view(packed).size());
  if (pattern.ends_with(".parquet")) return "parquet";
  for (const char* json : {".json", ".jsonl", ".ndjson"})
    if (pattern.ends_with(json)) return "json";
  for (const char* csv : {".csv", ".tsv"})
    if (pattern.ends_with(csv)) return "csv";
  throw Error(ErrorCode::kInvalidOption,
              "The format of the files cannot be told from their names: " + files.pattern,
              "add format => 'csv', 'json', 'parquet', 'text' or 'binaryFile'");
}

}  // namespace

std::map<std::string, ReadFile> ListFiles(engine::Connection& connection,
                                          const std::filesystem::path& root,
                                          const std::string& pattern) {
  std::map<std::string, ReadFile> files;
  try {
    for (const auto& row : connection.Rows(
             fmt::format("SELECT filename, size, epoch_us(last_modified) FROM read_blob({})",
                         QuoteString(Absolute(root, pattern)))))
      files[Relative(root, row[0].get<std::string>())] = {row[1].get<int64_t>(),
                                                          row[2].get<int64_t>()};
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kIo) throw;  // "No files found"
  }
  return files;
}

StreamSources::StreamSources(const Node& node, RunContext& run) : node_(node), run_(run) {
  const auto found = run.memory.nodes.find(node.name);
  if (found != run.memory.nodes.end()) before_ = &found->second;
  for (const TableRead& read : node.inputs.tables)
    if (read.streamed) AddTable(read);
  for (const syntax::ReadFiles& files : node.inputs.stream_files) AddFiles(files);
}

StreamSources::~StreamSources() {
  for (const std::string& view : views_) {
    try {
      run_.connection.Execute("DROP VIEW IF EXISTS " + view);
    } catch (...) {
      // The transaction is broken; the view goes with the connection.
      return;
    }
  }
}

void StreamSources::AddTable(const TableRead& read) {
  if (!run_.Exists(read.key)) {
    if (IsCaptured(read.key)) {
      available_ = false;
      reason_ = "nothing is captured yet";
      return;
    }
    throw Error(ErrorCode::kTableNotFound, "The stream's source does not exist yet: " + read.key,
                "braid run makes it");
  }
  const auto state = run_.tables.find(read.key);
  const auto position = before_ == nullptr ? std::map<std::string, int64_t>::const_iterator()
                                           : before_->positions.find(read.key);
  const bool was_read = before_ != nullptr && position != before_->positions.end();
  const bool changed_before =
      was_read && state != run_.tables.end() && state->second.append_only_since > position->second;
  if (was_read && (changed_before || run_.replaced.contains(read.key)))
    throw catalog::PlaceInFile(Error(ErrorCode::kStreamSourceChanged,
                                     "The stream's source has updated or deleted rows: " + read.key,
                                     fmt::format("a stream reads what is appended; start it anew: "
                                                 "braid run --full-refresh --select {}",
                                                 node_.target.empty() ? node_.name : node_.target)),
                               node_.object, read.offset);
  const bool committed =
      state != run_.tables.end() && (!was_read || state->second.version > position->second);
  if (!committed && !run_.deltas.contains(read.key)) return;
  if (!was_read && !run_.deltas.contains(read.key) &&
      run_.connection.Scalar(fmt::format("SELECT 1 FROM {} LIMIT 1", LakeName(read.key))).is_null())
    return;
  has_new_ = true;
  if (reason_.empty()) reason_ = "new rows in " + read.key;
}

void StreamSources::AddFiles(const syntax::ReadFiles& files) {
  const auto known = run_.memory.files.find(node_.name);
  std::vector<std::string>& paths = paths_[files.pattern];
  for (auto& [path, file] : ListFiles(run_.connection, run_.root, files.pattern)) {
    const bool read = known != run_.memory.files.end() && known->second.contains(path);
    if (!read) {
      paths.push_back(Absolute(run_.root, path));
      files_[path] = file;
    } else if (known->second.at(path).size != file.size) {
      run_.Notice(
          fmt::format("a file has changed since it was read, and is not read again: {}", path));
    }
  }
  if (before_ == nullptr && paths.empty() && !readers_.contains(files.pattern))
    throw catalog::PlaceInFile(
        Error(ErrorCode::kNotFound, "No files match: " + Absolute(run_.root, files.pattern),
              "the first run needs at least one file, to learn its columns"),
        node_.object, files.offset);
  if (paths.empty()) return;
  has_new_ = true;
  reason_ = fmt::format("{} new {}", paths.size(), paths.size() == 1 ? "file" : "files");
}

std::string StreamSources::Resolve(const syntax::StreamReference& stream) {
  if (const auto* files = std::get_if<syntax::ReadFiles>(&stream.source))
    return ReaderSql(*files, paths_[files->pattern]);
  const auto& name = std::get<syntax::Name>(stream.source);
  const lake::TableKey key =
      lake::MakeTableKey(name.schema.empty() ? "main" : name.schema, name.name);
  // A view of the table's name, so that the query may go on to call it so.
  const std::string view = "temp.main." + QuoteIdentifier(name.name);
  run_.connection.Execute(fmt::format("CREATE OR REPLACE TEMP VIEW {} AS {}",
                                      QuoteIdentifier(name.name), NewRows(key)));
  views_.push_back(view);
  return view;
}

std::string StreamSources::NewRows(const lake::TableKey& key) {
  const std::string columns =
      ColumnList(lake::TableColumns(run_.connection, SchemaOf(key), NameOf(key)));
  const int64_t base = run_.change.base_snapshot;
  std::string rows;
  const auto add = [&rows](const std::string& part) {
    rows += (rows.empty() ? "" : " UNION ALL ") + part;
  };
  const auto state = run_.tables.find(key);
  const bool was_read = before_ != nullptr && before_->positions.contains(key);
  if (state != run_.tables.end() && !was_read && !run_.replaced.contains(key)) {
    add(fmt::format("SELECT {} FROM {} AT (VERSION => {})", columns, LakeName(key), base));
  } else if (state != run_.tables.end() && was_read &&
             state->second.version > before_->positions.at(key)) {
    add(fmt::format("SELECT {} FROM ducklake_table_insertions('lake', {}, {}, {}, {})", columns,
                    QuoteString(state->second.schema), QuoteString(state->second.name),
                    before_->positions.at(key) + 1, base));
  }
  if (run_.replaced.contains(key)) {
    add(fmt::format("SELECT {} FROM {}", columns, LakeName(key)));
  } else if (run_.deltas.contains(key)) {
    add(fmt::format("SELECT {} FROM {}", columns, run_.deltas.at(key)));
  }
  return rows.empty() ? fmt::format("SELECT {} FROM {} WHERE FALSE", columns, LakeName(key)) : rows;
}

std::string StreamSources::ReaderSql(const syntax::ReadFiles& files,
                                     const std::vector<std::string>& paths) {
  const std::string format = FormatOf(files);
  std::string list;
  for (const std::string& path : paths) list += (list.empty() ? "" : ", ") + QuoteString(path);
  list = "[" + list + "]";
  if (format == "binaryfile")
    return fmt::format(
        "(SELECT filename AS path, last_modified AS \"modificationTime\", size AS length, content "
        "FROM read_blob({}))",
        list);
  if (format == "text")
    return fmt::format(
        "(SELECT unnest(string_split(rtrim(content, chr(10)), chr(10))) AS value FROM "
        "read_text({}))",
        list);
  const bool csv = format == "csv";
  if (!csv && format != "json" && format != "parquet")
    throw catalog::PlaceInFile(Error(ErrorCode::kInvalidOption, "Not a format of files: " + format,
                                     "the formats are csv, json, parquet, text and binaryFile"),
                               node_.object, files.offset);
  std::string options;
  bool typed = false;
  for (const auto& [name, value] : files.options) {
    if (name == "format") continue;
    typed =
        typed || name == "types" || name == "dtypes" || name == "columns" || name == "all_varchar";
    options += fmt::format(", {} = {}", name, value);
  }
  const auto make = [&](const std::string& more) {
    return fmt::format("(SELECT * FROM read_{}({}{}{}))", format, list, options, more);
  };
  if (!csv || typed) return make("");
  // What the first files' columns were taken for holds for all later ones.
  if (before_ != nullptr && before_->readers.contains(files.pattern)) {
    std::string types;
    for (const lake::Column& column : before_->readers.at(files.pattern))
      types += fmt::format("{}{}: {}", types.empty() ? "" : ", ", QuoteString(column.name),
                           QuoteString(column.type));
    return make(", types = {" + types + "}");
  }
  const engine::StatementInfo info = run_.connection.DescribeStatement("SELECT * FROM " + make(""));
  for (size_t i = 0; i < info.column_names.size(); ++i)
    if (info.column_names[i] != "filename")
      readers_[files.pattern].push_back({info.column_names[i], info.column_types[i]});
  return make("");
}

void StreamSources::Advance(NodeState& state) const {
  for (const TableRead& read : node_.inputs.tables)
    if (read.streamed) state.positions[read.key] = run_.change.base_snapshot + 1;
  for (const auto& [pattern, columns] : readers_) state.readers[pattern] = columns;
}

}  // namespace braid::flow
