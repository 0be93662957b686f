// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string_view>

#include "base/error.h"
#include "capture/log_writer_internal.h"

namespace braid::capture {
namespace {

// AUTOINCREMENT: a position is not used again after its entry was trimmed.
constexpr std::array<std::string_view, 2> kMigrations = {R"sql(
  CREATE TABLE log(
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    service TEXT NOT NULL,
    id TEXT NOT NULL,
    client_request_id TEXT,
    recorded_at INTEGER NOT NULL,
    payload TEXT NOT NULL);
  CREATE UNIQUE INDEX log_id ON log(service, kind, id);
  CREATE INDEX log_client ON log(service, client_request_id) WHERE client_request_id IS NOT NULL;
  CREATE TABLE account(
    service TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    served INTEGER NOT NULL,
    captured INTEGER NOT NULL,
    shed INTEGER NOT NULL,
    unknown INTEGER NOT NULL) WITHOUT ROWID;
)sql",
                                                         R"sql(
  ALTER TABLE account ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;
)sql"};

constexpr int64_t kFreePagesKept = 1024;

SqliteDatabase OpenForWriting(const std::filesystem::path& file) {
  SqliteDatabase database(file, SqliteDatabase::Access::kReadWrite);
  // auto_vacuum counts only while the file is empty, so it comes before WAL writes the first page.
  database.Execute("PRAGMA auto_vacuum = INCREMENTAL");
  SqliteStatement mode = database.Prepare("PRAGMA journal_mode = WAL");
  if (!mode.Step() || mode.Text(0) != "wal") {
    throw Error(ErrorCode::kIo,
                "Write-ahead log not possible on this file system: " + file.string(),
                "put lake.home on a local disk");
  }
  mode.Reset();
  database.Execute(
      "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;"
      "PRAGMA journal_size_limit = 67108864");
  MigrateSqlite(database, kMigrations, file);
  return database;
}

}  // namespace

LogWriter::LogWriter(const std::filesystem::path& file, const Clock& clock)
    : database_(OpenForWriting(file)),
      clock_(clock),
      insert_(database_.Prepare("INSERT INTO log(kind, service, id, client_request_id, recorded_at,"
                                " payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")),
      account_(database_.Prepare(
          "INSERT INTO account VALUES (?1, ?2, ?3, ?4, ?5, ?6, max(0, ?7)) ON CONFLICT(service) DO"
          " UPDATE SET served = served + excluded.served, captured = captured + excluded.captured,"
          " shed = shed + excluded.shed, unknown = unknown + excluded.unknown,"
          " reserved = max(0, reserved + ?7)")),
      trim_(database_.Prepare("DELETE FROM log WHERE position IN (SELECT position FROM log"
                              " WHERE position <= ?1 ORDER BY position LIMIT ?2)")) {
  // Who reserved them is gone: they were answered or not, and nobody knows.
  database_.Execute(
      "UPDATE account SET unknown = unknown + reserved, reserved = 0 WHERE reserved > 0");
  last_position_ =
      database_.QueryInteger("SELECT seq FROM sqlite_sequence WHERE name = 'log'").value_or(0);
}

std::vector<std::exception_ptr> LogWriter::Commit(const std::vector<AppendRequest>& requests) {
  const int64_t before = last_position_;
  try {
    if (database_.in_transaction()) database_.Execute("ROLLBACK");
    return CommitOrThrow(requests);
  } catch (...) {
    last_position_ = before;
    return std::vector<std::exception_ptr>(requests.size(), std::current_exception());
  }
}

std::vector<std::exception_ptr> LogWriter::CommitOrThrow(
    const std::vector<AppendRequest>& requests) {
  std::vector<std::exception_ptr> outcomes(requests.size());
  const int64_t now_us = clock_.NowMicros();
  SqliteTransaction transaction(database_);
  for (size_t i = 0; i < requests.size(); ++i) {
    database_.Execute("SAVEPOINT request");
    const int64_t before = last_position_;
    try {
      Insert(requests[i], now_us);
    } catch (const Error& error) {
      // One caller's duplicate is no reason to fail those who share its commit.
      if (error.code() != ErrorCode::kConstraint) throw;
      outcomes[i] = std::current_exception();
      last_position_ = before;
      database_.Execute("ROLLBACK TO request");
    }
    database_.Execute("RELEASE request");
  }
  transaction.Commit();
  return outcomes;
}

void LogWriter::Insert(const AppendRequest& request, int64_t now_us) {
  for (const Entry& entry : request.entries) {
    insert_.Bind(1, static_cast<int64_t>(entry.kind)).Bind(2, entry.service).Bind(3, entry.id);
    if (entry.client_request_id.empty()) {
      insert_.BindNull(4);
    } else {
      insert_.Bind(4, entry.client_request_id);
    }
    insert_.Bind(5, now_us).Bind(6, entry.payload).Run();
    last_position_ = database_.last_insert_rowid();
  }
  for (const AccountDelta& delta : request.deltas) {
    account_.Bind(1, delta.service).Bind(2, now_us).Bind(3, delta.served).Bind(4, delta.captured);
    account_.Bind(5, delta.shed).Bind(6, delta.unknown).Bind(7, delta.reserved).Run();
  }
}

int64_t LogWriter::TrimStep(int64_t upto, int64_t limit) {
  trim_.Bind(1, upto).Bind(2, limit).Run();
  return database_.changes();
}

bool LogWriter::ReleaseStep() {
  if (database_.QueryInteger("PRAGMA freelist_count").value_or(0) <= kFreePagesKept) {
    // The file shrinks when the write-ahead log is copied back; readers that hold that up are not
    // waited for, a later checkpoint does it then.
    database_.Execute("PRAGMA wal_checkpoint(PASSIVE)");
    return false;
  }
  database_.Execute("PRAGMA incremental_vacuum(512)");
  return true;
}

}  // namespace braid::capture
