// SPDX-License-Identifier: Apache-2.0
#include "lake/write_transaction.h"

#include "base/error.h"
#include "base/file.h"

namespace braid::lake {

namespace {

// A statement that failed has made the transaction unusable.
bool HasFailed(engine::Connection& connection) {
  try {
    connection.Execute("SELECT 1");
    return false;
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

WriteTransaction::WriteTransaction(Lake& lake, engine::Connection& connection,
                                   const std::string& holder, std::chrono::milliseconds wait)
    : lake_(lake), connection_(connection), pass_(lake.writer_gate().Enter(holder, wait)) {
  connection_.Execute("BEGIN TRANSACTION");
  open_ = true;
  // Reading fixes the snapshot; nobody else can commit while we hold the pass.
  try {
    base_snapshot_ = connection_.Scalar("SELECT id FROM lake.current_snapshot()").get<int64_t>();
  } catch (...) {
    Rollback();
    throw;
  }
}

WriteTransaction::~WriteTransaction() {
  try {
    Rollback();
  } catch (...) {
    // The connection is broken; its end rolls back.
    open_ = false;
  }
}

int64_t WriteTransaction::Commit(const std::string& author, const std::string& message,
                                 const std::string& extra_info) {
  const engine::Value parameters[] = {author, message, extra_info};
  connection_.Execute("CALL lake.set_commit_message($1, $2, extra_info => $3)", parameters);
  SyncFileSystem(lake_.data_folder());
  // A COMMIT that fails has rolled back.
  open_ = false;
  connection_.Execute("COMMIT");
  // Asked on another connection: an interrupt of this one comes too late, and must not make what is
  // committed look failed.
  const int64_t snapshot = lake_.CurrentSnapshot();
  pass_.Release();
  return snapshot;
}

void WriteTransaction::Rollback() {
  if (!open_) return;
  open_ = false;
  const bool failed = HasFailed(connection_);
  connection_.Execute("ROLLBACK");
  if (failed) RemoveUnfinishedFiles();
  pass_.Release();
}

// A rollback removes the files that are whole; the one that a statement was writing when it failed
// is known to nobody. We hold the pass: no other transaction has files that no snapshot names.
void WriteTransaction::RemoveUnfinishedFiles() noexcept {
  try {
    connection_.Execute("CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)");
  } catch (const std::exception&) {
    // They harm nobody, and go with the next that are removed.
  }
}

}  // namespace braid::lake
