// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/text.h"
#include "flow/query_tree_internal.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

using nlohmann::json;

template <size_t N>
bool IsOneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Table functions whose rows come from their arguments alone.
constexpr std::array<std::string_view, 8> kPure = {"range",     "generate_series",    "unnest",
                                                   "repeat",    "repeat_row",         "json_each",
                                                   "json_tree", "generate_subscripts"};

constexpr std::array<std::string_view, 17> kFileReaders = {"read_csv",
                                                           "read_csv_auto",
                                                           "sniff_csv",
                                                           "read_json",
                                                           "read_json_auto",
                                                           "read_json_objects",
                                                           "read_json_objects_auto",
                                                           "read_ndjson",
                                                           "read_ndjson_auto",
                                                           "read_ndjson_objects",
                                                           "read_parquet",
                                                           "parquet_scan",
                                                           "parquet_metadata",
                                                           "parquet_schema",
                                                           "read_blob",
                                                           "read_text",
                                                           "glob"};

bool IsEngineName(std::string_view schema, std::string_view name) {
  if (schema == "information_schema" || schema == "pg_catalog") return true;
  return schema.empty() && (name.starts_with("duckdb_") || name.starts_with("pragma_") ||
                            name.starts_with("sqlite_"));
}

// 'pattern' or ['pattern', …].
bool AddPatterns(const json& argument, FilePatterns& patterns) {
  if (TextOf(argument, "type") == "VALUE_CONSTANT") {
    const std::string_view text = TextOf(argument.at("value"), "value");
    if (!text.empty()) patterns.emplace_back(&argument, text);
    return !text.empty();
  }
  const json* items = Find(argument, "children");
  if (TextOf(argument, "function_name") != "list_value" || items == nullptr) return false;
  return std::all_of(items->begin(), items->end(),
                     [&](const json& item) { return AddPatterns(item, patterns); });
}

}  // namespace

bool IsFileName(std::string_view name) {
  std::string lower = ToLower(name);
  for (const std::string_view packed : {".gz", ".zst"})
    if (lower.ends_with(packed)) lower.resize(lower.size() - packed.size());
  for (const std::string_view ending : {".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson"})
    if (lower.ends_with(ending)) return true;
  return false;
}

std::optional<lake::TableKey> TableKeyOf(const json& table) {
  const std::string catalog = ToLower(TextOf(table, "catalog_name"));
  std::string schema = ToLower(TextOf(table, "schema_name"));
  const std::string_view name = TextOf(table, "table_name");
  if (catalog.empty() && schema.empty() && IsFileName(name)) return std::nullopt;
  // `lake.t` is the lake's schema main, as the engine has it.
  if (catalog.empty() && schema == "lake") schema.clear();
  if ((!catalog.empty() && catalog != "lake") || IsEngineName(schema, ToLower(name)))
    return std::nullopt;
  return lake::MakeTableKey(schema.empty() ? "main" : schema, name);
}

std::optional<FilePatterns> FilePatternsOf(const json& function) {
  const json* arguments = Find(function, "children");
  FilePatterns patterns;
  if (!IsOneOf(ToLower(TextOf(function, "function_name")), kFileReaders) || arguments == nullptr ||
      !AddPatterns(arguments->front(), patterns))
    return std::nullopt;
  return patterns;
}

bool IsPureFunction(std::string_view name) { return IsOneOf(name, kPure); }

const Extension* ParsedQuery::ExtensionOf(const json& function) const {
  const json* arguments = Find(function, "children");
  if (TextOf(function, "function_name") != kSourceFunction || arguments == nullptr) return nullptr;
  const json* constant = Find(arguments->front(), "value");
  const json* index = constant == nullptr ? nullptr : Find(*constant, "value");
  if (index == nullptr || !index->is_number_unsigned()) return nullptr;
  return index->get<size_t>() < extensions.size() ? &extensions[index->get<size_t>()] : nullptr;
}

}  // namespace braid::flow
