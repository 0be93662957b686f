// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <set>

#include "base/mutex.h"

namespace braid::lake {

// Which capture watermark the statements that run now started from. A statement reads the lake
// first and the capture log after, so rows may leave the log only once no statement that began
// before their move still runs. Thread-safe.
class ReadRegistry {
 public:
  class Guard {
   public:
    explicit Guard(ReadRegistry& registry) : registry_(registry) {
      MutexLock lock(registry_.mutex_);
      position_ = registry_.active_.insert(registry_.watermark_);
    }
    ~Guard() {
      MutexLock lock(registry_.mutex_);
      registry_.active_.erase(position_);
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    ReadRegistry& registry_;
    std::multiset<int64_t>::iterator position_;
  };

  // Called after a move has committed.
  void SetWatermark(int64_t watermark) {
    MutexLock lock(mutex_);
    watermark_ = watermark;
  }
  // Log rows up to here are read by nobody.
  int64_t OldestWatermark() {
    MutexLock lock(mutex_);
    return active_.empty() ? watermark_ : std::min(watermark_, *active_.begin());
  }

 private:
  Mutex mutex_;
  int64_t watermark_ GUARDED_BY(mutex_) = 0;
  std::multiset<int64_t> active_ GUARDED_BY(mutex_);
};

}  // namespace braid::lake
