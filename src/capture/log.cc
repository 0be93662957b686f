// SPDX-License-Identifier: Apache-2.0
#include "capture/log.h"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "capture/log_writer_internal.h"
#include "capture/sqlite.h"

namespace braid::capture {
namespace {

constexpr int64_t kTrimStepEntries = 2000;
constexpr size_t kIdleReaders = 8;

struct TrimRequest {
  int64_t upto = 0;
  int64_t trimmed = 0;
  bool entries_gone = false;
  std::promise<int64_t> done;
};

size_t BytesOf(const std::vector<Entry>& entries) {
  size_t bytes = 0;
  for (const Entry& entry : entries) {
    bytes += sizeof(Entry) + entry.service.size() + entry.id.size() + entry.payload.size() +
             entry.client_request_id.size();
  }
  return bytes;
}

// Read-only connections, kept for the next reader.
class ReaderPool {
 public:
  explicit ReaderPool(std::filesystem::path file) : file_(std::move(file)) {}

  class Lease {
   public:
    explicit Lease(ReaderPool& pool) : pool_(pool), database_(pool.Take()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.Return(std::move(database_)); }
    SqliteDatabase& operator*() { return database_; }
    SqliteDatabase* operator->() { return &database_; }

   private:
    ReaderPool& pool_;
    SqliteDatabase database_;
  };

 private:
  SqliteDatabase Take() {
    {
      MutexLock lock(mutex_);
      if (!idle_.empty()) {
        SqliteDatabase database = std::move(idle_.back());
        idle_.pop_back();
        return database;
      }
    }
    return SqliteDatabase(file_, SqliteDatabase::Access::kReadOnly);
  }

  void Return(SqliteDatabase database) {
    MutexLock lock(mutex_);
    if (idle_.size() < kIdleReaders) idle_.push_back(std::move(database));
  }

  const std::filesystem::path file_;
  Mutex mutex_;
  std::vector<SqliteDatabase> idle_ GUARDED_BY(mutex_);
};

}  // namespace

struct Log::State {
  State(const std::filesystem::path& file, const Clock& clock, LogOptions given)
      : options(given), writer(file, clock), readers(file), last_position(writer.last_position()) {}

  void WriterLoop();
  // Both return with the lock released and taken again around their work.
  void CommitQueued() REQUIRES(mutex);
  void AdvanceTrim() REQUIRES(mutex);
  bool IsWriterThread() const { return std::this_thread::get_id() == writer_id; }

  const LogOptions options;
  LogWriter writer;  // the writer thread's alone once that runs
  ReaderPool readers;
  std::atomic<int64_t> last_position;
  DurationHistogram commit_times;

  Mutex mutex;
  ConditionVariable work;
  ConditionVariable progress;
  std::vector<AppendRequest> queue GUARDED_BY(mutex);
  std::vector<TrimRequest> trims GUARDED_BY(mutex);
  size_t pending_entries GUARDED_BY(mutex) = 0;  // queued or being committed
  size_t pending_bytes GUARDED_BY(mutex) = 0;
  uint64_t queued_requests GUARDED_BY(mutex) = 0;  // ever
  uint64_t settled_requests GUARDED_BY(mutex) = 0;
  bool closed GUARDED_BY(mutex) = false;

  Mutex join_mutex;  // before `mutex`
  std::thread thread;
  std::thread::id writer_id;  // set before anybody can ask
};

void Log::State::WriterLoop() {
  MutexLock lock(mutex);
  for (;;) {
    while (queue.empty() && trims.empty() && !closed) work.Wait(mutex);
    if (queue.empty() && trims.empty()) return;
    if (!queue.empty()) CommitQueued();
    if (!trims.empty()) AdvanceTrim();
  }
}

void Log::State::CommitQueued() {
  std::vector<AppendRequest> batch = std::exchange(queue, {});
  mutex.unlock();
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<std::exception_ptr> outcomes = writer.Commit(batch);
  commit_times.Add(std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::steady_clock::now() - begin)
                       .count());
  last_position.store(writer.last_position(), std::memory_order_release);
  size_t entries = 0;
  size_t bytes = 0;
  for (const AppendRequest& request : batch) {
    entries += request.entries.size();
    bytes += request.bytes;
  }
  // Room is given back before anybody hears of it, so that who waited for `done` can append at
  // once.
  mutex.lock();
  pending_entries -= entries;
  pending_bytes -= bytes;
  mutex.unlock();
  for (size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].done) batch[i].done(outcomes[i]);
  }
  mutex.lock();
  settled_requests += batch.size();
  progress.NotifyAll();
}

void Log::State::AdvanceTrim() {
  TrimRequest trim = std::move(trims.front());
  trims.erase(trims.begin());
  mutex.unlock();
  bool finished = false;
  try {
    if (!trim.entries_gone) {
      const int64_t gone = writer.TrimStep(trim.upto, kTrimStepEntries);
      trim.trimmed += gone;
      trim.entries_gone = gone < kTrimStepEntries;
    } else {
      finished = !writer.ReleaseStep();
    }
    if (finished) trim.done.set_value(trim.trimmed);
  } catch (...) {
    finished = true;
    trim.done.set_exception(std::current_exception());
  }
  mutex.lock();
  if (!finished) trims.insert(trims.begin(), std::move(trim));
}

Log::Log(const std::filesystem::path& file, const Clock& clock, LogOptions options)
    : state_(std::make_unique<State>(file, clock, options)) {
  state_->thread = std::thread([state = state_.get()] { state->WriterLoop(); });
  state_->writer_id = state_->thread.get_id();
}

Log::~Log() { Close(); }

void Log::Append(std::vector<Entry> entries, Done done) {
  Append(std::move(entries), {}, std::move(done));
}

