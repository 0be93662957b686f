// SPDX-License-Identifier: Apache-2.0
#include "lake/lake.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "lake/lake_fixture.h"
#include "lake/metadata.h"

namespace braid::lake {
namespace {

TEST_F(LakeTest, ANewLakeHasItsSchemasAndTables) {
  Open();
  for (const char* schema : {"bronze", "silver", "gold", "inference", "feedback", "braid"})
    run_->Execute(fmt::format("CREATE TABLE lake.{}.probe (i BIGINT)", schema));
  for (const std::string& table : MetadataTables()) {
    EXPECT_NO_THROW(run_->Execute("SELECT * FROM lake.braid." + table)) << table;
    EXPECT_NO_THROW(session_->Execute("SELECT * FROM braid." + table)) << table;
  }
  EXPECT_EQ(Json("SELECT list(position) FROM braid.capture_watermark"), "[0]");
  EXPECT_TRUE(std::filesystem::is_directory(lake_->data_folder()));
  EXPECT_TRUE(std::filesystem::is_directory(lake_->model_folder()));
}

TEST_F(LakeTest, OpeningAgainChangesNothing) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT 1 AS i");
  const int64_t snapshot = lake_->CurrentSnapshot();
  Open();
  EXPECT_EQ(lake_->CurrentSnapshot(), snapshot);
  EXPECT_EQ(Json("SELECT list(i) FROM bronze.t"), "[1]");
  Open(true);
  EXPECT_EQ(lake_->CurrentSnapshot(), snapshot);
}

// Opening adds the statistics of tables without rows; DuckLake must go on from them.
TEST_F(LakeTest, EmptyTablesHaveStatisticsOnce) {
  Open();
  Commit("CREATE TABLE lake.gold.empty (x BIGINT)");
  Open();
  constexpr const char* kTwice =
      "SELECT count(*) FROM (SELECT table_id FROM __ducklake_metadata_lake.ducklake_table_stats "
      "GROUP BY table_id HAVING count(*) > 1)";
  constexpr const char* kMissing =
      "SELECT count(*) FROM __ducklake_metadata_lake.ducklake_table WHERE end_snapshot IS NULL AND "
      "table_id NOT IN (SELECT table_id FROM __ducklake_metadata_lake.ducklake_table_stats)";
  EXPECT_EQ(Json(kMissing), "0");
  Commit("INSERT INTO lake.gold.empty VALUES (1), (2)");
  Commit("INSERT INTO lake.gold.empty VALUES (3)");
  EXPECT_EQ(Json(kTwice), "0");
  EXPECT_EQ(Json("SELECT record_count FROM __ducklake_metadata_lake.ducklake_table_stats JOIN "
                 "__ducklake_metadata_lake.ducklake_table USING (table_id) WHERE table_name = "
                 "'empty'"),
            "3");
  EXPECT_EQ(Json("SELECT list(rowid ORDER BY rowid) FROM lake.gold.empty"), "[0,1,2]");
  Open();
  EXPECT_EQ(Json("SELECT sum(x) FROM gold.empty WHERE x > 1"), "\"5\"");
}

TEST_F(LakeTest, ALakeMayBeMoved) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT range AS i FROM range(100)");
  Close();
  std::filesystem::rename(home(), folder_ / "elsewhere");
  lake_ = std::make_unique<Lake>(LakeOptions{.home = folder_ / "elsewhere", .engine = {}}, clock_);
  session_ = lake_->Connect(Scope::kSession);
  EXPECT_EQ(Json("SELECT sum(i)::BIGINT FROM bronze.t"), "4950");
}

TEST_F(LakeTest, ANewerFormatIsRefusedAndLeftAlone) {
  Open();
  Commit("INSERT INTO lake.braid.migration VALUES (1000000, now())");
  const int64_t snapshot = lake_->CurrentSnapshot();
  EXPECT_EQ(CodeOf([this] { Open(); }), ErrorCode::kLakeFormat);
  engine::Database plain({});
  engine::Connection connection(plain);
  connection.Execute(fmt::format("ATTACH 'ducklake:sqlite:{}' AS lake (READ_ONLY)",
                                 (home() / "catalog.sqlite").string()));
  EXPECT_EQ(Json(connection, "SELECT id FROM lake.current_snapshot()"), std::to_string(snapshot));
}

