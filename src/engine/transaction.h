// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "engine/connection.h"

namespace braid::engine {

// BEGIN … COMMIT; rolls back when it goes out of scope uncommitted. Never throws from its
// destructor.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void Commit();
  void Rollback();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace braid::engine
