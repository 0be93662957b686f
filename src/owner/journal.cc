// SPDX-License-Identifier: Apache-2.0
#include "owner/journal.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "base/uuid.h"
#include "capture/sqlite.h"

namespace braid::owner {
namespace {

using capture::SqliteDatabase;
using capture::SqliteStatement;

// `position`: ids rise within one process only, and a clock may be set back.
constexpr std::array<std::string_view, 1> kMigrations = {R"sql(
  CREATE TABLE run(
    position INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    status TEXT NOT NULL,
    snapshot_id INTEGER,
    command TEXT NOT NULL,
    error TEXT NOT NULL);
  CREATE INDEX run_running ON run(position) WHERE status = 'running';
  CREATE TABLE run_node(
    position INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES run(run_id),
    node TEXT NOT NULL,
    kind TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    rows INTEGER,
    seconds REAL NOT NULL,
    error TEXT NOT NULL,
    UNIQUE(run_id, node));
  CREATE TABLE expectation(
    position INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES run(run_id),
    node TEXT NOT NULL,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    passed INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    UNIQUE(run_id, node, name));
)sql"};

constexpr std::string_view kRunColumns =
    "SELECT run_id, started_at, finished_at, status, snapshot_id, command, error FROM run ";

SqliteDatabase Open(const std::filesystem::path& file) {
  SqliteDatabase database(file, SqliteDatabase::Access::kReadWrite);
  SqliteStatement mode = database.Prepare("PRAGMA journal_mode = WAL");
  if (!mode.Step() || mode.Text(0) != "wal") {
    throw Error(ErrorCode::kIo,
                "Write-ahead log not possible on this file system: " + file.string(),
                "put lake.home on a local disk");
  }
  mode.Reset();
  database.Execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  capture::MigrateSqlite(database, kMigrations, file);
  // When they ended, nobody knows.
  database.Execute(
      "UPDATE run SET status = 'interrupted', error = 'The process ended during the run'"
      " WHERE status = 'running'");
  return database;
}

RunStatus StatusOf(std::string_view text) {
  for (const RunStatus status :
       {RunStatus::kRunning, RunStatus::kSucceeded, RunStatus::kFailed, RunStatus::kInterrupted}) {
    if (RunStatusText(status) == text) return status;
  }
  throw Error(ErrorCode::kLakeDamaged,
              fmt::format("Unknown status in the operations journal: {}", text));
}

RunRow ReadRun(const SqliteStatement& row) {
  return {.run_id = std::string(row.Text(0)),
          .started_at_us = row.Integer(1),
          .finished_at_us = row.IntegerOrNull(2),
          .status = StatusOf(row.Text(3)),
          .snapshot_id = row.IntegerOrNull(4),
          .command = std::string(row.Text(5)),
          .error = std::string(row.Text(6))};
}

// A statement over one run or all, whose parameter 1 is the run.
SqliteStatement PrepareOfRun(SqliteDatabase& database, std::string_view select,
                             std::optional<std::string_view> run_id) {
  SqliteStatement rows = database.Prepare(
      fmt::format("{} {} ORDER BY position", select, run_id ? "WHERE run_id = ?1" : ""));
  if (run_id) rows.Bind(1, *run_id);
  return rows;
}

[[noreturn]] void ThrowUnknownRun(std::string_view run_id) {
  throw Error(ErrorCode::kNotFound, fmt::format("Run not found: {}", run_id),
              "see braid.run for the runs there are");
}

}  // namespace

std::string_view RunStatusText(RunStatus status) {
  switch (status) {
    case RunStatus::kRunning:
      return "running";
    case RunStatus::kSucceeded:
      return "succeeded";
    case RunStatus::kFailed:
      return "failed";
    case RunStatus::kInterrupted:
      return "interrupted";
  }
  BRAID_CHECK(false);
  return "";
}

struct Journal::State {
  State(const std::filesystem::path& file, const Clock& given)
      : clock(given), database(Open(file)) {}

