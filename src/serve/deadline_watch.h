// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/connection.h"
#include "engine/interrupt.h"

namespace braid::serve {

// Interrupts what runs on a connection when its time is over. One thread, which sleeps until the
// next deadline. Thread-safe; must outlive its guards.
class DeadlineWatch {
 public:
  explicit DeadlineWatch(const Clock& clock) : clock_(clock) {}
  ~DeadlineWatch();
  DeadlineWatch(const DeadlineWatch&) = delete;
  DeadlineWatch& operator=(const DeadlineWatch&) = delete;

  // Watches what runs on the connection while it lives; nothing for a deadline of 0.
  class Guard {
   public:
    Guard(DeadlineWatch& watch, engine::Connection& connection, int64_t deadline_us);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    DeadlineWatch& watch_;
    std::stop_source stop_;
    std::optional<engine::InterruptOnStop> interrupt_;
    std::multimap<int64_t, std::stop_source>::iterator place_;
  };

 private:
  using Deadlines = std::multimap<int64_t, std::stop_source>;
  Deadlines::iterator Add(int64_t deadline_us, const std::stop_source& stop);
  void Remove(Deadlines::iterator place);
  void Watch();

  const Clock& clock_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool is_ending_ GUARDED_BY(mutex_) = false;
  int64_t sleeps_until_us_ GUARDED_BY(mutex_) = 0;  // in the usual course deadlines come later
  Deadlines deadlines_ GUARDED_BY(mutex_);
  std::thread thread_ GUARDED_BY(mutex_);  // since the first deadline
};

}  // namespace braid::serve
