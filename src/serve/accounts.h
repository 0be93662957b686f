// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "capture/log.h"

namespace braid::serve {

// Counts that no captured entry carries to the log: they are kept here until something is appended
// anyway, or there are many of them, or they are old. Thread-safe.
class PendingAccounts {
 public:
  void Add(const std::string& service, int64_t served, int64_t shed);
  // Everything, to be appended now.
  std::vector<capture::AccountDelta> Take();
  // Everything when it should not wait any longer, else nothing.
  std::vector<capture::AccountDelta> TakeDue(int64_t now_us);
  // What could not be appended.
  void PutBack(const std::vector<capture::AccountDelta>& deltas);

 private:
  std::vector<capture::AccountDelta> TakeLocked() REQUIRES(mutex_);

  Mutex mutex_;
  std::map<std::string, capture::AccountDelta> deltas_ GUARDED_BY(mutex_);
  int64_t count_ GUARDED_BY(mutex_) = 0;
  int64_t taken_at_us_ GUARDED_BY(mutex_) = 0;
};

}  // namespace braid::serve
