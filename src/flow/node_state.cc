// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "engine/appender.h"
#include "flow/node_state_internal.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

using nlohmann::ordered_json;

ordered_json ColumnsToJson(const std::vector<lake::Column>& columns) {
  ordered_json list = ordered_json::array();
  for (const lake::Column& column : columns) list.push_back({column.name, column.type});
  return list;
}

std::vector<lake::Column> ColumnsFromJson(const ordered_json& list) {
  std::vector<lake::Column> columns;
  for (const auto& column : list) columns.push_back({column.at(0), column.at(1)});
  return columns;
}

NodeState StateFromRow(const std::vector<ordered_json>& row) {
  NodeState state{.definition_hash = row[1].get<std::string>()};
  state.inputs = ordered_json::parse(row[2].get_ref<const std::string&>())
                     .get<std::map<std::string, std::string>>();
  state.positions = ordered_json::parse(row[3].get_ref<const std::string&>())
                        .get<std::map<std::string, int64_t>>();
  const auto columns = ordered_json::parse(row[4].get_ref<const std::string&>());
  state.columns = ColumnsFromJson(columns.at("table"));
  for (const auto& [pattern, list] : columns.at("readers").items())
    state.readers[pattern] = ColumnsFromJson(list);
  state.run_id = row[5].get<std::string>();
  return state;
}

}  // namespace

std::string DefinitionHash(std::string_view definition) {
  std::string normal;
  for (const syntax::Token& token : syntax::Lex(definition, "")) {
    normal +=
        token.kind == syntax::TokenKind::kWord ? ToLower(token.text) : std::string(token.text);
    normal += '\x1F';
  }
  return Sha256Hex(normal);
}

RunMemory LoadRunMemory(engine::Connection& connection) {
  RunMemory memory;
  try {
    for (const auto& row : connection.Rows("SELECT node, definition_hash, inputs, positions, "
                                           "columns, run_id FROM lake.braid.node_state"))
      memory.nodes[row[0].get<std::string>()] = StateFromRow(row);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kLakeDamaged,
                fmt::format("A row of braid.node_state cannot be read: {}", error.what()));
  }
  for (const auto& row : connection.Rows(
           "SELECT node, path, size, epoch_us(modified_at) FROM lake.braid.stream_file"))
    memory.files[row[0].get<std::string>()][row[1].get<std::string>()] = {row[2].get<int64_t>(),
                                                                          row[3].get<int64_t>()};
  return memory;
}

void SaveNodeStates(engine::Connection& connection, const std::map<std::string, NodeState>& nodes) {
  connection.Execute("TRUNCATE lake.braid.node_state");
  engine::Appender rows(connection, "lake", "braid", "node_state");
  for (const auto& [name, state] : nodes) {
    ordered_json columns = {{"table", ColumnsToJson(state.columns)},
                            {"readers", ordered_json::object()}};
    for (const auto& [pattern, list] : state.readers)
      columns["readers"][pattern] = ColumnsToJson(list);
    rows.Text(name).Text(state.definition_hash).Text(ordered_json(state.inputs).dump());
    rows.Text(ordered_json(state.positions).dump()).Text(columns.dump()).Text(state.run_id);
    rows.EndRow();
  }
  rows.Close();
}

void AddStreamFiles(engine::Connection& connection, const std::string& node,
                    const std::string& run_id, const std::map<std::string, ReadFile>& files) {
  if (files.empty()) return;
  engine::Appender rows(connection, "lake", "braid", "stream_file");
  for (const auto& [path, file] : files) {
    rows.Text(node).Text(path).Int(file.size).Text(FormatUtc(file.modified_us)).Text(run_id);
    rows.EndRow();
  }
  rows.Close();
}

void ForgetStreamFiles(engine::Connection& connection, const std::set<std::string>& nodes) {
  if (nodes.empty()) return;
  std::string list;
  for (const std::string& node : nodes)
    list += (list.empty() ? "" : ", ") + syntax::QuoteString(node);
  connection.Execute(fmt::format("DELETE FROM lake.braid.stream_file WHERE node IN ({})", list));
}

}  // namespace braid::flow
