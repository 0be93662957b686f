// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/database.h"
#include "engine/result.h"
#include "engine/value.h"

namespace braid::engine {

enum class StatementKind : uint8_t {
  kSelect,       // reads (SELECT, EXPLAIN, DESCRIBE, SHOW, VALUES, PRAGMA that reads, …)
  kWrite,        // INSERT, UPDATE, DELETE, MERGE, CREATE, ALTER, DROP, COPY FROM, CALL, …
  kTransaction,  // BEGIN, COMMIT, ROLLBACK
  kSetting,      // SET, USE, LOAD, ATTACH, …
};

struct StatementInfo {
  StatementKind kind = StatementKind::kSelect;
  std::vector<std::string> column_names;  // of its result
  std::vector<std::string> column_types;  // SQL names; "UNKNOWN" where a parameter has no type
};

// A statement prepared once and executed often. Bound to its connection; one thread at a time.
class PreparedStatement {
 public:
  ~PreparedStatement();
  PreparedStatement(PreparedStatement&&) noexcept;
  PreparedStatement& operator=(PreparedStatement&&) noexcept;
  Result Execute(std::span<const Value> parameters = {});
  const StatementInfo& info() const { return info_; }

  struct Handle;

 private:
  friend class Connection;
  PreparedStatement(std::unique_ptr<Handle> handle, StatementInfo info);
  std::unique_ptr<Handle> handle_;
  StatementInfo info_;
};

// One DuckDB connection: its transaction, settings and temporary tables. One thread at a time,
// except Interrupt. Every failure is an Error: the code by DuckDB's error type; when DuckDB says
// where in the statement it lies, `where` is SpotAt(sql, offset) with an empty file.
class Connection {
 public:
  explicit Connection(Database& database);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs one statement and gives its rows as they come (streamed: the next Execute on this
  // connection ends the previous result). Throws when the text holds several statements.
  Result Query(std::string_view sql, std::span<const Value> parameters = {});
  // Runs one statement to its end; returns the number of rows changed, where it says so.
  int64_t Execute(std::string_view sql, std::span<const Value> parameters = {});
  // First column of the first row, in its JSON form; null when there is no row.
  nlohmann::ordered_json Scalar(std::string_view sql, std::span<const Value> parameters = {});
  // All rows, materialised: for small answers.
  std::vector<std::vector<nlohmann::ordered_json>> Rows(std::string_view sql,
                                                        std::span<const Value> parameters = {});

  PreparedStatement Prepare(std::string_view sql);
  // What one statement is and returns, without running it.
  StatementInfo DescribeStatement(std::string_view sql);

  // Stops what runs on this connection soon, with kInterrupted there. Any thread.
  void Interrupt();

  struct Handle;
  Handle& handle() const { return *handle_; }

 private:
  std::unique_ptr<Handle> handle_;
};

}  // namespace braid::engine