// A migration is one transaction: what a crash leaves is an older lake, brought up again at the
// next opening.
TEST_F(LakeTest, AnUnfinishedMigrationIsMadeAgain) {
  Open();
  for (const std::string& table : MetadataTables())
    if (table != "migration") run_->Execute("DROP TABLE lake.braid." + table);
  Commit("DELETE FROM lake.braid.migration");
  Open();
  EXPECT_EQ(Json("SELECT list(position) FROM braid.capture_watermark"), "[0]");
  EXPECT_EQ(Json("SELECT list(version ORDER BY version) FROM braid.migration"), "[1,2,3,4]");
}

TEST_F(LakeTest, TheLayersAreTheLakeOnEveryConnection) {
  Open();
  session_->Execute("CREATE TABLE bronze.t AS SELECT 1 AS i");
  EXPECT_EQ(Json(*run_, "SELECT i FROM bronze.t"), "1");
  EXPECT_EQ(Json(*run_, "SELECT i FROM lake.bronze.t"), "1");
  run_->Execute("INSERT INTO bronze.t VALUES (2)");
  EXPECT_EQ(Json("SELECT list(i ORDER BY i) FROM bronze.t"), "[1,2]");
  session_->Execute("CREATE SCHEMA mine");
  session_->Execute("CREATE TABLE mine.t AS SELECT 3 AS i");
  EXPECT_EQ(Json(*run_, "SELECT i FROM lake.mine.t"), "3");
  session_->Execute("CREATE TABLE alone AS SELECT 4 AS i");
  EXPECT_EQ(Json(*run_, "SELECT i FROM lake.main.alone"), "4");
}

TEST_F(LakeTest, CapturesAreLiveInSessionsAndCommittedInRuns) {
  Open();
  for (const std::string schema : {"inference", "feedback"}) {
    const std::string table = schema + ".x";
    Commit("CREATE TABLE lake." + table + " AS SELECT 'lake' AS source");
    lake_->PublishView(schema, "x", "SELECT 'live' AS source");
    EXPECT_EQ(Json("SELECT source FROM " + table), "\"live\"");
    EXPECT_EQ(Json(*run_, "SELECT source FROM " + table), "\"lake\"");
    EXPECT_EQ(Json("SELECT source FROM lake." + table), "\"lake\"");
  }
  lake_->PublishView("braid", "x", "SELECT 'live' AS source");
  EXPECT_EQ(Json("SELECT source FROM braid.x"), "\"live\"");
}

