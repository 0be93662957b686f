// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace braid::capture {

class SqliteStatement;

// One connection to an SQLite file. Used by one thread at a time. Whatever fails throws Error: IO
// for the disk, CONSTRAINT for a broken constraint, LAKE_DAMAGED for a file that is not a database
// or is corrupt, INTERNAL for a misuse of ours; the connection stays usable after the first two.
class SqliteDatabase {
 public:
  enum class Access { kReadWrite, kReadOnly };  // kReadWrite creates the file (mode 0600)

  SqliteDatabase(const std::filesystem::path& file, Access access);
  SqliteDatabase(SqliteDatabase&& other) noexcept;
  SqliteDatabase& operator=(SqliteDatabase&& other) noexcept;
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase();

  // Runs statements that give no rows, or whose rows do not matter.
  void Execute(const std::string& sql);
  SqliteStatement Prepare(std::string_view sql);
  std::optional<int64_t> QueryInteger(std::string_view sql);  // first column of the first row
  int64_t last_insert_rowid() const;
  int64_t changes() const;  // rows that the last INSERT, UPDATE or DELETE touched
  bool in_transaction() const;

 private:
  sqlite3* handle_ = nullptr;
  std::string file_;
};

// A prepared statement. Parameters and columns count from 1 and 0, as SQLite's do; text that a
// column gives is valid until the next Step or Reset. Must not outlive its database.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, std::string file, std::string_view sql);
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement();

  SqliteStatement& Bind(int parameter, int64_t value);
  SqliteStatement& Bind(int parameter, double value);
  SqliteStatement& Bind(int parameter, std::string_view text);  // copied
  SqliteStatement& BindNull(int parameter);
  SqliteStatement& BindOrNull(int parameter, const std::optional<int64_t>& value);

  bool Step();   // true: a row is there; false: done
  void Run();    // steps to the end and resets
  void Reset();  // and forgets what is bound

  int64_t Integer(int column) const;
  double Real(int column) const;
  std::string_view Text(int column) const;
  bool IsNull(int column) const;
  std::optional<int64_t> IntegerOrNull(int column) const;

 private:
  sqlite3* database_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
  std::string file_;
};

// BEGIN IMMEDIATE; rolled back at destruction unless committed.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(SqliteDatabase& database);
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;
  ~SqliteTransaction();
  void Commit();

 private:
  SqliteDatabase& database_;
  bool open_ = true;
};

// Brings a file to the newest schema: PRAGMA user_version counts the steps taken, migrations[i]
// leads from version i to i + 1, all missing ones in one transaction. Throws Error LAKE_FORMAT for
// a file that a newer Braid wrote.
void MigrateSqlite(SqliteDatabase& database, std::span<const std::string_view> migrations,
                   const std::filesystem::path& file);

}  // namespace braid::capture
