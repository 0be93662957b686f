// SPDX-License-Identifier: Apache-2.0
#include "owner/journal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/uuid.h"
#include "capture/sqlite.h"

namespace braid::owner {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::SizeIs;

class FakeClock final : public Clock {
 public:
  int64_t NowMicros() const override { return now_us; }
  int64_t now_us = 1'700'000'000'000'000;
};

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "braid_journal_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = folder_ / "journal.sqlite";
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
  std::filesystem::path file_;
  FakeClock clock_;
};

TEST_F(JournalTest, ARunBeginsAndEnds) {
  Journal journal(file_, clock_);
  EXPECT_THAT(journal.Runs(), SizeIs(0));
  const std::string first = journal.BeginRun("run --select a+");
  EXPECT_TRUE(IsUuid(first));
  const int64_t began = clock_.now_us;
  std::optional<RunRow> run = journal.FindRun(first);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->status, RunStatus::kRunning);
  EXPECT_EQ(run->started_at_us, began);
  EXPECT_EQ(run->finished_at_us, std::nullopt);
  EXPECT_EQ(run->snapshot_id, std::nullopt);
  EXPECT_EQ(run->command, "run --select a+");
  EXPECT_EQ(run->error, "");

  clock_.now_us += 5;
  journal.FinishRun(first, RunStatus::kSucceeded, 42, "");
  run = journal.FindRun(first);
  EXPECT_EQ(run->status, RunStatus::kSucceeded);
  EXPECT_EQ(run->started_at_us, began);
  EXPECT_EQ(run->finished_at_us, began + 5);
  EXPECT_EQ(run->snapshot_id, 42);

  // A clock that is set back changes no order.
  clock_.now_us -= 1'000'000;
  const std::string second = journal.BeginRun("");
  journal.FinishRun(second, RunStatus::kFailed, {}, "no");
  EXPECT_EQ(journal.FindRun(second)->error, "no");
  EXPECT_THAT(journal.Runs(),
              ElementsAre(Field(&RunRow::run_id, first), Field(&RunRow::run_id, second)));
  EXPECT_FALSE(journal.FindRun("none"));
}

TEST_F(JournalTest, ARunEndsOnce) {
  Journal journal(file_, clock_);
  const std::string run = journal.BeginRun("run");
  journal.FinishRun(run, RunStatus::kFailed, {}, "");
  EXPECT_EQ(CodeOf([&] { journal.FinishRun(run, RunStatus::kSucceeded, 1, ""); }),
            ErrorCode::kInvalidTransaction);
  EXPECT_EQ(journal.FindRun(run)->status, RunStatus::kFailed);
  EXPECT_EQ(CodeOf([&] { journal.FinishRun("none", RunStatus::kFailed, {}, ""); }),
            ErrorCode::kNotFound);
}

TEST_F(JournalTest, NodesAndExpectationsStandInTheOrderOfAdding) {
  Journal journal(file_, clock_);
  const std::string run = journal.BeginRun("run");
  const std::string other = journal.BeginRun("run");
  journal.AddNode({.run_id = run, .node = "b", .kind = "view", .action = "running"});
  journal.AddNode({.run_id = run, .node = "a", .kind = "table", .reason = "new", .rows = 3});
  journal.AddNode({.run_id = other, .node = "b", .error = "no"});
  journal.AddNode({.run_id = run, .node = "b", .action = "refreshed", .seconds = 0.25});
  const std::vector<RunNodeRow> nodes = journal.RunNodes(run);
  ASSERT_THAT(nodes, SizeIs(2));
  EXPECT_EQ(nodes[0].node, "b");
  EXPECT_EQ(nodes[0].kind, "");
  EXPECT_EQ(nodes[0].action, "refreshed");
  EXPECT_EQ(nodes[0].seconds, 0.25);
  EXPECT_EQ(nodes[0].rows, std::nullopt);
  EXPECT_EQ(nodes[1].node, "a");
  EXPECT_EQ(nodes[1].kind, "table");
  EXPECT_EQ(nodes[1].reason, "new");
  EXPECT_EQ(nodes[1].rows, 3);
  EXPECT_THAT(journal.RunNodes(), SizeIs(3));
  EXPECT_EQ(journal.RunNodes(other)[0].error, "no");

  journal.AddExpectation({run, "b", "positive", "DROP ROW", 9, 1});
  journal.AddExpectation({run, "a", "positive", "FAIL UPDATE", 2, 0});
  journal.AddExpectation({run, "b", "positive", "QUARANTINE", 7, 3});
  const std::vector<ExpectationRow> expectations = journal.Expectations();
  ASSERT_THAT(expectations, SizeIs(2));
  EXPECT_EQ(expectations[0].node, "b");
  EXPECT_EQ(expectations[0].action, "QUARANTINE");
  EXPECT_EQ(expectations[0].passed, 7);
  EXPECT_EQ(expectations[0].failed, 3);
  EXPECT_EQ(expectations[1].node, "a");
  EXPECT_THAT(journal.Expectations(other), SizeIs(0));

  EXPECT_EQ(CodeOf([&] { journal.AddNode({.run_id = "none", .node = "a"}); }),
            ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf([&] { journal.AddExpectation({.run_id = "none"}); }), ErrorCode::kNotFound);
}

