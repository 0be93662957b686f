// SPDX-License-Identifier: Apache-2.0
#include "capture/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>

#include "base/error.h"

namespace braid::capture {
namespace {

class Sqlite : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "braid_sqlite_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  template <typename F>
  static ErrorCode CodeOf(F action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::kInternal;
  }

  std::filesystem::path folder_;
};

using Access = SqliteDatabase::Access;

TEST_F(Sqlite, BindsAndReadsEveryKindOfValue) {
  SqliteDatabase database(folder_ / "a.sqlite", Access::kReadWrite);
  database.Execute("CREATE TABLE t(a, b, c, d, e)");
  const std::string with_zero("a\0b", 3);
  database.Prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)")
      .Bind(1, int64_t{-5})
      .Bind(2, 0.5)
      .Bind(3, with_zero)
      .BindNull(4)
      .Bind(5, std::string_view())
      .Run();
  SqliteStatement rows = database.Prepare("SELECT a, b, c, d, e FROM t");
  ASSERT_TRUE(rows.Step());
  EXPECT_EQ(rows.Integer(0), -5);
  EXPECT_EQ(rows.Real(1), 0.5);
  EXPECT_EQ(rows.Text(2), with_zero);
  EXPECT_TRUE(rows.IsNull(3));
  EXPECT_EQ(rows.IntegerOrNull(3), std::nullopt);
  EXPECT_FALSE(rows.IsNull(4));
  EXPECT_EQ(rows.Text(4), "");
  EXPECT_FALSE(rows.Step());
}

TEST_F(Sqlite, NewFilesAreForTheirOwnerAlone) {
  SqliteDatabase database(folder_ / "a.sqlite", Access::kReadWrite);
  database.Execute("PRAGMA journal_mode = WAL; CREATE TABLE t(a)");
  for (const char* name : {"a.sqlite", "a.sqlite-wal", "a.sqlite-shm"}) {
    struct stat status = {};
    ASSERT_EQ(stat((folder_ / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
  }
}

TEST_F(Sqlite, ErrorsHaveCodes) {
  EXPECT_EQ(CodeOf([&] { SqliteDatabase(folder_ / "none" / "a", Access::kReadWrite); }),
            ErrorCode::kIo);
  EXPECT_EQ(CodeOf([&] { SqliteDatabase(folder_ / "missing", Access::kReadOnly); }),
            ErrorCode::kIo);
  std::ofstream(folder_ / "text") << std::string(5000, 'x');
  EXPECT_EQ(CodeOf([&] {
              SqliteDatabase(folder_ / "text", Access::kReadWrite).Execute("CREATE TABLE t(a)");
            }),
            ErrorCode::kLakeDamaged);
  SqliteDatabase database(folder_ / "a", Access::kReadWrite);
  EXPECT_EQ(CodeOf([&] { database.Execute("CREATE"); }), ErrorCode::kInternal);
  database.Execute("CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES (1)");
  EXPECT_EQ(CodeOf([&] { database.Execute("INSERT INTO t VALUES (1)"); }), ErrorCode::kConstraint);
  EXPECT_EQ(database.QueryInteger("SELECT count(*) FROM t"), 1);
}

TEST_F(Sqlite, TransactionsRollBackUnlessCommitted) {
  SqliteDatabase database(folder_ / "a", Access::kReadWrite);
  database.Execute("CREATE TABLE t(a)");
  {
    SqliteTransaction transaction(database);
    database.Execute("INSERT INTO t VALUES (1)");
  }
  {
    SqliteTransaction transaction(database);
    database.Execute("INSERT INTO t VALUES (2)");
    transaction.Commit();
  }
  EXPECT_EQ(database.QueryInteger("SELECT sum(a) FROM t"), 2);
  EXPECT_FALSE(database.in_transaction());
}

TEST_F(Sqlite, MigratesStepByStepAndRefusesNewerFiles) {
  constexpr std::array<std::string_view, 2> kSteps = {"CREATE TABLE t(a)",
                                                      "ALTER TABLE t ADD COLUMN b DEFAULT 7"};
  const std::filesystem::path file = folder_ / "a";
  SqliteDatabase database(file, Access::kReadWrite);
  MigrateSqlite(database, std::span(kSteps).first(1), file);
  database.Execute("INSERT INTO t VALUES (1)");
  MigrateSqlite(database, kSteps, file);
  MigrateSqlite(database, kSteps, file);
  EXPECT_EQ(database.QueryInteger("SELECT b FROM t"), 7);
  EXPECT_EQ(database.QueryInteger("PRAGMA user_version"), 2);
  EXPECT_EQ(CodeOf([&] { MigrateSqlite(database, std::span(kSteps).first(1), file); }),
            ErrorCode::kLakeFormat);
}

TEST_F(Sqlite, AFailedMigrationLeavesTheFileAsItWas) {
  constexpr std::array<std::string_view, 2> kSteps = {"CREATE TABLE t(a)", "CREATE TABLE t(a)"};
  SqliteDatabase database(folder_ / "a", Access::kReadWrite);
  EXPECT_THROW(MigrateSqlite(database, kSteps, "a"), Error);
  EXPECT_EQ(database.QueryInteger("PRAGMA user_version"), 0);
  EXPECT_EQ(database.QueryInteger("SELECT count(*) FROM sqlite_master"), 0);
}

}  // namespace
}  // namespace braid::capture
