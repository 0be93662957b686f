// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/functions.h"
#include "loop/live_views.h"

namespace braid::loop {

namespace {

int64_t ParseInteger(const std::string& text) {
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  BRAID_CHECK(parsed.ec == std::errc() && parsed.ptr == text.data() + text.size());
  return value;
}

// Gives a stretch of the log chunk by chunk, holding none of it: each chunk is a reading of its own
// that ends when the chunk is full. They fit together, since nothing ever appears below a position
// that was seen.
class LogScan {
 public:
  LogScan(const capture::Log& log, std::string service, capture::EntryKind kind, int64_t above,
          int64_t upto)
      : log_(log), service_(std::move(service)), kind_(kind), above_(above), upto_(upto) {}

  size_t Fill(std::span<engine::VectorWriter> columns, size_t capacity) {
    struct Full {};
    size_t rows = 0;
    if (above_ >= upto_) return 0;
    try {
      log_.Read(above_, upto_, kind_, service_, [&](const capture::StoredEntry& entry) {
        if (rows == capacity) throw Full();
        Write(entry, columns, rows++);
        above_ = entry.position;
      });
      above_ = upto_;
    } catch (const Full&) {
    }
    return rows;
  }

 private:
  static void Write(const capture::StoredEntry& entry, std::span<engine::VectorWriter> columns,
                    size_t row) {
    columns[0].integers()[row] = entry.position;
    columns[1].SetString(row, entry.id);
    if (entry.client_request_id.empty()) {
      columns[2].SetNull(row);
    } else {
      columns[2].SetString(row, entry.client_request_id);
    }
    columns[3].integers()[row] = entry.recorded_at_us;
    columns[4].SetString(row, entry.payload);
  }

  const capture::Log& log_;
  const std::string service_;
  const capture::EntryKind kind_;
  int64_t above_;
  const int64_t upto_;
};

engine::TableFunction::Producer OpenScan(const capture::Log& log,
                                         std::span<const std::string> arguments) {
  const int64_t kind = ParseInteger(arguments[1]);
  if (kind != 1 && kind != 2)
    throw Error(ErrorCode::kInvalidOption, "No kind of capture entry: " + arguments[1],
                "1 is an inference, 2 is feedback");
  const int64_t above = arguments.size() > 2 ? ParseInteger(arguments[2]) : 0;
  // What comes while the scan runs belongs to the next one.
  const int64_t upto = arguments.size() > 2 ? ParseInteger(arguments[3]) : log.last_position();
  auto scan = std::make_shared<LogScan>(log, arguments[0], static_cast<capture::EntryKind>(kind),
                                        above, upto);
  return [scan](std::span<engine::VectorWriter> columns, size_t capacity) {
    return scan->Fill(columns, capacity);
  };
}

void WriteAccount(const capture::Account& account, std::span<engine::VectorWriter> columns,
                  size_t row) {
  columns[0].SetString(row, account.service);
  size_t column = 1;
  for (const int64_t value :
       {account.since_us, account.served, account.captured, account.shed, account.unknown})
    columns[column++].integers()[row] = value;
}

engine::TableFunction::Producer OpenAccounts(const capture::Log& log) {
  auto accounts = std::make_shared<const std::vector<capture::Account>>(log.Accounts());
  return [accounts, next = size_t{0}](std::span<engine::VectorWriter> columns,
                                      size_t capacity) mutable {
    const size_t rows = std::min(capacity, accounts->size() - next);
    for (size_t row = 0; row < rows; ++row) WriteAccount((*accounts)[next++], columns, row);
    return rows;
  };
}

}  // namespace

void RegisterCaptureFunctions(engine::Connection& connection, const capture::Log& log) {
  engine::TableFunction scan{
      .name = "braid_capture_log",
      .parameter_types = {"VARCHAR", "BIGINT"},
      .columns = {{"position", "BIGINT"},
                  {"id", "VARCHAR"},
                  {"client_request_id", "VARCHAR"},
                  {"recorded_at", "BIGINT"},
                  {"payload", "VARCHAR"}},
      .open = [&log](std::span<const std::string> arguments) { return OpenScan(log, arguments); }};
  engine::Register(connection, scan);
  scan.name = "braid_capture_range";
  scan.parameter_types = {"VARCHAR", "BIGINT", "BIGINT", "BIGINT"};
  engine::Register(connection, std::move(scan));
  engine::Register(connection, engine::TableFunction{.name = "braid_capture_accounts",
                                                     .parameter_types = {},
                                                     .columns = {{"service", "VARCHAR"},
                                                                 {"since", "TIMESTAMPTZ"},
                                                                 {"served", "BIGINT"},
                                                                 {"captured", "BIGINT"},
                                                                 {"shed", "BIGINT"},
                                                                 {"unknown", "BIGINT"}},
                                                     .open = [&log](std::span<const std::string>) {
                                                       return OpenAccounts(log);
                                                     }});
}

}  // namespace braid::loop
