// SPDX-License-Identifier: Apache-2.0
#include "lake/write_transaction.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <thread>

#include "lake/lake_fixture.h"

namespace {
std::function<void()>* syncing = nullptr;  // called before the file system is synced
}

// Stands before the C library's within this executable.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): its own is reserved
extern "C" int syncfs(int fd) noexcept {
  if (syncing != nullptr) (*syncing)();
  return static_cast<int>(syscall(SYS_syncfs, fd));
}

namespace braid::lake {
namespace {

using namespace std::chrono_literals;
using WriteTransactionTest = LakeTest;

TEST_F(WriteTransactionTest, IsOneSnapshotThatSaysWhoseItIs) {
  Open();
  const int64_t before = lake_->CurrentSnapshot();
  WriteTransaction transaction(*lake_, *run_, "run 1");
  EXPECT_EQ(transaction.base_snapshot(), before);
  run_->Execute("CREATE TABLE bronze.a AS SELECT 1 AS i");
  run_->Execute("CREATE TABLE gold.b AS SELECT i + 1 AS i FROM bronze.a");
  EXPECT_EQ(CodeOf([this] { Json("SELECT * FROM gold.b"); }), ErrorCode::kTableNotFound);
  EXPECT_EQ(transaction.Commit("braid", "it's a run", R"({"run_id": "0190"})"), before + 1);
  EXPECT_EQ(lake_->CurrentSnapshot(), before + 1);
  EXPECT_EQ(Json("SELECT i FROM gold.b"), "2");
  EXPECT_EQ(Json(fmt::format("SELECT [author, commit_message, commit_extra_info] FROM "
                             "lake.snapshots() WHERE snapshot_id = {}",
                             before + 1)),
            R"(["braid","it's a run","{\"run_id\": \"0190\"}"])");
}

TEST_F(WriteTransactionTest, WithoutChangesThereIsNoSnapshot) {
  Open();
  const int64_t before = lake_->CurrentSnapshot();
  WriteTransaction transaction(*lake_, *run_, "run 1");
  run_->Execute("SELECT * FROM lake.braid.run");
  EXPECT_EQ(transaction.Commit("braid", "", "{}"), before);
}

TEST_F(WriteTransactionTest, RollsBackUnlessCommitted) {
  Open();
  const int64_t before = lake_->CurrentSnapshot();
  {
    WriteTransaction transaction(*lake_, *run_, "run 1");
    run_->Execute("CREATE TABLE bronze.t (i BIGINT)");
  }
  {
    WriteTransaction transaction(*lake_, *run_, "run 2");
    run_->Execute("CREATE TABLE bronze.t (i BIGINT)");
    transaction.Rollback();
    transaction.Rollback();
    EXPECT_TRUE(lake_->writer_gate().Enter("other", 0ms).held());
  }
  EXPECT_EQ(lake_->CurrentSnapshot(), before);
  Commit("CREATE TABLE bronze.t (i BIGINT)");
}

TEST_F(WriteTransactionTest, AnErrorInsideLeavesTheConnectionUsable) {
  Open();
  {
    WriteTransaction transaction(*lake_, *run_, "run 1");
    run_->Execute("CREATE TABLE bronze.t (i BIGINT)");
    EXPECT_THROW(run_->Execute("INSERT INTO bronze.t SELECT 'x'::BIGINT"), Error);
    EXPECT_THROW(transaction.Commit("braid", "", "{}"), Error);
  }
  Commit("CREATE TABLE bronze.t AS SELECT 1 AS i");
  EXPECT_EQ(Json("SELECT i FROM bronze.t"), "1");
}

TEST_F(WriteTransactionTest, IsRefusedWithinAnotherAndLeavesThatAlone) {
  Open();
  run_->Execute("BEGIN");
  EXPECT_EQ(CodeOf([this] { WriteTransaction(*lake_, *run_, "run 1"); }),
            ErrorCode::kInvalidTransaction);
  EXPECT_TRUE(lake_->writer_gate().Enter("other", 0ms).held());
  run_->Execute("ROLLBACK");
}

TEST_F(WriteTransactionTest, DataIsOnDiskBeforeTheCommit) {
  Open();
  Commit("CREATE TABLE bronze.t (i BIGINT)");
  const int64_t before = lake_->CurrentSnapshot();
  const size_t files = DataFiles();
  std::vector<std::pair<int64_t, size_t>> seen;
  std::function<void()> look = [&] {
    seen.emplace_back(lake_->CurrentSnapshot(), DataFiles() - files);
  };
  syncing = &look;
  Commit("INSERT INTO bronze.t SELECT range FROM range(1000)");
  syncing = nullptr;
  // Synced once, when the new file was there and the snapshot was not.
  EXPECT_THAT(seen, testing::ElementsAre(testing::Pair(before, 1)));
  EXPECT_EQ(lake_->CurrentSnapshot(), before + 1);
}

TEST_F(WriteTransactionTest, ANewLakeIsOnDiskBeforeItsCommit) {
  std::vector<size_t> seen;
  std::function<void()> look = [&] { seen.push_back(DataFiles()); };
  syncing = &look;
  Open();
  syncing = nullptr;
  EXPECT_THAT(seen, testing::ElementsAre(DataFiles()));
}

TEST_F(WriteTransactionTest, ABusyLakeSaysWhoHoldsIt) {
  Open();
  WriteTransaction transaction(*lake_, *run_, "run 0190");
  try {
    const WriteTransaction late(*lake_, *session_, "other", 1ms);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLakeBusy);
    EXPECT_THAT(error.message(), testing::EndsWith(": run 0190"));
  }
  // The one that was refused has begun nothing.
  session_->Execute("BEGIN");
  session_->Execute("ROLLBACK");
}

TEST_F(WriteTransactionTest, TheNextWriterWaitsForTheLastAndSeesItsRows) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT 1 AS i");
  auto transaction = std::make_unique<WriteTransaction>(*lake_, *run_, "first");
  std::promise<void> started;
  std::jthread second([this, &started] {
    started.set_value();
    WriteTransaction waiting(*lake_, *session_, "second");
    session_->Execute("INSERT INTO bronze.t SELECT max(i) + 1 FROM bronze.t");
    waiting.Commit("second", "", "{}");
  });
  started.get_future().get();
  run_->Execute("INSERT INTO bronze.t SELECT max(i) + 1 FROM bronze.t");
  transaction->Commit("first", "", "{}");
  second.join();
  EXPECT_EQ(Json("SELECT list(i ORDER BY i) FROM bronze.t"), "[1,2,3]");
}

TEST_F(WriteTransactionTest, ManyWritersLoseNothing) {
  Open();
  Commit("CREATE TABLE bronze.t AS SELECT 0 AS i");
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([this] {
      const auto connection = lake_->Connect(Scope::kRun);
      for (int i = 0; i < 10; ++i) {
        WriteTransaction transaction(*lake_, *connection, "writer");
        connection->Execute("UPDATE bronze.t SET i = i + 1");
        connection->Execute("INSERT INTO bronze.t SELECT -count(*) FROM bronze.t");
        transaction.Commit("writer", "", "{}");
      }
    });
  }
  writers.clear();
  EXPECT_EQ(Json("SELECT [count(*), max(i)] FROM bronze.t"), "[31,30]");
}

TEST(WriterGate, APassMovesAndIsGivenBackOnce) {
  WriterGate gate;
  WriterGate::Pass first = gate.Enter("first", 0ms);
  WriterGate::Pass second = std::move(first);
  EXPECT_FALSE(first.held());  // NOLINT(bugprone-use-after-move): what a moved-from one says
  first.Release();
  EXPECT_THROW(gate.Enter("other", 0ms), Error);
  std::jthread([pass = std::move(second)] {}).join();
  WriterGate::Pass third = gate.Enter("third", 0ms);
  third = WriterGate::Pass();
  EXPECT_TRUE(gate.Enter("fourth", 0ms).held());
}

}  // namespace
}  // namespace braid::lake
