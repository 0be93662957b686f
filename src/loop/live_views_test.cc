// SPDX-License-Identifier: Apache-2.0
#include "loop/live_views.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "loop/loop_fixture.h"

namespace braid::loop {
namespace {

class LiveViewsTest : public ::testing::Test {
 protected:
  LiveViewsTest() { loop.MakeTables("s"); }

  std::vector<std::string> Types(const std::string& table) {
    const auto info = loop.connection->DescribeStatement("SELECT * FROM " + table);
    std::vector<std::string> columns;
    for (size_t i = 0; i < info.column_names.size(); ++i)
      columns.push_back(info.column_names[i] + " " + info.column_types[i]);
    return columns;
  }

  LoopFolder folder;
  OpenLoop loop{folder.path()};
};

TEST_F(LiveViewsTest, HaveTheColumnsOfTheLake) {
  for (const std::string table : {"inference.s", "feedback.s", "inference.s_labelled"}) {
    EXPECT_FALSE(Types(table).empty());
    EXPECT_EQ(Types(table), Types("lake." + table));
    EXPECT_EQ(Types(table), Types("rt." + table));
  }
}

TEST_F(LiveViewsTest, ShowWhatIsAcknowledgedWhereverItIs) {
  const std::string id = loop.Append(loop.Inference("s", 1, "order"));
  loop.Append(loop.Feedback("s", id, true));
  EXPECT_EQ(loop.Json("SELECT output.y FROM inference.s WHERE client_request_id = 'order'"), "2.0");
  EXPECT_EQ(loop.Json("SELECT outcome.late FROM feedback.s WHERE inference_id = '" + id + "'"),
            "true");
  loop.mover->Move();
  loop.Append(loop.Inference("s", 2));
  loop.Append(loop.Feedback("s", id, false));
  EXPECT_EQ(loop.Json("SELECT list(input.x ORDER BY input.x) FROM inference.s"), "[1,2]");
  EXPECT_EQ(loop.Json("SELECT list(outcome.late ORDER BY outcome.late) FROM feedback.s"),
            "[false,true]");
  EXPECT_EQ(loop.Count("lake.inference.s"), 1);
}

TEST_F(LiveViewsTest, ReadLongLogsChunkByChunk) {
  std::vector<capture::Entry> entries;
  for (int64_t x = 1; x <= 5000; ++x) {
    entries.push_back(loop.Inference("s", x));
    entries.push_back(loop.Inference("other", x));
  }
  loop.log.AppendAndWait(std::move(entries));
  EXPECT_EQ(loop.Json("SELECT [count(*), count(DISTINCT inference_id), sum(input.x)::BIGINT] FROM "
                      "inference.s"),
            "[5000,5000,12502500]");
  EXPECT_EQ(loop.Count("braid_capture_range('s', 1, 4096, 8192)"), 2048);
  EXPECT_EQ(loop.Count("(SELECT * FROM inference.s LIMIT 3)"), 3);
}

TEST_F(LiveViewsTest, APreparedStatementSeesWhatCameAfterIt) {
  engine::PreparedStatement statement = loop.connection->Prepare("SELECT * FROM inference.s");
  const auto count = [&statement] {
    size_t rows = 0;
    engine::Result result = statement.Execute();
    while (auto chunk = result.Next()) rows += chunk->rows();
    return rows;
  };
  EXPECT_EQ(count(), 0U);
  loop.Append(loop.Inference("s", 1));
  EXPECT_EQ(count(), 1U);
  loop.mover->Move();
  EXPECT_EQ(count(), 1U);
  loop.Append(loop.Inference("s", 2));
  loop.mover->Move();
  EXPECT_EQ(count(), 2U);
}

TEST_F(LiveViewsTest, ATransactionKeepsItsLakeAndSeesTheLogMoveOn) {
  loop.Append(loop.Inference("s", 1));
  const lake::ReadRegistry::Guard guard(loop.reads);
  loop.Run("BEGIN");
  EXPECT_EQ(loop.Count("inference.s"), 1);
  loop.Append(loop.Inference("s", 2));
  loop.mover->Move();
  loop.Append(loop.Inference("s", 3));
  EXPECT_EQ(loop.Count("inference.s"), 3);
  loop.Run("COMMIT");
  EXPECT_EQ(loop.Count("inference.s"), 3);
}

TEST_F(LiveViewsTest, FollowTheirTables) {
  loop.Append(loop.Inference("s", 1));
  loop.Run("ALTER TABLE lake.inference.s ADD COLUMN input.z BIGINT");
  // Between the commit and the renewal the view gives what it promised.
  EXPECT_EQ(loop.Json("SELECT input FROM inference.s"), R"({"x":1})");
  PublishLiveViews(loop.lake);
  EXPECT_EQ(loop.Json("SELECT input FROM inference.s"), R"({"x":1,"z":null})");
  loop.Run("CREATE TABLE lake.inference.mine (a BIGINT)");
  loop.Run("DROP TABLE lake.feedback.s");
  PublishLiveViews(loop.lake);
  EXPECT_EQ(loop.Count("inference.mine"), 0);
  EXPECT_EQ(Types("inference.mine"), std::vector<std::string>{"a BIGINT"});
  try {
    loop.Count("feedback.s");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTableNotFound);
  }
}

TEST_F(LiveViewsTest, ShowAccounts) {
  EXPECT_EQ(loop.Count("braid.capture_account"), 0);
  loop.log.AppendAndWait({},
                         {{.service = "s", .served = 5, .captured = 3, .shed = 2, .unknown = 1}});
  EXPECT_EQ(loop.Json("SELECT [served, captured, shed, unknown] FROM braid.capture_account WHERE "
                      "service = 's' AND since > TIMESTAMPTZ '2020-01-01 00:00:00Z'"),
            "[5,3,2,1]");
  EXPECT_EQ(Types("braid.capture_account")[1], "since TIMESTAMP WITH TIME ZONE");
}

TEST_F(LiveViewsTest, AnUnknownKindIsRefused) {
  EXPECT_THROW(loop.Count("braid_capture_log('s', 3)"), Error);
}

// Acknowledged before a read ⊆ seen by it, and nothing twice, while moves go on.
TEST_F(LiveViewsTest, AreExactWhileMovesGoOn) {
  std::atomic<int64_t> acknowledged = 0;
  std::atomic<bool> done = false;
  std::jthread appender([&] {
    for (int64_t x = 0; !done; x += 3) {
      loop.log.AppendAndWait({loop.Inference("s", x), loop.Inference("s", x + 1),
                              loop.Inference("s", x + 2), loop.Feedback("s", "order", true)});
      acknowledged = x + 3;
    }
  });
  std::jthread mover([&] {
    for (int moves = 0; moves < 25;) moves += loop.mover->Move() > 0 ? 1 : 0;
    done = true;
  });
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      const auto connection = loop.lake.Connect(lake::Scope::kSession);
      while (!done) {
        const int64_t before = acknowledged;
        const lake::ReadRegistry::Guard guard(loop.reads);
        // Without gaps and duplicates, count = distinct = max + 1; groups of three are all or
        // nothing.
        const auto rows = connection->Rows(
            "SELECT count(*), count(DISTINCT input.x), max(input.x) + 1 FROM inference.s");
        const int64_t count = rows[0][0];
        EXPECT_EQ(rows[0][1], count);
        if (count > 0) {
          EXPECT_EQ(rows[0][2], count);
        }
        EXPECT_EQ(count % 3, 0);
        EXPECT_GE(count, before);
        const auto feedback = connection->Rows(
            "SELECT count(*), count(DISTINCT feedback_id), count(*) - count(supersedes), "
            "count(DISTINCT "
            "supersedes) FROM feedback.s");
        const int64_t revisions = feedback[0][0];
        EXPECT_EQ(feedback[0][1], revisions);
        EXPECT_GE(revisions * 3, count);
        // One chain: all but the first name another.
        if (revisions > 0) {
          EXPECT_EQ(feedback[0][2], 1);
          EXPECT_EQ(feedback[0][3], revisions - 1);
        }
      }
    });
  }
  mover.join();
  readers.clear();
  appender.join();
  loop.mover->Move();
  EXPECT_EQ(loop.Count("lake.inference.s"), acknowledged);
}

}  // namespace
}  // namespace braid::loop
