// SPDX-License-Identifier: Apache-2.0
#include "loop/mover.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>

#include "base/error.h"
#include "lake/write_transaction.h"
#include "loop/loop_fixture.h"

namespace braid::loop {
namespace {

class MoverTest : public ::testing::Test {
 protected:
  MoverTest() { loop.MakeTables("s"); }

  // "(x, late)" of the labelled rows, in order.
  std::string Labels() {
    return loop.Json(
        "SELECT coalesce(string_agg(input.x || ':' || outcome.late, ' ' ORDER BY input.x, "
        "outcome.late), '') FROM lake.inference.s_labelled");
  }
  int64_t Entries() {
    int64_t entries = 0;
    loop.log.Read(0, capture::Log::kNewest, {}, {},
                  [&entries](const capture::StoredEntry&) { ++entries; });
    return entries;
  }

  LoopFolder folder;
  OpenLoop loop{folder.path()};
};

TEST_F(MoverTest, RowsArriveWithTheirTypes) {
  const std::string id = loop.Append(loop.Inference("s", 7, "order-7"));
  const std::string feedback = loop.Append(loop.Feedback("s", id, true, "human"));
  EXPECT_EQ(loop.mover->Move(), 2);
  EXPECT_EQ(loop.Json("SELECT to_json(t)::VARCHAR FROM (SELECT * FROM lake.inference.s) t"),
            nlohmann::json(
                fmt::format(R"({{"inference_id":"{}","client_request_id":"order-7",)"
                            R"("arrived_at":"1970-01-01 00:00:01+00",)"
                            R"("answered_at":"1970-01-01 00:00:02+00","status":"ok","error":null,)"
                            R"("service_version":0,"model_versions":{{"m":3}},"lake_snapshot":0,)"
                            R"("principal":null,"input":{{"x":7}},"output":{{"y":14.0}}}})",
                            id))
                .dump());
  EXPECT_EQ(loop.Json("SELECT feedback_id FROM lake.feedback.s WHERE origin = 'human'"),
            '"' + feedback + '"');
  EXPECT_EQ(Labels(), "\"7:true\"");
  EXPECT_EQ(
      loop.Json("SELECT count(*) FROM lake.inference.s_labelled WHERE origin = 'human' AND "
                "recorded_at > TIMESTAMPTZ '2020-01-01 00:00:00Z' AND model_versions['m'] = 3"),
      "1");
}

TEST_F(MoverTest, MovesOnceAndLeavesTheLogEmpty) {
  loop.Append(loop.Inference("s", 1));
  EXPECT_EQ(loop.mover->Move(), 1);
  EXPECT_EQ(Entries(), 0);
  const int64_t snapshot = loop.lake.CurrentSnapshot();
  EXPECT_EQ(loop.mover->Move(), 0);
  EXPECT_EQ(loop.lake.CurrentSnapshot(), snapshot);
  EXPECT_EQ(loop.Json("SELECT list(position) FROM lake.braid.capture_watermark"), "[1]");
  EXPECT_EQ(loop.Count("lake.inference.s"), 1);
}

TEST_F(MoverTest, NothingToMoveTakesNoPass) {
  const auto pass = loop.lake.writer_gate().Enter("a test", std::chrono::milliseconds(0));
  EXPECT_EQ(loop.mover->Move(std::chrono::milliseconds(0)), 0);
  loop.Append(loop.Inference("s", 1));
  try {
    loop.mover->Move(std::chrono::milliseconds(1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLakeBusy);
  }
  EXPECT_EQ(Entries(), 1);
}

TEST_F(MoverTest, TheLaterHalfMakesTheLabel) {
  const std::string first = loop.Append(loop.Inference("s", 1));
  capture::Entry late = loop.Inference("s", 2);
  loop.Append(loop.Feedback("s", late.id, false));
  loop.mover->Move();
  EXPECT_EQ(Labels(), "\"\"");
  loop.Append(loop.Feedback("s", first, true));
  loop.Append(late);
  loop.mover->Move();
  EXPECT_EQ(Labels(), "\"1:true 2:false\"");
  loop.Append(loop.Inference("s", 3));
  loop.mover->Move();
  EXPECT_EQ(Labels(), "\"1:true 2:false\"");
}

TEST_F(MoverTest, FeedbackByClientRequestReachesEveryInferenceOfIt) {
  loop.Append(loop.Inference("s", 1, "order"));
  loop.Append(loop.Inference("s", 2, "other"));
  loop.mover->Move();
  loop.Append(loop.Inference("s", 3, "order"));
  loop.Append(loop.Feedback("s", "order", true));
  loop.mover->Move();
  EXPECT_EQ(Labels(), "\"1:true 3:true\"");
  loop.Append(loop.Inference("s", 4, "order"));
  loop.mover->Move();
  EXPECT_EQ(Labels(), "\"1:true 3:true 4:true\"");
}

TEST_F(MoverTest, FeedbackOnAnInferenceDoesNotReachOthersOfItsRequest) {
  const std::string id = loop.Append(loop.Inference("s", 1, "order"));
  loop.Append(loop.Inference("s", 2, "order"));
  capture::Entry feedback = loop.Feedback("s", id, true);
  feedback.payload = serve::EncodeFeedback(
      {.inference_id = id, .client_request_id = "order", .outcome_json = R"({"late":true})"});
  loop.Append(feedback);
  loop.mover->Move();
  EXPECT_EQ(Labels(), "\"1:true\"");
}

TEST_F(MoverTest, EachRevisionIsARowAndNamesTheOneBefore) {
  const std::string id = loop.Append(loop.Inference("s", 1, "order"));
  std::vector<std::string> revisions;
  for (int i = 0; i < 2; ++i) revisions.push_back(loop.Append(loop.Feedback("s", id, true)));
  const std::string human = loop.Append(loop.Feedback("s", id, false, "human"));
  const std::string by_request = loop.Append(loop.Feedback("s", "order", false));
  loop.mover->Move();
  for (int i = 0; i < 2; ++i) revisions.push_back(loop.Append(loop.Feedback("s", id, true)));
  loop.mover->Move();
  revisions.push_back(loop.Append(loop.Feedback("s", id, false)));
  const auto supersedes = [this](const std::string& from, const std::string& feedback) {
    return loop.Json(
        fmt::format("SELECT supersedes FROM {} WHERE feedback_id = '{}'", from, feedback));
  };
  // The live view and the lake say the same of an entry, before and after its move.
  EXPECT_EQ(supersedes("feedback.s", revisions[4]), '"' + revisions[3] + '"');
  loop.mover->Move();
  for (const std::string table : {"lake.feedback.s", "lake.inference.s_labelled", "feedback.s"}) {
    EXPECT_EQ(supersedes(table, revisions[0]), "null");
    for (size_t i = 1; i < revisions.size(); ++i)
      EXPECT_EQ(supersedes(table, revisions[i]), '"' + revisions[i - 1] + '"') << table << i;
    EXPECT_EQ(supersedes(table, human), "null");
    EXPECT_EQ(supersedes(table, by_request), "null");
  }
  EXPECT_EQ(loop.Count("lake.inference.s_labelled"), 7);
}

TEST_F(MoverTest, FeedbackOnUnknownIdsIsKept) {
  loop.Append(loop.Feedback("s", NewUuidV7(loop.clock), true));
  loop.Append(loop.Feedback("s", "never", true));
  loop.mover->Move();
  EXPECT_EQ(loop.Count("lake.feedback.s"), 2);
  EXPECT_EQ(Labels(), "\"\"");
}

TEST_F(MoverTest, EntriesOfAServiceWithoutTablesDoNotBlock) {
  loop.Append(loop.Inference("gone", 1));
  loop.Append(loop.Inference("s", 2));
  loop.Append(loop.Feedback("gone", "order", true));
  EXPECT_EQ(loop.mover->Move(), 3);
  EXPECT_EQ(Entries(), 0);
  EXPECT_EQ(loop.Count("lake.inference.s"), 1);
  EXPECT_EQ(loop.Json("SELECT commit_extra_info FROM lake.snapshots() ORDER BY snapshot_id DESC "
                      "LIMIT 1"),
            nlohmann::json(R"({"captures": {"upto": 3, "moved": 1, "passed_over": 2}})").dump());
}

TEST_F(MoverTest, MissingFeedbackTablesDoNotBlockInferences) {
  loop.Run("DROP TABLE lake.feedback.s");
  const std::string id = loop.Append(loop.Inference("s", 1));
  loop.Append(loop.Feedback("s", id, true));
  EXPECT_EQ(loop.mover->Move(), 2);
  EXPECT_EQ(loop.Count("lake.inference.s"), 1);
}

TEST_F(MoverTest, NamesMayBeAwkward) {
  const std::string name = "it's a.\"s\"";
  const std::string quoted = "it's a.\"\"s\"\"";
  loop.MakeTables(quoted);
  const std::string id = loop.Append(loop.Inference(name, 1));
  loop.Append(loop.Feedback(name, id, true));
  const std::string view = fmt::format("inference.\"{}\"", quoted);
  EXPECT_EQ(loop.Count(view), 1);
  loop.mover->Move();
  EXPECT_EQ(loop.Count(view), 1);
  EXPECT_EQ(loop.Count("lake." + view), 1);
  EXPECT_EQ(loop.Count(fmt::format("inference.\"{}_labelled\"", quoted)), 1);
}

TEST_F(MoverTest, AFailedMoveChangesNothing) {
  loop.Append(loop.Inference("s", 1));
  capture::Entry broken = loop.Inference("s", 2);
  broken.id = "no uuid";
  loop.Append(broken);
  EXPECT_THROW(loop.mover->Move(), Error);
  EXPECT_EQ(Entries(), 2);
  EXPECT_EQ(loop.Count("lake.inference.s"), 0);
  EXPECT_EQ(loop.Json("SELECT max(position) FROM lake.braid.capture_watermark"), "0");
  // And holds nothing up.
  EXPECT_TRUE(loop.lake.writer_gate().Enter("a test", std::chrono::milliseconds(0)).held());
}

TEST_F(MoverTest, TheLogKeepsWhatARunningReadMayNeed) {
  auto guard = std::make_unique<lake::ReadRegistry::Guard>(loop.reads);
  loop.Append(loop.Inference("s", 1));
  loop.mover->Move();
  EXPECT_EQ(Entries(), 1);
  guard.reset();
  EXPECT_EQ(loop.mover->Move(), 0);
  EXPECT_EQ(Entries(), 0);
}

TEST_F(MoverTest, ANewLogBeginsAgainAndAnOlderOneIsRefused) {
  LoopFolder other;
  const auto file = other.path() / "capture.sqlite";
  const auto copy = other.path() / "older.sqlite";
  {
    OpenLoop first(other.path());
    first.MakeTables("s");
    first.Append(first.Inference("s", 1));
    first.mover->Move();
    first.log.Close();
    std::filesystem::copy_file(file, copy);
  }
  {
    OpenLoop second(other.path());
    second.Append(second.Inference("s", 2));
    second.mover->Move();
  }
  const auto replace = [&file](const std::filesystem::path& by) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
    if (!by.empty()) std::filesystem::copy_file(by, file);
  };
  replace(copy);
  try {
    OpenLoop third(other.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLakeDamaged);
  }
  replace("");
  OpenLoop fourth(other.path());
  fourth.Append(fourth.Inference("s", 3));
  EXPECT_EQ(fourth.Count("inference.s"), 3);
  EXPECT_EQ(fourth.mover->Move(), 1);
  EXPECT_EQ(fourth.Count("lake.inference.s"), 3);
}

TEST_F(MoverTest, MovesInTheBackgroundUntilStopped) {
  LoopFolder other;
  OpenLoop background(other.path(), false, {.interval = std::chrono::milliseconds(1)});
  background.MakeTables("s");
  std::promise<void> moved;
  background.mover->Start(
      [&moved, once = false]() mutable {
        if (!std::exchange(once, true)) moved.set_value();
      },
      [](const std::string& error) { ADD_FAILURE() << error; });
  background.Append(background.Inference("s", 1));
  EXPECT_EQ(moved.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  background.mover->Stop();
  background.mover->Stop();
  EXPECT_EQ(background.Count("lake.inference.s"), 1);
  background.Append(background.Inference("s", 2));
  EXPECT_EQ(background.Count("lake.inference.s"), 1);
}

TEST_F(MoverTest, TheBackgroundReportsFailuresAndGoesOn) {
  LoopFolder other;
  OpenLoop background(other.path(), false, {.interval = std::chrono::milliseconds(1)});
  background.MakeTables("s");
  capture::Entry broken = background.Inference("s", 1);
  broken.id = "no uuid";
  background.Append(broken);
  std::promise<void> twice;
  background.mover->Start([] {},
                          [&twice, count = 0](const std::string&) mutable {
                            if (++count == 2) twice.set_value();
                          });
  EXPECT_EQ(twice.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  background.mover->Stop();
}

TEST_F(MoverTest, TheBackgroundWaitsForAnotherWriter) {
  LoopFolder other;
  OpenLoop background(other.path(), false, {.interval = std::chrono::milliseconds(1)});
  background.MakeTables("s");
  std::promise<void> moved;
  auto pass = background.lake.writer_gate().Enter("a test", std::chrono::milliseconds(0));
  background.Append(background.Inference("s", 1));
  background.mover->Start([&moved] { moved.set_value(); },
                          [](const std::string& error) { ADD_FAILURE() << error; });
  EXPECT_EQ(background.Count("inference.s"), 1);
  EXPECT_EQ(background.Count("lake.inference.s"), 0);
  pass.Release();
  EXPECT_EQ(moved.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  background.mover->Stop();
  EXPECT_EQ(background.Count("lake.inference.s"), 1);
}

}  // namespace
}  // namespace braid::loop
