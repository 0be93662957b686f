// SPDX-License-Identifier: Apache-2.0
#include "capture/log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <future>
#include <thread>

#include "base/error.h"
#include "capture/sqlite.h"

namespace braid::capture {
namespace {

using ::testing::ElementsAre;

class FixedClock final : public Clock {
 public:
  int64_t NowMicros() const override { return now; }
  int64_t now = 1'000'000;
};

Entry Inference(std::string service, std::string id, std::string payload = "{}") {
  return {EntryKind::kInference, std::move(service), std::move(id), std::move(payload), ""};
}

ErrorCode CodeOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

class CaptureLog : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "braid_log_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = folder_ / "capture.sqlite";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::vector<std::string> Ids(const Log& log, int64_t above = 0,
                                      int64_t upto = Log::kNewest,
                                      std::optional<EntryKind> kind = {},
                                      std::optional<std::string_view> service = {}) {
    std::vector<std::string> ids;
    log.Read(above, upto, kind, service,
             [&](const StoredEntry& entry) { ids.push_back(entry.id); });
    return ids;
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
  FixedClock clock_;
};

TEST_F(CaptureLog, GivesBackWhatWasAppended) {
  Log log(file_, clock_);
  EXPECT_EQ(log.last_position(), 0);
  log.AppendAndWait({Inference("delay", "i1", R"({"a": "\u0000 ü"})")});
  clock_.now = 2'000'000;
  log.AppendAndWait({{EntryKind::kFeedback, "delay", "f1", "{}", "client 7"}});
  std::vector<StoredEntry> entries;
  log.Read(0, Log::kNewest, {}, {}, [&](const StoredEntry& entry) { entries.push_back(entry); });
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].position, 1);
  EXPECT_EQ(entries[0].kind, EntryKind::kInference);
  EXPECT_EQ(entries[0].service, "delay");
  EXPECT_EQ(entries[0].payload, R"({"a": "\u0000 ü"})");
  EXPECT_EQ(entries[0].client_request_id, "");
  EXPECT_EQ(entries[0].recorded_at_us, 1'000'000);
  EXPECT_EQ(entries[1].kind, EntryKind::kFeedback);
  EXPECT_EQ(entries[1].client_request_id, "client 7");
  EXPECT_EQ(entries[1].recorded_at_us, 2'000'000);
  EXPECT_EQ(log.last_position(), 2);
}

TEST_F(CaptureLog, ReadsByPositionKindAndService) {
  Log log(file_, clock_);
  log.AppendAndWait({Inference("a", "1"),
                     Inference("b", "2"),
                     {EntryKind::kFeedback, "a", "3", "{}", ""},
                     Inference("a", "4")});
  EXPECT_THAT(Ids(log, 1, 3), ElementsAre("2", "3"));
  EXPECT_THAT(Ids(log, 0, Log::kNewest, EntryKind::kInference), ElementsAre("1", "2", "4"));
  EXPECT_THAT(Ids(log, 0, Log::kNewest, {}, "a"), ElementsAre("1", "3", "4"));
  EXPECT_THAT(Ids(log, 1, Log::kNewest, EntryKind::kInference, "a"), ElementsAre("4"));
  EXPECT_THAT(Ids(log, 4), ElementsAre());
}

TEST_F(CaptureLog, AReadIsOneSnapshotAndMayAppend) {
  Log log(file_, clock_);
  log.AppendAndWait({Inference("a", "1"), Inference("a", "2")});
  size_t seen = 0;
  log.Read(0, Log::kNewest, {}, {}, [&](const StoredEntry& entry) {
    log.AppendAndWait({Inference("a", "next to " + entry.id)});
    ++seen;
  });
  EXPECT_EQ(seen, 2U);
  EXPECT_EQ(Ids(log).size(), 4U);
  EXPECT_THROW(log.Read(0, Log::kNewest, {}, {},
                        [](const StoredEntry&) { throw Error(ErrorCode::kInterrupted, "enough"); }),
               Error);
  EXPECT_EQ(Ids(log).size(), 4U);
}

TEST_F(CaptureLog, KnowsInferencesByBothIds) {
  Log log(file_, clock_);
  log.AppendAndWait({{EntryKind::kInference, "a", "1", "{}", "c"},
                     {EntryKind::kFeedback, "a", "2", "{}", "d"},
                     Inference("b", "3")});
  EXPECT_TRUE(log.Has("a", "1"));
  EXPECT_FALSE(log.Has("a", "2"));
  EXPECT_FALSE(log.Has("a", "3"));
  EXPECT_TRUE(log.HasClientRequest("a", "c"));
  EXPECT_FALSE(log.HasClientRequest("a", "d"));
  EXPECT_FALSE(log.HasClientRequest("a", ""));
  EXPECT_EQ(log.CountKnown("a", {"1", "2", "nothing"}), 1U);
  EXPECT_EQ(log.CountKnown("a", {}), 0U);
}

