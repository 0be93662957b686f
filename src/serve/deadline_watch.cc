// SPDX-License-Identifier: Apache-2.0
#include "serve/deadline_watch.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

namespace braid::serve {

namespace {

constexpr std::chrono::milliseconds kLongest{60'000};

}  // namespace

DeadlineWatch::~DeadlineWatch() {
  std::thread thread;
  {
    const MutexLock lock(mutex_);
    is_ending_ = true;
    thread = std::move(thread_);
  }
  changed_.NotifyAll();
  if (thread.joinable()) thread.join();
}

DeadlineWatch::Deadlines::iterator DeadlineWatch::Add(int64_t deadline_us,
                                                      const std::stop_source& stop) {
  bool is_sooner = false;
  Deadlines::iterator place;
  {
    const MutexLock lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { Watch(); });
    place = deadlines_.emplace(deadline_us, stop);
    is_sooner = deadline_us < sleeps_until_us_;
  }
  if (is_sooner) changed_.NotifyAll();
  return place;
}

void DeadlineWatch::Remove(Deadlines::iterator place) {
  const MutexLock lock(mutex_);
  deadlines_.erase(place);
}

void DeadlineWatch::Watch() {
  mutex_.lock();
  while (!is_ending_) {
    const int64_t now = clock_.NowMicros();
    std::vector<std::stop_source> over;
    for (auto& [deadline, stop] : deadlines_) {
      if (deadline > now) break;
      if (!stop.stop_requested()) over.push_back(stop);
    }
    if (!over.empty()) {
      // The callbacks start threads, which must not wait for this mutex.
      mutex_.unlock();
      for (std::stop_source& stop : over) stop.request_stop();
      mutex_.lock();
      continue;
    }
    const auto next = std::find_if(deadlines_.begin(), deadlines_.end(),
                                   [now](const auto& entry) { return entry.first > now; });
    if (next == deadlines_.end()) {
      sleeps_until_us_ = std::numeric_limits<int64_t>::max();
      changed_.Wait(mutex_);
    } else {
      sleeps_until_us_ = next->first;
      const auto left = std::chrono::milliseconds((next->first - now) / 1000 + 1);
      changed_.WaitFor(mutex_, std::min(left, kLongest));
    }
  }
  mutex_.unlock();
}

DeadlineWatch::Guard::Guard(DeadlineWatch& watch, engine::Connection& connection,
                            int64_t deadline_us)
    : watch_(watch), stop_(std::nostopstate) {
  if (deadline_us == 0) return;
  stop_ = std::stop_source();
  interrupt_.emplace(connection, stop_.get_token());
  place_ = watch_.Add(deadline_us, stop_);
}

DeadlineWatch::Guard::~Guard() {
  if (interrupt_) watch_.Remove(place_);
}

}  // namespace braid::serve
