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

// How many rows may be answered before they are counted, and the durable promise of it.
constexpr int64_t kReservedAtOnce = 1024;

// Counts that no captured entry carries to the log: they are kept here until something is appended
// anyway, or there are many of them, or they are old. Thread-safe.
class PendingAccounts {
 public:
  // `admitted`: rows of those served that Admit let through.
  void Add(const std::string& service, int64_t served, int64_t shed, int64_t admitted = 0);
  // Before rows are answered that are not on disk yet: makes sure that the log knows that so many
  // may be. Mostly it does already; once in a thousand rows it waits for the disk. Returns how many
  // rows were let through so: all, or none when the log takes nothing.
  int64_t Admit(capture::Log& log, const std::string& service, int64_t rows);
  // What was promised and not used: taken back when nothing more is answered.
  std::vector<capture::AccountDelta> TakePromises();
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
  std::map<std::string, int64_t> promised_ GUARDED_BY(mutex_);  // rows that may still be answered
  int64_t count_ GUARDED_BY(mutex_) = 0;
  int64_t taken_at_us_ GUARDED_BY(mutex_) = 0;
};

}  // namespace braid::serve
