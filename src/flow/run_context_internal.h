// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "flow/graph.h"
#include "flow/node_state_internal.h"
#include "flow/query_inputs.h"
#include "lake/tables.h"
#include "session/change.h"
#include "session/session.h"

namespace braid::flow {

// What this run has done to a table so far.
struct WrittenTable {
  bool replaced = false;  // rows were removed, or the table was made anew
  bool new_columns = false;
  int64_t rows = 0;  // appended
  std::vector<std::string>
      deltas;  // queries for the rows appended; only where somebody streams them

  bool changed() const { return replaced || new_columns || rows > 0; }
};

// One run under way (or one plan, where nothing is written and `written` is what would be).
struct RunContext {
  RunContext(session::Workspace workspace_, session::Change& change_, std::filesystem::path root_)
      : workspace(workspace_), change(change_), root(std::move(root_)) {}

  session::Workspace workspace;
  session::Change& change;
  std::filesystem::path root;                         // what relative paths of files mean
  std::map<lake::TableKey, lake::TableState> tables;  // as committed when the run began
  std::map<lake::TableKey, WrittenTable> written;
  std::set<std::string> trained;  // models that a plan would train
  RunMemory memory;               // kept in step with what the run does
  std::map<std::string, std::map<std::string, ReadFile>>
      new_files;                    // node → files read in this run
  std::set<std::string> forgotten;  // nodes whose files are read again
  // Tables whose rows of this run somebody reads as a stream after them.
  std::set<lake::TableKey> streamed;
  int64_t temporary_tables = 0;
  QueryReader reader;

  bool Exists(const lake::TableKey& key) const {
    return tables.contains(key) || written.contains(key);
  }
  // The snapshot of a table's newest content.
  int64_t VersionOf(const lake::TableKey& key) const {
    const auto committed = tables.find(key);
    const auto now = written.find(key);
    if (committed == tables.end() || (now != written.end() && now->second.changed()))
      return change.base_snapshot + 1;
    return committed->second.version;
  }
  std::string NewTemporaryTable() {
    return "temp.main.braid_rows_" + std::to_string(++temporary_tables);
  }
};

inline bool IsCaptured(const lake::TableKey& key) {
  return key.starts_with("inference.") || key.starts_with("feedback.");
}

// "schema.table" as SQL: lake."schema"."table".
std::string LakeTable(const lake::TableKey& key);
lake::TableKey QuarantineOf(const lake::TableKey& key);

}  // namespace braid::flow
