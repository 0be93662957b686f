// SPDX-License-Identifier: Apache-2.0
#include "owner/acquire.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"

namespace braid::owner {
namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

// The kernel tells nobody that a lock is free, so we ask again: soon at first, as most commands are
// short, then rarely.
constexpr milliseconds kFirstPause{5};
constexpr milliseconds kLongestPause{100};

// A holder that listens answers at once; even without any wait it gets this long.
constexpr milliseconds kAnswerTimeout{1000};

milliseconds Until(SteadyTime deadline) {
  return std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
}

void ThrowIfStopped(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    throw Error(ErrorCode::kInterrupted, "Interrupted while waiting for the lake");
  }
}

// Ends sooner when `stop` is requested.
void Pause(milliseconds time, const std::stop_token& stop) {
  Mutex mutex;
  ConditionVariable stopped;
  std::stop_callback wake(stop, [&] {
    MutexLock lock(mutex);
    stopped.NotifyAll();
  });
  MutexLock lock(mutex);
  if (!stop.stop_requested()) stopped.WaitFor(mutex, time);
}

std::optional<CommandClient> Reach(const std::optional<Holder>& holder) {
  // A socket of that name on this machine would be somebody else's.
  if (!holder || holder->host != HostName()) return std::nullopt;
  return CommandClient::Connect(holder->socket, kAnswerTimeout);
}

[[noreturn]] void ThrowBusy(const std::optional<Holder>& holder,
                            const std::filesystem::path& home) {
  throw Error(ErrorCode::kLakeBusy,
              holder ? fmt::format("Another process holds the lake: {} on {} ({})", holder->pid,
                                   holder->host, home.string())
                     : fmt::format("Another process holds the lake: {}", home.string()),
              "wait until it ends, or stop it");
}

}  // namespace

Access OpenLake(const std::filesystem::path& home, milliseconds wait, const std::stop_token& stop) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + wait;
  for (milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    ThrowIfStopped(stop);
    if (std::optional<LakeLock> lock = LakeLock::TryAcquire(home)) return std::move(*lock);
    const std::optional<Holder> holder = LakeLock::ReadHolder(home);
    if (std::optional<CommandClient> client = Reach(holder)) return std::move(*client);
    const milliseconds left = Until(deadline);
    if (left.count() <= 0) ThrowBusy(holder, home);
    Pause(std::min(pause, left), stop);
  }
}

}  // namespace braid::owner
