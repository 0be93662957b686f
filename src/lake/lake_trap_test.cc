// SPDX-License-Identifier: Apache-2.0
// What DuckLake gets wrong when it is used as it comes, and what our use makes of it; README.md has
// the table.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "lake/lake_fixture.h"
#include "lake/tables.h"

namespace braid::lake {
namespace {

using LakeTrapTest = LakeTest;

// Two deletes at once on a file that has a list of deleted rows would bring its rows back, twice.
TEST_F(LakeTrapTest, DeletesOfManyWritersTakeEachRowOnce) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT range AS i FROM range(1000)");
  Commit("DELETE FROM bronze.t WHERE i = 999");
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 3; ++writer)
    writers.emplace_back([this, writer] {
      const auto connection = lake_->Connect(Scope::kRun);
      for (int i = 0; i < 8; ++i) {
        WriteTransaction transaction(*lake_, *connection, "writer");
        connection->Execute(fmt::format("DELETE FROM bronze.t WHERE i = {}", i * 10 + writer));
        transaction.Commit("writer", "", "{}");
      }
    });
  writers.clear();
  EXPECT_EQ(Json("SELECT [count(*), count(DISTINCT i)] FROM bronze.t"), "[975,975]");
}

// The files of an open transaction are named by no snapshot yet.
TEST_F(LakeTrapTest, OrphansAreRemovedBetweenTransactions) {
  Open();
  std::atomic<bool> done = false;
  std::jthread maintenance([this, &done] {
    while (!done) lake_->RemoveOrphanFiles();
  });
  for (int i = 0; i < 10; ++i) {
    WriteTransaction transaction(*lake_, *run_, "writer");
    run_->Execute(fmt::format("CREATE TABLE bronze.a{} AS SELECT range AS i FROM range(1000)", i));
    run_->Execute(fmt::format("CREATE TABLE bronze.b{0} AS SELECT i FROM bronze.a{0}", i));
    transaction.Commit("writer", "", "{}");
  }
  done = true;
  maintenance.join();
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(Json(fmt::format("SELECT sum(i)::BIGINT FROM bronze.b{}", i)), "499500") << i;
}

TEST_F(LakeTrapTest, WhatIsRolledBackLeavesNoFiles) {
  Open();
  Commit("CREATE TABLE bronze.t (i BIGINT)");
  const size_t before = DataFiles();
  {
    WriteTransaction transaction(*lake_, *run_, "one");
    run_->Execute("INSERT INTO bronze.t SELECT range FROM range(300000)");
    run_->Execute("CREATE TABLE bronze.u AS SELECT * FROM bronze.t");
  }
  EXPECT_EQ(DataFiles(), before);
  {
    WriteTransaction transaction(*lake_, *run_, "two");
    run_->Execute("INSERT INTO bronze.t SELECT range FROM range(1000)");
    EXPECT_THROW(
        run_->Execute("INSERT INTO bronze.t SELECT if(range < 299999, range, error('late')) "
                      "FROM range(300000)"),
        Error);
  }
  EXPECT_EQ(DataFiles(), before);
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.t"), "0");
}

TEST_F(LakeTrapTest, AnInterruptedStatementLeavesNoFile) {
  Open();
  Commit("CREATE TABLE bronze.t (i BIGINT)");
  const size_t before = DataFiles();
  {
    WriteTransaction transaction(*lake_, *run_, "one");
    const std::jthread interrupt([this, before] {
      while (DataFiles() == before) std::this_thread::yield();
      run_->Interrupt();
    });
    EXPECT_EQ(CodeOf([this] {
                run_->Execute("INSERT INTO bronze.t SELECT range FROM range(10000000000)");
              }),
              ErrorCode::kInterrupted);
  }
  EXPECT_EQ(DataFiles(), before);
  Commit("INSERT INTO bronze.t VALUES (1)");
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.t"), "1");
}

// In another journal mode of SQLite a long read would keep every writer from committing.
TEST_F(LakeTrapTest, ALongReadKeepsItsSnapshotAndBlocksNobody) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT 0 AS i");
  session_->Execute("BEGIN TRANSACTION READ ONLY");
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.t"), "1");
  for (int i = 1; i <= 5; ++i) Commit(fmt::format("INSERT INTO bronze.t VALUES ({})", i));
  Commit("ALTER TABLE bronze.t ADD COLUMN j BIGINT");
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.t"), "1");
  EXPECT_EQ(CodeOf([this] { Json("SELECT j FROM bronze.t"); }), ErrorCode::kBinder);
  session_->Execute("COMMIT");
  EXPECT_EQ(Json("SELECT [count(*), count(j)] FROM bronze.t"), "[6,0]");
}

TEST_F(LakeTrapTest, ReadersSeeWholeCommits) {
  Open();
  Commit("CREATE TABLE bronze.a AS SELECT 0 AS i");
  Commit("CREATE TABLE gold.b AS SELECT 0 AS i");
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 2; ++reader)
    readers.emplace_back([this, &done] {
      const auto connection = lake_->Connect(Scope::kSession);
      do {
        EXPECT_EQ(Json(*connection,
                       "SELECT (SELECT [count(*), sum(i)::BIGINT] FROM bronze.a) = "
                       "(SELECT [count(*), sum(i)::BIGINT] FROM gold.b)"),
                  "true");
      } while (!done);
    });
  for (int i = 1; i <= 8; ++i) {
    WriteTransaction transaction(*lake_, *run_, "writer");
    run_->Execute(fmt::format("INSERT INTO bronze.a VALUES ({})", -i));
    run_->Execute("UPDATE bronze.a SET i = -i WHERE i < 0");
    run_->Execute(fmt::format("INSERT INTO gold.b VALUES ({})", i));
    transaction.Commit("writer", "", "{}");
  }
  done = true;
}