void Log::Append(std::vector<Entry> entries, std::vector<AccountDelta> deltas, Done done) {
  for (const Entry& entry : entries) BRAID_CHECK(!entry.service.empty() && !entry.id.empty());
  const size_t bytes = BytesOf(entries) + deltas.size() * sizeof(AccountDelta);
  const size_t count = entries.size();
  State& state = *state_;
  {
    MutexLock lock(state.mutex);
    if (state.closed) throw Error(ErrorCode::kOverloaded, "The capture log is closed");
    // A request larger than the whole queue still passes through an empty one.
    const bool too_many = state.pending_entries + count > state.options.max_pending_entries;
    const bool too_large = state.pending_bytes + bytes > state.options.max_pending_bytes;
    const bool is_empty = state.settled_requests == state.queued_requests;
    if ((too_many || too_large) && !is_empty) {
      throw Error(ErrorCode::kOverloaded,
                  "The capture log cannot keep up: " + std::to_string(state.pending_entries) +
                      " entries wait",
                  "try again later, or send fewer requests at a time");
    }
    state.pending_entries += count;
    state.pending_bytes += bytes;
    ++state.queued_requests;
    state.queue.push_back({std::move(entries), std::move(deltas), std::move(done), bytes});
  }
  state.work.NotifyOne();
}

void Log::AppendAndWait(std::vector<Entry> entries, std::vector<AccountDelta> deltas) {
  BRAID_CHECK(!state_->IsWriterThread());
  std::promise<void> settled;
  std::future<void> outcome = settled.get_future();
  Append(std::move(entries), std::move(deltas), [&settled](std::exception_ptr error) {
    // The waiting thread destroys `settled` as soon as it is set: take it along.
    std::promise<void> mine = std::move(settled);
    if (error) {
      mine.set_exception(error);
    } else {
      mine.set_value();
    }
  });
  outcome.get();
}

void Log::Read(int64_t above, int64_t upto, std::optional<EntryKind> kind,
               std::optional<std::string_view> service,
               const std::function<void(const StoredEntry&)>& visit) const {
  ReaderPool::Lease database(state_->readers);
  SqliteStatement rows = database->Prepare(
      "SELECT position, kind, service, id, client_request_id, recorded_at, payload FROM log"
      " WHERE position > ?1 AND position <= ?2 AND (?3 IS NULL OR kind = ?3)"
      " AND (?4 IS NULL OR service = ?4) ORDER BY position");
  rows.Bind(1, above).Bind(2, upto);
  if (kind) rows.Bind(3, static_cast<int64_t>(*kind));
  if (service) rows.Bind(4, *service);
  StoredEntry entry;
  while (rows.Step()) {
    entry.position = rows.Integer(0);
    entry.kind = static_cast<EntryKind>(rows.Integer(1));
    entry.service = rows.Text(2);
    entry.id = rows.Text(3);
    entry.client_request_id = rows.Text(4);
    entry.recorded_at_us = rows.Integer(5);
    entry.payload = rows.Text(6);
    visit(entry);
  }
}

int64_t Log::last_position() const { return state_->last_position.load(std::memory_order_acquire); }

bool Log::Has(std::string_view service, std::string_view inference_id) const {
  return CountKnown(service, {std::string(inference_id)}) == 1;
}

bool Log::HasClientRequest(std::string_view service, std::string_view client_request_id) const {
  ReaderPool::Lease database(state_->readers);
  SqliteStatement found = database->Prepare(
      "SELECT 1 FROM log WHERE service = ?1 AND client_request_id = ?2 AND kind = 1 LIMIT 1");
  return found.Bind(1, service).Bind(2, client_request_id).Step();
}

size_t Log::CountKnown(std::string_view service,
                       const std::vector<std::string>& inference_ids) const {
  ReaderPool::Lease database(state_->readers);
  SqliteStatement found =
      database->Prepare("SELECT 1 FROM log WHERE service = ?1 AND kind = 1 AND id = ?2");
  size_t known = 0;
  for (const std::string& id : inference_ids) {
    if (found.Bind(1, service).Bind(2, id).Step()) ++known;
    found.Reset();
  }
  return known;
}

int64_t Log::Trim(int64_t upto) {
  BRAID_CHECK(!state_->IsWriterThread());
  std::future<int64_t> outcome;
  {
    MutexLock lock(state_->mutex);
    if (state_->closed) throw Error(ErrorCode::kOverloaded, "The capture log is closed");
    state_->trims.push_back({.upto = upto});
    outcome = state_->trims.back().done.get_future();
  }
  state_->work.NotifyOne();
  return outcome.get();
}

std::vector<Account> Log::Accounts() const {
  ReaderPool::Lease database(state_->readers);
  SqliteStatement rows = database->Prepare(
      "SELECT service, since, served, captured, shed, unknown FROM account ORDER BY service");
  std::vector<Account> accounts;
  while (rows.Step()) {
    accounts.push_back({.service = std::string(rows.Text(0)),
                        .since_us = rows.Integer(1),
                        .served = rows.Integer(2),
                        .captured = rows.Integer(3),
                        .shed = rows.Integer(4),
                        .unknown = rows.Integer(5)});
  }
  return accounts;
}

DurationHistogram::Reading Log::CommitTimes() const { return state_->commit_times.Read(); }

void Log::Flush() {
  BRAID_CHECK(!state_->IsWriterThread());
  MutexLock lock(state_->mutex);
  const uint64_t target = state_->queued_requests;
  while (state_->settled_requests < target) state_->progress.Wait(state_->mutex);
}

void Log::Close() {
  BRAID_CHECK(!state_->IsWriterThread());
  MutexLock joining(state_->join_mutex);
  {
    MutexLock lock(state_->mutex);
    state_->closed = true;
  }
  state_->work.NotifyOne();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace braid::capture
