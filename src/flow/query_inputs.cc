// SPDX-License-Identifier: Apache-2.0
#include "flow/query_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "flow/query_tree_internal.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

using nlohmann::json;

class Walker {
 public:
  Walker(std::string_view query, const ParsedQuery& parsed) : query_(query), parsed_(parsed) {}

  QueryInputs Run() {
    Walk(parsed_.root);
    for (const Extension& extension : parsed_.extensions) {
      if (const auto* call = std::get_if<syntax::MlCall>(&extension))
        inputs_.models.insert(inputs_.models.end(), call->models.begin(), call->models.end());
      if (const auto* call = std::get_if<syntax::ServiceCall>(&extension))
        inputs_.services.push_back(call->name);
      if (const auto* files = std::get_if<syntax::ReadFiles>(&extension))
        inputs_.stream_files.push_back(*files);
    }
    std::stable_sort(inputs_.tables.begin(), inputs_.tables.end(),
                     [](const TableRead& a, const TableRead& b) { return a.offset < b.offset; });
    std::stable_sort(files_.begin(), files_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [offset, pattern] : files_) inputs_.file_patterns.push_back(std::move(pattern));
    return std::move(inputs_);
  }

 private:
  void Walk(const json& value) {
    if (value.is_array()) {
      for (const json& item : value) Walk(item);
      return;
    }
    if (!value.is_object()) return;
    const size_t outer = common_names_.size();
    WalkCommonTables(value);
    const std::string_view type = TextOf(value, "type");
    if (type == "BASE_TABLE") {
      TakeTable(value);
    } else if (type == "TABLE_FUNCTION") {
      TakeFunction(value.at("function"));
    } else if (type == "SHOW_REF" && Find(value, "query") == nullptr) {
      inputs_.reads_unknown = true;
    } else if (type == "RECURSIVE_CTE_NODE") {
      // The first half does not see the rows that the second half adds to.
      Walk(value.at("left"));
      common_names_.push_back(ToLower(TextOf(value, "cte_name")));
      WalkMembers(value, "left");
      common_names_.resize(outer);
      return;
    }
    WalkMembers(value, "");
    common_names_.resize(outer);
  }

  void WalkMembers(const json& object, std::string_view except) {
    for (const auto& [name, member] : object.items())
      if (name != "cte_map" && name != except && member.is_structured()) Walk(member);
  }

  // Each common table sees those before it, not itself: inside WITH t AS (FROM t) stands the table.
  void WalkCommonTables(const json& node) {
    const json* common = Find(node, "cte_map");
    const json* entries = common == nullptr ? nullptr : Find(*common, "map");
    if (entries == nullptr) return;
    for (const json& entry : *entries) {
      Walk(entry.at("value"));
      common_names_.push_back(ToLower(TextOf(entry, "key")));
    }
  }

  void TakeTable(const json& table) {
    const std::string_view schema = TextOf(table, "schema_name");
    const std::string_view name = TextOf(table, "table_name");
    const bool bare = schema.empty() && TextOf(table, "catalog_name").empty();
    const size_t offset = parsed_.OffsetOf(table);
    const bool streamed = parsed_.streamed.contains(offset);
    if ((bare || schema == "recurring") && IsCommonName(ToLower(name))) {
      if (!streamed) return;
      throw Error(ErrorCode::kSyntax, fmt::format("STREAM names a common table: {}", name),
                  "put STREAM before the table inside WITH", SpotAt(query_, offset, ""));
    }
    if (const auto key = TableKeyOf(table)) {
      inputs_.tables.push_back({*key, streamed, offset});
    } else if (bare && IsFileName(name)) {
      files_.emplace_back(offset, name);
    } else {
      inputs_.reads_unknown = true;
    }
  }

  bool IsCommonName(const std::string& name) const {
    return std::find(common_names_.begin(), common_names_.end(), name) != common_names_.end();
  }

  void TakeFunction(const json& function) {
    const std::string name = ToLower(TextOf(function, "function_name"));
    if (parsed_.ExtensionOf(function) != nullptr || IsPureFunction(name)) return;
    if (name == "read_files")
      throw Error(ErrorCode::kSyntax, "read_files stands without STREAM",
                  "write STREAM read_files(…), or read all of the files each time with read_csv, "
                  "read_json or read_parquet",
                  SpotAt(query_, parsed_.OffsetOf(function), ""));
    const auto patterns = FilePatternsOf(function);
    if (!patterns) inputs_.reads_unknown = true;
    if (patterns)
      for (const auto& [node, pattern] : *patterns)
        files_.emplace_back(parsed_.OffsetOf(*node), pattern);
  }

  std::string_view query_;
  const ParsedQuery& parsed_;
  QueryInputs inputs_;
  std::vector<std::string> common_names_;
  std::vector<std::pair<size_t, std::string>> files_;  // by where they stand
};

}  // namespace

QueryReader::QueryReader() = default;
QueryReader::~QueryReader() = default;

ParsedQuery QueryReader::Parse(std::string_view query) {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  return state_->Parse(query);
}

QueryInputs QueryReader::Read(std::string_view query) {
  const ParsedQuery parsed = Parse(query);
  return Walker(query, parsed).Run();
}

}  // namespace braid::flow
