// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

#include "base/mutex.h"

namespace braid::engine {

// When a connection was last told to stop. DuckDB looks for interrupts between chunks only; a
// function that waits for something else within one looks here. Thread-safe.
class InterruptWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  void Note() { last_ = Now().time_since_epoch().count(); }
  bool HasBeenSince(Time begin) const { return last_ >= begin.time_since_epoch().count(); }
  static Time Now() { return std::chrono::steady_clock::now(); }

 private:
  std::atomic<Time::rep> last_{0};
};

// The watches of a database's connections, by DuckDB's number of them. Thread-safe.
class InterruptWatches {
 public:
  std::shared_ptr<InterruptWatch> Of(uint64_t connection) {
    MutexLock lock(mutex_);
    std::shared_ptr<InterruptWatch>& watch = watches_[connection];
    if (watch == nullptr) watch = std::make_shared<InterruptWatch>();
    return watch;
  }
  void Forget(uint64_t connection) {
    MutexLock lock(mutex_);
    watches_.erase(connection);
  }

 private:
  Mutex mutex_;
  std::map<uint64_t, std::shared_ptr<InterruptWatch>> watches_ GUARDED_BY(mutex_);
};

}  // namespace braid::engine