  // What happens within a run is synced with its end: a node may be small.
  void SyncAtCommit(bool now) REQUIRES(mutex) {
    database.Execute(now ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  }

  const Clock& clock;
  Mutex mutex;
  SqliteDatabase database GUARDED_BY(mutex);
};

Journal::Journal(const std::filesystem::path& file, const Clock& clock)
    : state_(std::make_unique<State>(file, clock)) {}

Journal::~Journal() = default;

std::string Journal::BeginRun(std::string_view command) {
  MutexLock lock(state_->mutex);
  std::string run_id = NewUuidV7(state_->clock);
  state_->SyncAtCommit(true);
  state_->database
      .Prepare(
          "INSERT INTO run(run_id, started_at, status, command, error)"
          " VALUES (?1, ?2, ?3, ?4, '')")
      .Bind(1, run_id)
      .Bind(2, state_->clock.NowMicros())
      .Bind(3, RunStatusText(RunStatus::kRunning))
      .Bind(4, command)
      .Run();
  return run_id;
}

void Journal::FinishRun(std::string_view run_id, RunStatus status,
                        std::optional<int64_t> snapshot_id, std::string_view error) {
  BRAID_CHECK(status != RunStatus::kRunning);
  MutexLock lock(state_->mutex);
  state_->SyncAtCommit(true);
  state_->database
      .Prepare(
          "UPDATE run SET finished_at = ?2, status = ?3, snapshot_id = ?4, error = ?5"
          " WHERE run_id = ?1 AND status = 'running'")
      .Bind(1, run_id)
      .Bind(2, state_->clock.NowMicros())
      .Bind(3, RunStatusText(status))
      .BindOrNull(4, snapshot_id)
      .Bind(5, error)
      .Run();
  if (state_->database.changes() > 0) return;
  SqliteStatement known = state_->database.Prepare("SELECT 1 FROM run WHERE run_id = ?1");
  if (!known.Bind(1, run_id).Step()) ThrowUnknownRun(run_id);
  throw Error(ErrorCode::kInvalidTransaction, fmt::format("Run is finished already: {}", run_id));
}

void Journal::AddNode(const RunNodeRow& node) {
  MutexLock lock(state_->mutex);
  state_->SyncAtCommit(false);
  state_->database
      .Prepare(
          "INSERT INTO run_node(run_id, node, kind, action, reason, rows, seconds, error)"
          " SELECT run_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM run WHERE run_id = ?1"
          " ON CONFLICT(run_id, node) DO UPDATE SET kind = excluded.kind,"
          " action = excluded.action, reason = excluded.reason, rows = excluded.rows,"
          " seconds = excluded.seconds, error = excluded.error")
      .Bind(1, node.run_id)
      .Bind(2, node.node)
      .Bind(3, node.kind)
      .Bind(4, node.action)
      .Bind(5, node.reason)
      .BindOrNull(6, node.rows)
      .Bind(7, node.seconds)
      .Bind(8, node.error)
      .Run();
  if (state_->database.changes() == 0) ThrowUnknownRun(node.run_id);
}

void Journal::AddExpectation(const ExpectationRow& expectation) {
  MutexLock lock(state_->mutex);
  state_->SyncAtCommit(false);
  state_->database
      .Prepare(
          "INSERT INTO expectation(run_id, node, name, action, passed, failed)"
          " SELECT run_id, ?2, ?3, ?4, ?5, ?6 FROM run WHERE run_id = ?1"
          " ON CONFLICT(run_id, node, name) DO UPDATE SET action = excluded.action,"
          " passed = excluded.passed, failed = excluded.failed")
      .Bind(1, expectation.run_id)
      .Bind(2, expectation.node)
      .Bind(3, expectation.name)
      .Bind(4, expectation.action)
      .Bind(5, expectation.passed)
      .Bind(6, expectation.failed)
      .Run();
  if (state_->database.changes() == 0) ThrowUnknownRun(expectation.run_id);
}

std::vector<RunRow> Journal::Runs() const {
  MutexLock lock(state_->mutex);
  SqliteStatement rows = PrepareOfRun(state_->database, kRunColumns, {});
  std::vector<RunRow> runs;
  while (rows.Step()) runs.push_back(ReadRun(rows));
  return runs;
}

std::optional<RunRow> Journal::FindRun(std::string_view run_id) const {
  MutexLock lock(state_->mutex);
  SqliteStatement rows = PrepareOfRun(state_->database, kRunColumns, run_id);
  if (!rows.Step()) return std::nullopt;
  return ReadRun(rows);
}

std::vector<RunNodeRow> Journal::RunNodes(std::optional<std::string_view> run_id) const {
  MutexLock lock(state_->mutex);
  SqliteStatement rows = PrepareOfRun(
      state_->database,
      "SELECT run_id, node, kind, action, reason, rows, seconds, error FROM run_node", run_id);
  std::vector<RunNodeRow> nodes;
  while (rows.Step()) {
    nodes.push_back({.run_id = std::string(rows.Text(0)),
                     .node = std::string(rows.Text(1)),
                     .kind = std::string(rows.Text(2)),
                     .action = std::string(rows.Text(3)),
                     .reason = std::string(rows.Text(4)),
                     .rows = rows.IntegerOrNull(5),
                     .seconds = rows.Real(6),
                     .error = std::string(rows.Text(7))});
  }
  return nodes;
}

std::vector<ExpectationRow> Journal::Expectations(std::optional<std::string_view> run_id) const {
  MutexLock lock(state_->mutex);
  SqliteStatement rows =
      PrepareOfRun(state_->database,
                   "SELECT run_id, node, name, action, passed, failed FROM expectation", run_id);
  std::vector<ExpectationRow> expectations;
  while (rows.Step()) {
    expectations.push_back({.run_id = std::string(rows.Text(0)),
                            .node = std::string(rows.Text(1)),
                            .name = std::string(rows.Text(2)),
                            .action = std::string(rows.Text(3)),
                            .passed = rows.Integer(4),
                            .failed = rows.Integer(5)});
  }
  return expectations;
}

}  // namespace braid::owner
