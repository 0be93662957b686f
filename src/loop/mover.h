// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "capture/log.h"
#include "session/session.h"

namespace braid::loop {

struct MoverOptions {
  std::chrono::milliseconds interval{
      1000};  // the longest that entries stay out of the lake while it runs
};

// Carries the capture log to the lake exactly once: rows of inference.<s> and feedback.<s>, each
// (inference, feedback revision) as one row of inference.<s>_labelled when the later half arrives,
// and the watermark, in one transaction; then trims the log below what is still being read. Entries
// of services that have no tables in the lake are counted in the snapshot's note and passed over.
// Thread-safe; never called by who holds the writer's pass.
class Mover {
 public:
  // Needs RegisterCaptureFunctions. Throws LAKE_DAMAGED for a log that is older than the lake.
  Mover(session::Workspace workspace, capture::Log& log, MoverOptions options = {});
  ~Mover();  // as Stop
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  // Moves all that is in the log now; returns how many entries. Takes the writer's gate for up to
  // `wait` (throws LAKE_BUSY), and not at all when there is nothing to move.
  int64_t Move(std::chrono::milliseconds wait = std::chrono::seconds(60));

  // Moves in the background every `interval` while there is something to move; not while somebody
  // else writes. `moved` is called after each such move; what a move throws goes to `failed`, and
  // the next one tries again. Neither may throw, nor call Stop.
  void Start(std::function<void()> moved, std::function<void(const std::string&)> failed);
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::loop
