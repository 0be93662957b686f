// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "flow/declarations.h"
#include "flow/graph.h"
#include "session/change.h"
#include "session/session.h"

namespace braid::flow {

struct RunOptions {
  std::string run_id;               // made by the caller (UUID version 7)
  std::string command;              // as typed, for braid.run
  std::vector<std::string> select;  // empty: all
  bool full_refresh = false;        // of what is selected
};

struct ExpectationResult {
  std::string node;
  std::string name;
  std::string action;  // "keep", "drop row", "fail update", "quarantine"
  int64_t passed = 0;
  int64_t failed = 0;
};

struct NodeResult {
  std::string node;
  std::string kind;  // catalog::KindName
  std::string
      action;  // "updated", "appended", "trained", "kept", "declared", "skipped", "failed", …
  std::string reason;  // "first run", "bronze.flights has 28834 new rows", "unchanged", …
  std::optional<int64_t> rows;
  double seconds = 0;
  std::string error;  // "CODE: message"; empty: none
  std::vector<ExpectationResult> expectations;
};

struct PlannedNode {
  std::string node;
  std::string kind;
  std::string action;  // what a run would do: "update", "append", "train", "declare", "skip"
  std::string reason;
  std::vector<std::string> upstream;  // names, for drawing the tree
  // It would run for no other reason than that it reads what cannot be watched.
  bool is_unwatched = false;
};
struct Plan {
  std::vector<PlannedNode> nodes;  // in the order of execution
  std::vector<std::string> warnings;
};

struct RunSummary {
  std::string run_id;
  std::string status;                  // "succeeded" or, only in history, "failed"
  std::optional<int64_t> snapshot_id;  // empty: nothing changed, nothing was committed
  std::vector<NodeResult> nodes;
  double seconds = 0;
};

// Watches a run; called on the run's thread. What happened is told even when the run fails later.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void RunStarted(const std::vector<std::string>& nodes) = 0;
  virtual void NodeStarted(const std::string& node, size_t index, size_t count) = 0;
  virtual void NodeProgress(double fraction, std::string_view detail) = 0;
  virtual void NodeFinished(const NodeResult& result) = 0;
  virtual void Notice(std::string_view text) = 0;
};

// Who trains models and declares services: modules beside this one, connected by `app`.
struct NodeWorkers {
  session::ObjectWork train;
  session::ObjectWork declare_service;
};

// Executes declarations against the lake: a run is one write transaction and one snapshot, or
// nothing. Streams go on where they stopped; what is unchanged is skipped. One run at a time (the
// writer's gate).
class Runner {
 public:
  // `root`: what relative paths of files mean.
  Runner(session::Workspace workspace, NodeWorkers workers, std::filesystem::path root);
  ~Runner();

  // What a run would do. Throws the first problem of the project (PROJECT_INVALID lists all in its
  // text).
  Plan MakePlan(const Declarations& declarations, const RunOptions& options);

  // Throws what ended the run (EXPECTATION_FAILED, the node's own code and text,
  // INTERRUPTED, …) after a rollback; the observer has been told of every node. Publishes the new
  // state after the commit.
  RunSummary Run(const Declarations& declarations, const RunOptions& options, RunObserver& observer,
                 std::stop_token stop);

  // `braid sql`: brings one declaration about now (owner "sql"), as a run of one node.
  RunSummary RunOne(const catalog::Object& object, const RunOptions& options, RunObserver& observer,
                    std::stop_token stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::flow