TEST_F(CaptureLog, ADuplicateFailsAloneAndAsAWhole) {
  Log log(file_, clock_);
  log.AppendAndWait({Inference("a", "1")});
  EXPECT_EQ(CodeOf([&] {
              log.AppendAndWait({Inference("a", "2"), Inference("a", "1")},
                                {{.service = "a", .served = 1}});
            }),
            ErrorCode::kConstraint);
  EXPECT_THAT(Ids(log), ElementsAre("1"));
  EXPECT_TRUE(log.Accounts().empty());
  EXPECT_EQ(log.last_position(), 1);
  log.AppendAndWait({Inference("b", "1"), {EntryKind::kFeedback, "a", "1", "{}", ""}});
  EXPECT_EQ(log.last_position(), 3);
}

TEST_F(CaptureLog, ThreadsShareCommits) {
  constexpr int kThreads = 8;
  constexpr int kEach = 200;
  Log log(file_, clock_);
  std::atomic<int> done = 0;
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i) {
          log.Append({Inference("a", fmt::format("{}-{}", thread, i))},
                     {{.service = "a", .served = 1, .captured = 1}},
                     [&](std::exception_ptr error) { ++(error ? failed : done); });
        }
      });
    }
  }
  log.Flush();
  EXPECT_EQ(done, kThreads * kEach);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(log.last_position(), kThreads * kEach);
  std::vector<int> next(kThreads, 0);  // each thread's entries keep their order
  log.Read(0, Log::kNewest, {}, {}, [&](const StoredEntry& entry) {
    const size_t thread = std::stoul(entry.id);
    EXPECT_EQ(entry.id, fmt::format("{}-{}", thread, next[thread]++));
  });
  EXPECT_THAT(next, ::testing::Each(kEach));
  ASSERT_EQ(log.Accounts().size(), 1U);
  EXPECT_EQ(log.Accounts()[0].captured, kThreads * kEach);
}

TEST_F(CaptureLog, WhatWaitsIsCommittedTogether) {
  Log log(file_, clock_);
  std::promise<void> first_running;
  std::promise<void> go_on;
  log.Append({Inference("a", "first")}, [&](std::exception_ptr) {
    first_running.set_value();
    go_on.get_future().wait();
  });
  first_running.get_future().wait();
  clock_.now = 7;
  std::vector<std::future<void>> settled;
  for (int i = 0; i < 100; ++i) {
    auto promise = std::make_shared<std::promise<void>>();
    settled.push_back(promise->get_future());
    // Each would have a time of its own if it had a commit of its own.
    log.Append({Inference("a", std::to_string(i))}, [this, promise](std::exception_ptr) {
      ++clock_.now;
      promise->set_value();
    });
  }
  go_on.set_value();
  for (std::future<void>& one : settled) one.wait();
  log.Read(1, Log::kNewest, {}, {},
           [](const StoredEntry& entry) { EXPECT_EQ(entry.recorded_at_us, 7); });
}