TEST_F(JournalTest, OpeningMarksWhatADeadProcessLeftRunning) {
  std::string left;
  std::string done;
  {
    Journal journal(file_, clock_);
    done = journal.BeginRun("done");
    journal.FinishRun(done, RunStatus::kSucceeded, 1, "");
    left = journal.BeginRun("left");
    journal.AddNode({.run_id = left, .node = "a"});
  }
  Journal journal(file_, clock_);
  const std::optional<RunRow> run = journal.FindRun(left);
  EXPECT_EQ(run->status, RunStatus::kInterrupted);
  EXPECT_EQ(run->finished_at_us, std::nullopt);
  EXPECT_NE(run->error, "");
  EXPECT_EQ(journal.FindRun(done)->status, RunStatus::kSucceeded);
  EXPECT_THAT(journal.RunNodes(left), SizeIs(1));
  EXPECT_EQ(CodeOf([&] { journal.FinishRun(left, RunStatus::kSucceeded, 1, ""); }),
            ErrorCode::kInvalidTransaction);
}

TEST_F(JournalTest, ManyThreadsShareIt) {
  Journal journal(file_, clock_);
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        const std::string run = journal.BeginRun("run");
        for (int i = 0; i < 10; ++i) {
          journal.AddNode({.run_id = run, .node = std::to_string(i)});
          EXPECT_THAT(journal.RunNodes(run), SizeIs(i + 1));
        }
        journal.FinishRun(run, RunStatus::kSucceeded, {}, "");
      });
    }
  }
  EXPECT_THAT(journal.Runs(), SizeIs(4));
  EXPECT_THAT(journal.RunNodes(), SizeIs(40));
}

TEST_F(JournalTest, RefusesWhatItCannotRead) {
  {
    Journal journal(file_, clock_);
  }
  {
    capture::SqliteDatabase database(file_, capture::SqliteDatabase::Access::kReadWrite);
    database.Execute("INSERT INTO run VALUES (1, 'x', 0, NULL, 'dreaming', NULL, '', '')");
  }
  EXPECT_EQ(CodeOf([&] { Journal(file_, clock_).Runs(); }), ErrorCode::kLakeDamaged);
  {
    capture::SqliteDatabase database(file_, capture::SqliteDatabase::Access::kReadWrite);
    database.Execute("PRAGMA user_version = 99");
  }
  EXPECT_EQ(CodeOf([&] { Journal(file_, clock_); }), ErrorCode::kLakeFormat);
}

// The child says each thing once it is on disk; it never returns.
[[noreturn]] void JournalForEver(const std::filesystem::path& file, int said) {
  const SystemClock clock;
  Journal journal(file, clock);
  const auto say = [&](std::string_view what, const std::string& run) {
    const std::string line = fmt::format("{} {}\n", what, run);
    if (write(said, line.data(), line.size()) < 0) _exit(1);
  };
  for (;;) {
    const std::string run = journal.BeginRun("run");
    say("begun", run);
    for (const char* node : {"a", "b", "c"}) {
      journal.AddNode({.run_id = run, .node = node});
      journal.AddExpectation({.run_id = run, .node = node, .name = "x"});
    }
    journal.FinishRun(run, RunStatus::kSucceeded, 1, "");
    say("finished", run);
  }
}

// Kills the child after about `wanted` lines and returns all of those.
std::vector<std::string> RunAndKill(const std::filesystem::path& file, ptrdiff_t wanted) {
  int ends[2] = {};
  EXPECT_EQ(pipe(ends), 0);
  FileDescriptor heard(ends[0]);
  const pid_t child = fork();
  if (child == 0) JournalForEver(file, ends[1]);
  close(ends[1]);
  std::string text;
  for (bool killed = false;;) {
    char buffer[4096];
    const ssize_t got = read(heard.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
    if (!killed && std::count(text.begin(), text.end(), '\n') >= wanted) {
      killed = kill(child, SIGKILL) == 0;
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  std::vector<std::string> lines;
  for (size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos;
       start = end + 1) {
    lines.push_back(text.substr(start, end - start));
  }
  return lines;
}

TEST_F(JournalTest, WhatWasReportedSurvivesAKill) {
  for (const ptrdiff_t wanted : {1, 2, 3, 7, 12, 23}) {
    const std::vector<std::string> lines = RunAndKill(file_, wanted);
    ASSERT_FALSE(lines.empty());
    Journal journal(file_, clock_);
    for (const std::string& line : lines) {
      const std::string id = line.substr(line.find(' ') + 1);
      const std::optional<RunRow> run = journal.FindRun(id);
      ASSERT_TRUE(run) << line;
      EXPECT_NE(run->status, RunStatus::kRunning);
      if (!line.starts_with("finished")) continue;
      EXPECT_EQ(run->status, RunStatus::kSucceeded);
      EXPECT_THAT(journal.RunNodes(id), SizeIs(3));
      EXPECT_THAT(journal.Expectations(id), SizeIs(3));
    }
  }
}

}  // namespace
}  // namespace braid::owner
