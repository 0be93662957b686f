// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/connection.h"
#include "lake/tables.h"

// What runs remember of each node: braid.node_state and braid.stream_file
// (docs/formats/run_state.md).
namespace braid::flow {

struct NodeState {
  std::string definition_hash;
  // What the node saw: "gold.routes" → "12", "model delay" → "3", "file data/*.csv" → fingerprint.
  std::map<std::string, std::string> inputs;
  std::map<lake::TableKey, int64_t>
      positions;                      // stream sources: the snapshot up to which they were read
  std::vector<lake::Column> columns;  // of the table it writes
  // The columns of the files that STREAM read_files(…) first read, by pattern as written.
  std::map<std::string, std::vector<lake::Column>> readers;
  std::string run_id;
};

struct ReadFile {
  int64_t size = 0;
  int64_t modified_us = 0;  // since 1970, UTC

  bool operator==(const ReadFile&) const = default;
};

struct RunMemory {
  std::map<std::string, NodeState> nodes;
  std::map<std::string, std::map<std::string, ReadFile>> files;  // node → path → as it was read
};

// SHA-256 over the tokens of a declaration, so that comments and white space do not count.
std::string DefinitionHash(std::string_view definition);

RunMemory LoadRunMemory(engine::Connection& connection);
// Writes all node states anew: they are few, and one file is read faster than many.
void SaveNodeStates(engine::Connection& connection, const std::map<std::string, NodeState>& nodes);
void AddStreamFiles(engine::Connection& connection, const std::string& node,
                    const std::string& run_id, const std::map<std::string, ReadFile>& files);
void ForgetStreamFiles(engine::Connection& connection, const std::set<std::string>& nodes);

}  // namespace braid::flow
