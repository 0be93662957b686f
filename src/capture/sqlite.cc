// SPDX-License-Identifier: Apache-2.0
#include "capture/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace braid::capture {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

ErrorCode CodeOf(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CONSTRAINT:
      return ErrorCode::kConstraint;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return ErrorCode::kLakeDamaged;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorCode::kIo;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kLakeBusy;
    case SQLITE_NOMEM:
      return ErrorCode::kOutOfMemory;
    case SQLITE_TOOBIG:
      return ErrorCode::kTooLarge;
    default:
      return ErrorCode::kInternal;
  }
}

[[noreturn]] void Fail(sqlite3* database, int code, const std::string& file) {
  const char* text = database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database);
  throw Error(CodeOf(code), fmt::format("SQLite failed: {} ({}, code {})", text, file, code));
}

// A new file is made here so that only its owner can read it; SQLite gives -wal and -shm the same
// mode.
void CreatePrivately(const std::filesystem::path& file) {
  FileDescriptor made(open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made.is_open() && errno != EEXIST) ThrowErrno("Cannot create file", file);
  if (made.is_open()) SyncFolder(file.parent_path());
}

}  // namespace

SqliteDatabase::SqliteDatabase(const std::filesystem::path& file, Access access)
    : file_(file.string()) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (access == Access::kReadWrite) CreatePrivately(file);
  flags |= access == Access::kReadWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    const Error error(CodeOf(code),
                      fmt::format("SQLite cannot open: {} ({})", file_, sqlite3_errstr(code)));
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw error;
  }
  sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
}

SqliteDatabase::SqliteDatabase(SqliteDatabase&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), file_(std::move(other.file_)) {}

SqliteDatabase& SqliteDatabase::operator=(SqliteDatabase&& other) noexcept {
  if (this != &other) {
    sqlite3_close_v2(handle_);
    handle_ = std::exchange(other.handle_, nullptr);
    file_ = std::move(other.file_);
  }
  return *this;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(handle_); }

void SqliteDatabase::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) Fail(handle_, code, file_);
}

SqliteStatement SqliteDatabase::Prepare(std::string_view sql) {
  return SqliteStatement(handle_, file_, sql);
}

std::optional<int64_t> SqliteDatabase::QueryInteger(std::string_view sql) {
  SqliteStatement statement = Prepare(sql);
  if (!statement.Step()) return std::nullopt;
  return statement.IntegerOrNull(0);
}

int64_t SqliteDatabase::last_insert_rowid() const { return sqlite3_last_insert_rowid(handle_); }
int64_t SqliteDatabase::changes() const { return sqlite3_changes64(handle_); }
bool SqliteDatabase::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

SqliteStatement::SqliteStatement(sqlite3* database, std::string file, std::string_view sql)
    : database_(database), file_(std::move(file)) {
  const int code =
      sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &handle_, nullptr);
  if (code != SQLITE_OK) Fail(database, code, file_);
}

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : database_(other.database_),
      handle_(std::exchange(other.handle_, nullptr)),
      file_(std::move(other.file_)) {}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(handle_); }

SqliteStatement& SqliteStatement::Bind(int parameter, int64_t value) {
  const int code = sqlite3_bind_int64(handle_, parameter, value);
  if (code != SQLITE_OK) Fail(database_, code, file_);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int parameter, double value) {
  const int code = sqlite3_bind_double(handle_, parameter, value);
  if (code != SQLITE_OK) Fail(database_, code, file_);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL.
  const int code =
      sqlite3_bind_text64(handle_, parameter, text.data() == nullptr ? "" : text.data(),
                          text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) Fail(database_, code, file_);
  return *this;
}

SqliteStatement& SqliteStatement::BindNull(int parameter) {
  const int code = sqlite3_bind_null(handle_, parameter);
  if (code != SQLITE_OK) Fail(database_, code, file_);
  return *this;
}

SqliteStatement& SqliteStatement::BindOrNull(int parameter, const std::optional<int64_t>& value) {
  return value ? Bind(parameter, *value) : BindNull(parameter);
}

bool SqliteStatement::Step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const Error error(CodeOf(code), fmt::format("SQLite failed: {} ({}, code {})",
                                              sqlite3_errmsg(database_), file_, code));
  Reset();
  throw error;
}

void SqliteStatement::Run() {
  while (Step()) continue;
  Reset();
}

void SqliteStatement::Reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

int64_t SqliteStatement::Integer(int column) const { return sqlite3_column_int64(handle_, column); }
double SqliteStatement::Real(int column) const { return sqlite3_column_double(handle_, column); }

std::string_view SqliteStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(handle_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<size_t>(sqlite3_column_bytes(handle_, column))};
}

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

std::optional<int64_t> SqliteStatement::IntegerOrNull(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Integer(column);
}

SqliteTransaction::SqliteTransaction(SqliteDatabase& database) : database_(database) {
  database_.Execute("BEGIN IMMEDIATE");
}

SqliteTransaction::~SqliteTransaction() {
  if (!open_ || !database_.in_transaction()) return;
  try {
    database_.Execute("ROLLBACK");
  } catch (const Error&) {
    // The next BEGIN reports what is wrong with the connection.
  }
}

void SqliteTransaction::Commit() {
  database_.Execute("COMMIT");
  open_ = false;
}

void MigrateSqlite(SqliteDatabase& database, std::span<const std::string_view> migrations,
                   const std::filesystem::path& file) {
  const auto newest = static_cast<int64_t>(migrations.size());
  SqliteTransaction transaction(database);
  const int64_t found = database.QueryInteger("PRAGMA user_version").value_or(0);
  if (found < 0 || found > newest) {
    throw Error(ErrorCode::kLakeFormat,
                fmt::format("File was written by a newer Braid: {} (version {}, known up to {})",
                            file.string(), found, newest),
                "use that version of Braid, or a newer one");
  }
  if (found == newest) return;
  for (int64_t version = found; version < newest; ++version) {
    database.Execute(std::string(migrations[static_cast<size_t>(version)]));
  }
  database.Execute(fmt::format("PRAGMA user_version = {}", newest));
  transaction.Commit();
}

}  // namespace braid::capture
