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
#include "flow/runner.h"
#include "lake/tables.h"
#include "session/change.h"
#include "session/session.h"

// What the parts of a run share.
namespace braid::flow {

struct RunContext {
  session::Workspace workspace;
  engine::Connection& connection;
  session::Change& change;
  std::filesystem::path root;
  RunMemory memory;
  std::map<lake::TableKey, lake::TableState> tables;  // as committed
  std::set<lake::TableKey> streamed;                  // tables that some node streams from
  std::map<lake::TableKey, std::string> deltas;       // temporary tables of what this run appended
  std::set<lake::TableKey> written;                   // in this run
  std::set<lake::TableKey> replaced;                  // rewritten as a whole in this run
  int64_t temporaries = 0;

  bool Exists(const lake::TableKey& key) const {
    return tables.contains(key) || written.contains(key);
  }
  // The snapshot that changed a table last, this run's own included; -1 when it does not exist.
  int64_t VersionOf(const lake::TableKey& key) const;
  std::string NewTemporary();
  void Notice(const std::string& text) const {
    if (change.notice) change.notice(text);
  }
};

// "lake"."schema"."table" of a key.
std::string LakeName(const lake::TableKey& key, const std::string& suffix = "");
std::string SchemaOf(const lake::TableKey& key);
std::string NameOf(const lake::TableKey& key);

// Why a node has to run; empty: it has not.
struct Need {
  bool runs = false;
  bool is_unwatched = false;  // and no other reason is known
  bool is_change = false;     // of what it reads; else it is new or must be made anew
  std::string reason;
  std::map<std::string, std::string> inputs;  // as they are now
};
Need FindNeed(const Node& node, const RunContext& run, const std::set<lake::TableKey>& will_change);
bool IsAppend(const Node& node);

// The new rows of a node's streams, as its query sees them.
class StreamSources {
 public:
  StreamSources(const Node& node, RunContext& run);
  ~StreamSources();
  StreamSources(const StreamSources&) = delete;
  StreamSources& operator=(const StreamSources&) = delete;

  // False: a captured table does not exist yet, so there is nothing that could be read.
  bool available() const { return available_; }
  bool has_new() const { return has_new_; }
  const std::string& reason() const { return reason_; }
  // SQL that stands for a STREAM reference.
  std::string Resolve(const syntax::StreamReference& stream);
  // Notes in the node's state how far it has read.
  void Advance(NodeState& state) const;
  const std::map<std::string, ReadFile>& files() const { return files_; }

 private:
  void AddTable(const TableRead& read);
  void AddFiles(const syntax::ReadFiles& files);
  std::string ReaderSql(const syntax::ReadFiles& files, const std::vector<std::string>& paths);
  std::string NewRows(const lake::TableKey& key);

  const Node& node_;
  RunContext& run_;
  const NodeState* before_ = nullptr;
  bool available_ = true;
  bool has_new_ = false;
  std::string reason_;
  std::map<std::string, ReadFile> files_;
  std::map<std::string, std::vector<std::string>> paths_;  // by pattern
  std::map<std::string, std::vector<lake::Column>> readers_;
  std::vector<std::string> views_;
};

// Files that a pattern names now.
std::map<std::string, ReadFile> ListFiles(engine::Connection& connection,
                                          const std::filesystem::path& root,
                                          const std::string& pattern);

// The rules of a table, applied to rows in a temporary table.
struct RuledRows {
  std::string kept;  // a query of the rows that stay
  std::vector<ExpectationResult> results;
};
// `query`: plain SQL of the rows. Throws EXPECTATION_FAILED.
RuledRows ApplyRules(const Node& node, const syntax::TableDeclaration& table,
                     const std::string& query, bool replaces, RunContext& run);

// Brings one node about: rows, tables, state. Returns what happened.
NodeResult ExecuteNode(const Node& node, const NodeWorkers& workers, bool full_refresh,
                       RunContext& run);

}  // namespace braid::flow
