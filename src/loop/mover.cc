// SPDX-License-Identifier: Apache-2.0
#include "loop/mover.h"

#include <fmt/format.h>

#include <atomic>
#include <map>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "lake/write_transaction.h"
#include "loop/capture_move_internal.h"

namespace braid::loop {

namespace {

// How long the background waits for another writer before it leaves the rest to the next time.
constexpr std::chrono::milliseconds kBackgroundWait{50};

int64_t ReadWatermark(engine::Connection& connection) {
  return connection.Scalar("SELECT coalesce(max(position), 0) FROM lake.braid.capture_watermark")
      .get<int64_t>();
}

void WriteWatermark(engine::Connection& connection, int64_t position) {
  connection.Execute("DELETE FROM lake.braid.capture_watermark");
  connection.Execute("INSERT INTO lake.braid.capture_watermark VALUES ($1)",
                     std::vector<engine::Value>{position});
}

std::map<std::string, ServiceEntries> CountEntries(const capture::Log& log, int64_t above,
                                                   int64_t upto) {
  std::map<std::string, ServiceEntries> counts;
  log.Read(above, upto, {}, {}, [&counts](const capture::StoredEntry& entry) {
    ServiceEntries& service = counts[entry.service];
    ++(entry.kind == capture::EntryKind::kInference ? service.inferences : service.feedback);
  });
  return counts;
}

}  // namespace

struct Mover::State {
  State(session::Workspace given, capture::Log& given_log, MoverOptions given_options)
      : workspace(given),
        log(given_log),
        options(given_options),
        connection(workspace.lake.Connect(lake::Scope::kRun)) {}

  void Begin() REQUIRES(moving);
  int64_t Move(std::chrono::milliseconds wait) REQUIRES(moving);
  int64_t MoveAbove(int64_t above, int64_t upto, lake::WriteTransaction& transaction)
      REQUIRES(moving);
  void Settle(int64_t position) REQUIRES(moving);
  void Trim() REQUIRES(moving);
  void MoveInBackground();
  void RunLoop();

  session::Workspace workspace;
  capture::Log& log;
  const MoverOptions options;

  Mutex moving;  // before the writer's gate
  std::unique_ptr<engine::Connection> connection GUARDED_BY(moving);
  int64_t watermark GUARDED_BY(moving) = 0;
  int64_t trimmed GUARDED_BY(moving) = 0;  // nothing is in the log up to here

  Mutex mutex;
  ConditionVariable stop_asked;
  bool stopping GUARDED_BY(mutex) = false;
  std::function<void()> moved;
  std::function<void(const std::string&)> failed;
  std::thread thread;
};

// A log without any entry ever is a new one, whose positions begin again; one that ends below the
// watermark cannot be told from the lake's own as it once was, so moving it could double rows or
// drop some.
void Mover::State::Begin() {
  const int64_t stored = ReadWatermark(*connection);
  const int64_t last = log.last_position();
  if (last > 0 && last < stored) {
    throw Error(
        ErrorCode::kLakeDamaged,
        fmt::format("The capture log is older than the lake: its last entry is {}, the lake "
                    "has entries up to {}",
                    last, stored),
        "put back the capture.sqlite that belongs to this lake, or remove it to begin a new "
        "one");
  }
  if (last == 0 && stored > 0) {
    lake::WriteTransaction transaction(workspace.lake, *connection, "mover");
    WriteWatermark(*connection, 0);
    transaction.Commit("mover", "a new capture log", "{}");
  }
  Settle(last == 0 ? 0 : stored);
}

void Mover::State::Settle(int64_t position) {
  watermark = position;
  workspace.reads.SetWatermark(position);
}

// Also when nothing was moved: a long reading may have ended, or a crash come between commit and
// trim.
void Mover::State::Trim() {
  const int64_t upto = workspace.reads.OldestWatermark();
  if (upto <= trimmed) return;
  log.Trim(upto);
  trimmed = upto;
}

int64_t Mover::State::Move(std::chrono::milliseconds wait) {
  int64_t count = 0;
  if (log.last_position() > watermark) {
    lake::WriteTransaction transaction(workspace.lake, *connection, "mover", wait);
    // The lake decides: a commit may have succeeded and its answer failed.
    const int64_t above = ReadWatermark(*connection);
    const int64_t upto = log.last_position();
    if (upto > above) count = MoveAbove(above, upto, transaction);
    Settle(upto);
  }
  Trim();
  return count;
}

int64_t Mover::State::MoveAbove(int64_t above, int64_t upto, lake::WriteTransaction& transaction) {
  int64_t all = 0;
  int64_t carried = 0;
  for (const auto& [service, entries] : CountEntries(log, above, upto)) {
    all += entries.inferences + entries.feedback;
    carried += MoveService(*connection, service, entries, above, upto);
  }
  WriteWatermark(*connection, upto);
  transaction.Commit(
      "mover", fmt::format("captures up to {}", upto),
      fmt::format(R"({{"captures": {{"upto": {}, "moved": {}, "passed_over": {}}}}})", upto,
                  carried, all - carried));
  return all;
}

void Mover::State::MoveInBackground() {
  try {
    int64_t count = 0;
    {
      MutexLock lock(moving);
      count = Move(kBackgroundWait);
    }
    if (count > 0 && moved) moved();
  } catch (const Error& error) {
    // Somebody writes: the next time will do.
    if (error.code() != ErrorCode::kLakeBusy && failed) failed(error.ToText());
  } catch (const std::exception& error) {
    if (failed) failed(error.what());
  }
}

void Mover::State::RunLoop() {
  for (;;) {
    MoveInBackground();
    MutexLock lock(mutex);
    if (!stopping) stop_asked.WaitFor(mutex, options.interval);
    if (stopping) return;
  }
}

Mover::Mover(session::Workspace workspace, capture::Log& log, MoverOptions options)
    : state_(std::make_unique<State>(workspace, log, options)) {
  MutexLock lock(state_->moving);
  state_->Begin();
}

Mover::~Mover() { Stop(); }

int64_t Mover::Move(std::chrono::milliseconds wait) {
  MutexLock lock(state_->moving);
  return state_->Move(wait);
}

void Mover::Start(std::function<void()> moved, std::function<void(const std::string&)> failed) {
  BRAID_CHECK(!state_->thread.joinable());
  state_->moved = std::move(moved);
  state_->failed = std::move(failed);
  {
    MutexLock lock(state_->mutex);
    state_->stopping = false;
  }
  state_->thread = std::thread([state = state_.get()] { state->RunLoop(); });
}

void Mover::Stop() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->stop_asked.NotifyAll();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace braid::loop