TEST_F(CaptureLog, AFullQueueRefusesAndRecovers) {
  Log log(file_, clock_, {.max_pending_entries = 3, .max_pending_bytes = 10'000});
  std::promise<void> running;
  std::promise<void> go_on;
  log.Append({Inference("a", "0")}, [&](std::exception_ptr) {
    running.set_value();
    go_on.get_future().wait();
  });
  running.get_future().wait();
  log.Append({Inference("a", "1"), Inference("a", "2")}, {});
  EXPECT_EQ(CodeOf([&] { log.Append({Inference("a", "x"), Inference("a", "y")}, {}); }),
            ErrorCode::kOverloaded);
  EXPECT_EQ(CodeOf([&] { log.Append({Inference("a", "z", std::string(10'000, 'z'))}, {}); }),
            ErrorCode::kOverloaded);
  go_on.set_value();
  log.Flush();
  // Larger than the queue, but nothing else waits.
  log.AppendAndWait({Inference("a", "z", std::string(20'000, 'z'))});
  EXPECT_THAT(Ids(log), ElementsAre("0", "1", "2", "z"));
}

TEST_F(CaptureLog, ClosingCommitsWhatIsQueued) {
  std::atomic<int> done = 0;
  Log log(file_, clock_);
  for (int i = 0; i < 50; ++i) {
    log.Append({Inference("a", std::to_string(i))}, [&](std::exception_ptr error) {
      if (!error) ++done;
    });
  }
  log.Close();
  log.Close();
  EXPECT_EQ(done, 50);
  EXPECT_EQ(Ids(log).size(), 50U);
  EXPECT_EQ(CodeOf([&] { log.AppendAndWait({Inference("a", "late")}); }), ErrorCode::kOverloaded);
  EXPECT_EQ(CodeOf([&] { log.Trim(1); }), ErrorCode::kOverloaded);
}

TEST_F(CaptureLog, PositionsAndAccountsOutliveTrimAndReopening) {
  {
    Log log(file_, clock_);
    log.AppendAndWait({Inference("a", "1"), Inference("a", "2"), Inference("a", "3")},
                      {{.service = "a", .served = 5, .captured = 3, .shed = 2}});
    EXPECT_EQ(log.Trim(2), 2);
    EXPECT_THAT(Ids(log), ElementsAre("3"));
    EXPECT_EQ(log.Trim(100), 1);
    EXPECT_EQ(log.Trim(100), 0);
  }
  clock_.now = 9'000'000;
  Log log(file_, clock_);
  EXPECT_EQ(log.last_position(), 3);
  log.AppendAndWait({Inference("a", "4")}, {{.service = "a", .served = 1, .unknown = 1}});
  EXPECT_EQ(log.last_position(), 4);
  ASSERT_EQ(log.Accounts().size(), 1U);
  const Account account = log.Accounts()[0];
  EXPECT_EQ(account.since_us, 1'000'000);
  EXPECT_EQ(account.served, 6);
  EXPECT_EQ(account.captured, 3);
  EXPECT_EQ(account.shed, 2);
  EXPECT_EQ(account.unknown, 1);
}

TEST_F(CaptureLog, TrimGivesSpaceBack) {
  {
    Log log(file_, clock_);
    for (int group = 0; group < 10; ++group) {
      std::vector<Entry> entries;
      for (int i = 0; i < 1000; ++i) {
        entries.push_back(Inference("a", fmt::format("{}-{}", group, i), std::string(2000, 'p')));
      }
      log.AppendAndWait(std::move(entries));
    }
  }
  EXPECT_GT(std::filesystem::file_size(file_), 20'000'000U);
  Log log(file_, clock_);
  EXPECT_EQ(log.Trim(9'990), 9'990);
  EXPECT_EQ(Ids(log).size(), 10U);
  EXPECT_LT(std::filesystem::file_size(file_), 6U << 20);
}

TEST_F(CaptureLog, AppendsGoOnWhileTrimming) {
  Log log(file_, clock_);
  std::vector<Entry> entries;
  for (int i = 0; i < 20'000; ++i) entries.push_back(Inference("a", std::to_string(i)));
  log.AppendAndWait(std::move(entries));
  std::future<int64_t> trimmed = std::async(std::launch::async, [&] { return log.Trim(20'000); });
  for (int i = 0; i < 20; ++i) log.AppendAndWait({Inference("b", std::to_string(i))});
  EXPECT_EQ(trimmed.get(), 20'000);
  EXPECT_EQ(Ids(log).size(), 20U);
}

TEST_F(CaptureLog, AFullDiskReachesTheCallerAndTheLogGoesOn) {
  Log log(file_, clock_);
  log.AppendAndWait({Inference("a", "before")});
  struct rlimit old_limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit = old_limit;
  limit.rlim_cur = 1 << 20;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const ErrorCode code =
      CodeOf([&] { log.AppendAndWait({Inference("a", "large", std::string(4 << 20, 'x'))}); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(code, ErrorCode::kIo);
  EXPECT_EQ(log.last_position(), 1);
  log.AppendAndWait({Inference("a", "large", std::string(4 << 20, 'x'))});
  EXPECT_THAT(Ids(log), ElementsAre("before", "large"));
}

TEST_F(CaptureLog, RefusesAFileOfANewerBraid) {
  {
    Log log(file_, clock_);
  }
  SqliteDatabase(file_, SqliteDatabase::Access::kReadWrite).Execute("PRAGMA user_version = 99");
  EXPECT_EQ(CodeOf([&] { Log(file_, clock_); }), ErrorCode::kLakeFormat);
}

TEST_F(CaptureLog, RefusesEntriesWithoutAnId) {
  Log log(file_, clock_);
  EXPECT_EQ(CodeOf([&] { log.AppendAndWait({Inference("a", "")}); }), ErrorCode::kInternal);
  log.AppendAndWait({});
  EXPECT_EQ(log.last_position(), 0);
}

TEST_F(CaptureLog, WhatWasReservedAndNotCountedIsUnknown) {
  {
    Log log(file_, clock_);
    log.AppendAndWait({}, {{.service = "a", .reserved = 100}});
    log.AppendAndWait({}, {{.service = "a", .served = 30, .captured = 30, .reserved = -30}});
    log.AppendAndWait({}, {{.service = "b", .reserved = 5}});
    log.AppendAndWait({}, {{.service = "b", .served = 5, .shed = 5, .reserved = -7}});
    EXPECT_EQ(log.Accounts().at(0).unknown, 0);
  }
  for (int time = 0; time < 2; ++time) {
    const Log log(file_, clock_);
    EXPECT_EQ(log.Accounts().at(0).unknown, 70);
    EXPECT_EQ(log.Accounts().at(0).served, 30);
    EXPECT_EQ(log.Accounts().at(1).unknown, 0);
  }
}

}  // namespace
}  // namespace braid::capture
