// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "engine/connection.h"
#include "lake/lake.h"

namespace braid::lake {

constexpr std::chrono::milliseconds kDefaultWriterWait{60'000};

// One lake transaction that writes: takes the writer's pass, then BEGIN; Commit marks the snapshot,
// syncs the data folder (DuckLake does not sync its Parquet files) and commits. Rolls back when it
// goes out of scope.
class WriteTransaction {
 public:
  // `holder` says who writes, for those who wait ("run 0190…", "mover").
  WriteTransaction(Lake& lake, engine::Connection& connection, const std::string& holder,
                   std::chrono::milliseconds wait = kDefaultWriterWait);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  // The snapshot that the transaction reads; what it commits becomes base_snapshot() + 1.
  int64_t base_snapshot() const { return base_snapshot_; }
  // `extra_info` is JSON kept with the snapshot, such as {"run_id": "…"}. Returns the newest
  // snapshot after the commit.
  int64_t Commit(const std::string& author, const std::string& message,
                 const std::string& extra_info);
  void Rollback();

 private:
  void RemoveUnfinishedFiles() noexcept;

  Lake& lake_;
  engine::Connection& connection_;
  WriterGate::Pass pass_;
  int64_t base_snapshot_ = 0;
  bool open_ = false;
};

}  // namespace braid::lake