TEST_F(LakeTest, ViewsAreReplacedAndRetracted) {
  Open();
  const std::string name = "it's \"x\"";
  lake_->PublishView("inference", name, "SELECT 1 AS a");
  lake_->PublishView("inference", name, "SELECT 2 AS a, 3 AS b");
  lake_->PublishView("inference", name, "SELECT 2 AS a, 3 AS b");
  EXPECT_EQ(Json(R"(SELECT a + b FROM inference."it's ""x""")"), "5");
  EXPECT_EQ(CodeOf([&] { lake_->PublishView("inference", name, "SELECT nothing"); }),
            ErrorCode::kBinder);
  EXPECT_EQ(Json(R"(SELECT a + b FROM inference."it's ""x""")"), "5");
  EXPECT_THAT(lake_->PublishedViews("inference"), testing::ElementsAre(name));
  lake_->RetractView("inference", name);
  lake_->RetractView("inference", name);
  EXPECT_THAT(lake_->PublishedViews("inference"), testing::IsEmpty());
  EXPECT_EQ(CodeOf([&] { Json(R"(SELECT a FROM inference."it's ""x""")"); }),
            ErrorCode::kTableNotFound);
}

TEST_F(LakeTest, EarlierVersionsAndChangesCanBeRead) {
  Open();
  const int64_t first = Commit("CREATE TABLE bronze.t AS SELECT range AS i FROM range(100)");
  const int64_t second = Commit("INSERT INTO bronze.t SELECT range FROM range(100, 150)");
  Commit("DELETE FROM bronze.t WHERE i < 10");
  const auto count = [this](int64_t version) {
    return Json(fmt::format("SELECT count(*) FROM bronze.t AT (VERSION => {})", version));
  };
  EXPECT_EQ(count(first), "100");
  EXPECT_EQ(count(second), "150");
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.t"), "140");
  EXPECT_EQ(Json(fmt::format("SELECT [count(*), min(i)] FROM ducklake_table_insertions('lake', "
                             "'bronze', 't', {0}, {0})",
                             second)),
            "[50,100]");
  EXPECT_EQ(Json(fmt::format("SELECT count(*) FROM ducklake_table_deletions('lake', 'bronze', 't', "
                             "{}, {})",
                             second, lake_->CurrentSnapshot())),
            "10");
}

// Nested text, bytes and times come back also from the smallest tables.
TEST_F(LakeTest, SmallTablesKeepTheirValues) {
  Open();
  Commit(
      "CREATE TABLE bronze.t AS SELECT {'q': 'it''s \"q\"', 'b': '\\x00\\x27'::BLOB} AS s, "
      "TIMESTAMPTZ '2013-01-31 23:59:59.123456Z' AS at_, [NULL, '']::VARCHAR[] AS l, "
      "MAP {'k': 1.5} AS m");
  EXPECT_EQ(Json("SELECT [s.q = 'it''s \"q\"', s.b = '\\x00\\x27'::BLOB, epoch_us(at_) = "
                 "1359676799123456, l = [NULL, ''], m['k'] = 1.5] FROM bronze.t"),
            "[true,true,true,true,true]");
  EXPECT_EQ(DataFiles(), 3U);  // it, the migration's version and the watermark
}

// Opens the lake, writes a file within a transaction, says so, and never ends.
[[noreturn]] void WriteAndHang(const std::filesystem::path& home, int said) {
  static const SystemClock clock;
  Lake lake({.home = home, .engine = {}}, clock);
  const auto connection = lake.Connect(Scope::kRun);
  WriteTransaction transaction(lake, *connection, "a child");
  connection->Execute("INSERT INTO bronze.t SELECT range FROM range(100000)");
  connection->Execute("CREATE TABLE bronze.u AS SELECT range AS i FROM range(100000)");
  if (write(said, "x", 1) != 1) _exit(1);
  for (;;) pause();
}

TEST_F(LakeTest, FilesOfACommitThatNeverHappenedAreRemovedInRecovery) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT range AS i FROM range(100)");
  Close();
  const size_t before = DataFiles();
  int ends[2] = {};
  ASSERT_EQ(pipe(ends), 0);
  const FileDescriptor heard(ends[0]);
  const pid_t child = fork();
  if (child == 0) WriteAndHang(home(), ends[1]);
  close(ends[1]);
  char byte = 0;
  EXPECT_EQ(read(heard.get(), &byte, 1), 1);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(DataFiles(), before + 2);
  Open();
  EXPECT_EQ(DataFiles(), before + 2);
  Open(true);
  EXPECT_EQ(DataFiles(), before);
  EXPECT_EQ(Json("SELECT [count(*), sum(i)::BIGINT] FROM bronze.t"), "[100,4950]");
  EXPECT_EQ(CodeOf([this] { Json("SELECT * FROM bronze.u"); }), ErrorCode::kTableNotFound);
  Commit("INSERT INTO bronze.t VALUES (1)");
  EXPECT_EQ(Json("SELECT count(*) FROM bronze.t"), "101");
}

}  // namespace
}  // namespace braid::lake
