// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <stop_token>
#include <thread>

#include "base/mutex.h"
#include "engine/connection.h"

namespace braid::engine {

// Interrupts a connection from the moment `stop` is requested until this goes out of scope, again
// and again: DuckDB forgets an interrupt that comes between two statements. Whoever runs statements
// meanwhile is told by INTERRUPTED at the next one that takes its time. The connection must outlive
// this.
class InterruptOnStop {
 public:
  InterruptOnStop(Connection& connection, const std::stop_token& stop);
  ~InterruptOnStop();
  InterruptOnStop(const InterruptOnStop&) = delete;
  InterruptOnStop& operator=(const InterruptOnStop&) = delete;

 private:
  void Repeat();

  Connection& connection_;
  Mutex mutex_;
  ConditionVariable ended_;
  bool has_ended_ GUARDED_BY(mutex_) = false;
  std::thread thread_ GUARDED_BY(mutex_);  // since `stop` was requested
  struct Start {
    InterruptOnStop& owner;
    void operator()() const;
  };
  std::optional<std::stop_callback<Start>> callback_;
};

}  // namespace braid::engine
