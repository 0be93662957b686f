// SPDX-License-Identifier: Apache-2.0
#include "engine/transaction.h"

namespace braid::engine {

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.Execute("BEGIN TRANSACTION");
}

Transaction::~Transaction() {
  try {
    Rollback();
  } catch (...) {
    open_ = false;  // the connection is broken; its end rolls back
  }
}

void Transaction::Commit() {
  open_ = false;
  connection_.Execute("COMMIT");
}

void Transaction::Rollback() {
  if (!open_) return;
  open_ = false;
  connection_.Execute("ROLLBACK");
}

}  // namespace braid::engine
