// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace braid::owner {

enum class RunStatus : uint8_t { kRunning, kSucceeded, kFailed, kInterrupted };
std::string_view RunStatusText(RunStatus status);  // "succeeded"

struct RunRow {
  std::string run_id;
  int64_t started_at_us = 0;
  std::optional<int64_t> finished_at_us;
  RunStatus status = RunStatus::kRunning;
  std::optional<int64_t> snapshot_id;  // what the run committed
  std::string command;
  std::string error;  // empty: none
};

struct RunNodeRow {
  std::string run_id;
  std::string node;
  std::string kind;
  std::string action;
  std::string reason;
  std::optional<int64_t> rows;
  double seconds = 0;
  std::string error;  // empty: none
};

struct ExpectationRow {
  std::string run_id;
  std::string node;
  std::string name;
  std::string action;
  int64_t passed = 0;
  int64_t failed = 0;
};

// The operations journal: what happens outside a lake commit, in one SQLite file
// (docs/formats/journal.md). Opened by whoever holds the lake's lock; opening marks runs that a
// dead process left `running` as `interrupted`. Thread-safe; errors are as SqliteDatabase's.
class Journal {
 public:
  // `clock` must outlive the journal.
  Journal(const std::filesystem::path& file, const Clock& clock);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Both are on disk on return, with all nodes and expectations written before.
  std::string BeginRun(std::string_view command);  // the new run's id, a UUID version 7
  // Throws Error NOT_FOUND for an unknown run, INVALID_TRANSACTION for one that is finished.
  void FinishRun(std::string_view run_id, RunStatus status, std::optional<int64_t> snapshot_id,
                 std::string_view error);

  // Adds what a run did; a node or expectation of the same name is replaced. Throws Error NOT_FOUND
  // for an unknown run.
  void AddNode(const RunNodeRow& node);
  void AddExpectation(const ExpectationRow& expectation);

  // In the order of beginning; nodes and expectations in the order in which they were added.
  std::vector<RunRow> Runs() const;
  std::optional<RunRow> FindRun(std::string_view run_id) const;
  std::vector<RunNodeRow> RunNodes(std::optional<std::string_view> run_id = {}) const;
  std::vector<ExpectationRow> Expectations(std::optional<std::string_view> run_id = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::owner