// Merging makes scans of many small files fast; streams and time travel must not notice.
TEST_F(LakeTrapTest, MergingSmallFilesKeepsHistory) {
  Open();
  const int64_t created = Commit("CREATE TABLE bronze.t AS SELECT 0 AS i");
  std::vector<int64_t> versions;
  for (int i = 1; i <= 5; ++i)
    versions.push_back(Commit(fmt::format("INSERT INTO bronze.t VALUES ({})", i)));
  Commit("CALL ducklake_merge_adjacent_files('lake', 't', schema => 'bronze')");
  EXPECT_EQ(Json("SELECT list(i ORDER BY i) FROM bronze.t"), "[0,1,2,3,4,5]");
  EXPECT_EQ(Json("SELECT count(*) FROM ducklake_list_files('lake', 't', schema => 'bronze')"), "1");
  for (int i = 1; i <= 5; ++i) {
    const int64_t version = versions[static_cast<size_t>(i - 1)];
    EXPECT_EQ(Json(fmt::format("SELECT max(i) FROM bronze.t AT (VERSION => {})", version)),
              std::to_string(i));
    EXPECT_EQ(Json(fmt::format("SELECT list(i) FROM ducklake_table_insertions('lake', 'bronze', "
                               "'t', {0}, {0})",
                               version)),
              fmt::format("[{}]", i));
  }
  const TableState state = LoadTableStates(*run_).at("bronze.t");
  EXPECT_EQ(state.version, versions.back());
  EXPECT_EQ(state.append_only_since, created);
}

TEST_F(LakeTrapTest, ExpiringKeepsWhatTheNewestSnapshotHolds) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT range AS i FROM range(100)");
  const int64_t whole = Commit("INSERT INTO bronze.t SELECT range FROM range(100, 200)");
  Commit("DELETE FROM bronze.t WHERE i < 150");
  Commit("CREATE TABLE bronze.u AS SELECT 1 AS i");
  const size_t files = DataFiles();
  Commit("CALL ducklake_expire_snapshots('lake', older_than => now())");
  Commit("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)");
  EXPECT_LT(DataFiles(), files);
  EXPECT_EQ(Json("SELECT [count(*), min(i)] FROM bronze.t"), "[50,150]");
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.u"), "1");
  EXPECT_ANY_THROW(Json(fmt::format("SELECT i FROM bronze.t AT (VERSION => {})", whole)));
  Open(true);
  EXPECT_EQ(Json("SELECT [count(*), min(i)] FROM bronze.t"), "[50,150]");
}

TEST_F(LakeTrapTest, AColumnThatComesAgainIsNew) {
  Open();
  const int64_t first = Commit("CREATE TABLE bronze.t AS SELECT 1 AS i, 'old' AS c");
  Commit("ALTER TABLE bronze.t DROP COLUMN c");
  Commit("ALTER TABLE bronze.t ADD COLUMN c VARCHAR DEFAULT 'default'");
  Commit("INSERT INTO bronze.t (i) VALUES (2)");
  Commit("ALTER TABLE bronze.t RENAME COLUMN i TO j");
  EXPECT_EQ(Json("SELECT list([j::VARCHAR, c] ORDER BY j) FROM bronze.t"),
            R"([["1","default"],["2","default"]])");
  EXPECT_EQ(Json(fmt::format("SELECT [i::VARCHAR, c] FROM bronze.t AT (VERSION => {})", first)),
            R"(["1","old"])");
}

TEST_F(LakeTrapTest, WidenedIntegersAreFound) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT range::INTEGER AS i FROM range(10)");
  Commit("ALTER TABLE bronze.t ALTER i TYPE BIGINT");
  Commit("INSERT INTO bronze.t VALUES (5000000000)");
  EXPECT_EQ(Json("SELECT [count(*) FILTER (i = 7), count(*) FILTER (i > 7)] FROM bronze.t"),
            "[1,3]");
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.t WHERE i = 7"), "1");
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.t WHERE i > 9"), "1");
}

// What DuckLake cannot store it refuses; nothing is stored as something else.
TEST_F(LakeTrapTest, TypesAreStoredOrRefused) {
  Open();
  for (const char* value :
       {"255::UTINYINT", "65535::USMALLINT", "4294967295::UINTEGER",
        "18446744073709551615::UBIGINT", "'NaN'::FLOAT",
        "99999999999999999999999999999999999999::DECIMAL(38, 0)", "TIME '23:59:59.999999'",
        "TIMESTAMP_NS '2013-01-31 23:59:59.123456789'", "TIMESTAMP_S '2013-01-31 23:59:59'",
        "DATE '0001-01-01'", "'{\"a\": [1]}'::JSON", "[{'a': MAP {'k': [NULL, 1.5]}}]"}) {
    Commit(fmt::format("CREATE OR REPLACE TABLE bronze.t AS SELECT {} AS v", value));
    EXPECT_EQ(Json(fmt::format("SELECT v IS NOT DISTINCT FROM {0} AND typeof(v) = typeof({0}) "
                               "FROM bronze.t",
                               value)),
              "true")
        << value;
  }
  for (const char* value : {"'a'::ENUM('a', 'b')", "'101'::BIT", "[1, 2]::FLOAT[2]",
                            "union_value(a := 1)", "1::BIGNUM"})
    EXPECT_THROW(Commit(fmt::format("CREATE OR REPLACE TABLE bronze.t AS SELECT {} AS v", value)),
                 Error)
        << value;
}

}  // namespace
}  // namespace braid::lake
