// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <vector>

#include "base/clock.h"
#include "capture/log.h"
#include "capture/sqlite.h"

namespace braid::capture {

struct AppendRequest {
  std::vector<Entry> entries;
  std::vector<AccountDelta> deltas;
  Log::Done done;
  size_t bytes = 0;
};

// The log's one writing connection, without threads: groups of appends in, outcomes out.
class LogWriter {
 public:
  LogWriter(const std::filesystem::path& file, const Clock& clock);

  // Commits all requests in one transaction. One outcome a request, null for success; never throws.
  std::vector<std::exception_ptr> Commit(const std::vector<AppendRequest>& requests);

  // Deletes the oldest entries up to a position, at most `limit`; returns how many went.
  int64_t TrimStep(int64_t upto, int64_t limit);
  // Gives back some free pages; false when what is left is worth keeping for reuse.
  bool ReleaseStep();

  int64_t last_position() const { return last_position_; }

 private:
  std::vector<std::exception_ptr> CommitOrThrow(const std::vector<AppendRequest>& requests);
  void Insert(const AppendRequest& request, int64_t now_us);

  SqliteDatabase database_;
  const Clock& clock_;
  SqliteStatement insert_;
  SqliteStatement account_;
  SqliteStatement trim_;
  int64_t last_position_ = 0;
};

}  // namespace braid::capture
