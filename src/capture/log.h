// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace braid::capture {

enum class EntryKind : uint8_t { kInference = 1, kFeedback = 2 };

struct Entry {
  EntryKind kind = EntryKind::kInference;
  std::string service;
  std::string id;                 // inference_id or feedback_id; once per service and kind
  std::string payload;            // JSON text; never looked into here
  std::string client_request_id;  // empty: none; several entries may share one
};

struct StoredEntry : Entry {
  int64_t position = 0;
  int64_t recorded_at_us = 0;
};

// What to add to a service's account. `reserved`: rows that are going to be answered before they
// are counted; counting them takes them off again. What a crash leaves of it becomes `unknown` when
// the log is opened next.
struct AccountDelta {
  std::string service;
  int64_t served = 0;
  int64_t captured = 0;
  int64_t shed = 0;
  int64_t unknown = 0;
  int64_t reserved = 0;
};

struct Account {
  std::string service;
  int64_t since_us = 0;  // when the service was first counted
  int64_t served = 0;
  int64_t captured = 0;
  int64_t shed = 0;
  int64_t unknown = 0;
};

struct LogOptions {
  size_t max_pending_entries = 100'000;
  size_t max_pending_bytes = size_t{256} << 20;
};

// The durable capture log: one SQLite file (docs/formats/capture_log.md) that nothing else opens.
//
// Append queues; one writer thread commits all that is queued in one transaction and then calls
// every `done`. Every method may be called from any thread, but from a `done` only those that do
// not wait for the writer (not AppendAndWait, Flush, Trim, Close). Positions rise in commit order
// and are never used twice: who sees position p sees every entry below p that there will ever be.
// A failed commit reaches the `done` of all that it held, and the log goes on with the next.
class Log {
 public:
  // null once the entries are on disk; otherwise an Error: CONSTRAINT for an id that is there
  // already (the other appends are not affected), IO for the disk. Must not throw.
  using Done = std::function<void(std::exception_ptr)>;
  static constexpr int64_t kNewest = std::numeric_limits<int64_t>::max();

  // Opens or creates the file. `clock` must outlive the log.
  Log(const std::filesystem::path& file, const Clock& clock, LogOptions options = {});
  ~Log();  // as Close
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // All entries and deltas of one call become durable together or not at all. Throws Error
  // OVERLOADED, with nothing queued, when the queue is full or the log is closed.
  void Append(std::vector<Entry> entries, Done done);
  void Append(std::vector<Entry> entries, std::vector<AccountDelta> deltas, Done done);
  void AppendAndWait(std::vector<Entry> entries, std::vector<AccountDelta> deltas = {});

  // Visits entries with above < position <= upto in order, all from one snapshot. Appends and trims
  // go on meanwhile. What `visit` throws ends the reading and reaches the caller.
  void Read(int64_t above, int64_t upto, std::optional<EntryKind> kind,
            std::optional<std::string_view> service,
            const std::function<void(const StoredEntry&)>& visit) const;

  // The newest durable position, trimmed or not; 0 for a log that never had an entry.
  int64_t last_position() const;

  // Whether the log (not the lake) holds inferences under these ids; a client_request_id counts
  // when any inference has it.
  bool Has(std::string_view service, std::string_view inference_id) const;
  bool HasClientRequest(std::string_view service, std::string_view client_request_id) const;
  size_t CountKnown(std::string_view service, const std::vector<std::string>& inference_ids) const;

  // Deletes entries with position <= upto, in steps between which appends are committed, and gives
  // free pages back to the file system. Returns how many entries went.
  int64_t Trim(int64_t upto);

  std::vector<Account> Accounts() const;  // by service name

  // Waits until everything queued before is committed (or has failed).
  void Flush();
  // Refuses new appends, commits what is queued, stops the writer. Reading goes on to work.
  void Close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::capture
