// SPDX-License-Identifier: Apache-2.0
#include "engine/interrupt.h"

#include <chrono>
#include <utility>

namespace braid::engine {

namespace {

constexpr std::chrono::milliseconds kPause{20};

}  // namespace

InterruptOnStop::InterruptOnStop(Connection& connection, const std::stop_token& stop)
    : connection_(connection) {
  callback_.emplace(stop, Start{*this});
}

InterruptOnStop::~InterruptOnStop() {
  callback_.reset();  // waits for one that runs
  std::thread thread;
  {
    MutexLock lock(mutex_);
    has_ended_ = true;
    thread = std::move(thread_);
  }
  ended_.NotifyAll();
  if (thread.joinable()) thread.join();
}

void InterruptOnStop::Start::operator()() const {
  MutexLock lock(owner.mutex_);
  owner.thread_ = std::thread([this_owner = &owner] { this_owner->Repeat(); });
}

void InterruptOnStop::Repeat() {
  MutexLock lock(mutex_);
  while (!has_ended_) {
    connection_.Interrupt();
    ended_.WaitFor(mutex_, kPause);
  }
}

}  // namespace braid::engine
