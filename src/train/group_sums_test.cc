// SPDX-License-Identifier: Apache-2.0
#include "train/group_sums.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "engine/database.h"

namespace braid::train {
namespace {

class GroupSumsTest : public testing::Test {
 protected:
  GroupSumsTest() {
    connection_.Execute(
        "CREATE TABLE t AS SELECT range % 500 AS g, CAST(range AS DOUBLE) AS x, CAST(2 * range + 1 "
        "AS DOUBLE) AS y FROM range(20000)");
  }
  static GroupedQuery Query() {
    return {.keys = "CAST(__braid_row.g AS VARCHAR)",
            .key_count = 1,
            .list = "__braid_row.x, __braid_row.y",
            .inputs = 1,
            .from = "t AS __braid_row"};
  }
  // Of each group the mean of x; each must come once.
  std::map<std::string, double> Means(size_t most_bytes) {
    std::map<std::string, double> means;
    takes_ = 0;
    GatherGroups(
        connection_, Query(),
        [&](auto groups) {
          ++takes_;
          for (const auto& [key, moments] : groups) {
            EXPECT_EQ(moments.given(), 40);
            EXPECT_TRUE(means.emplace(*key[0], moments.gram().Finish().mean[0]).second);
          }
        },
        most_bytes);
    return means;
  }

  engine::Database database_{engine::DatabaseOptions{.threads = 2}};
  engine::Connection connection_{database_};
  int takes_ = 0;
};

TEST_F(GroupSumsTest, EachGroupComesOnce) {
  const auto means = Means(kGroupSumsBytes);
  ASSERT_EQ(means.size(), 500U);
  EXPECT_EQ(means.at("7"), 7 + 500 * 39 / 2.0);
  EXPECT_EQ(takes_, 1);
}

TEST_F(GroupSumsTest, WithLittleMemoryTheGroupsComeInParts) {
  const auto means = Means(100 * ml::GroupMoments::BytesOf(1));
  EXPECT_EQ(means, Means(kGroupSumsBytes));
  (void)Means(100 * ml::GroupMoments::BytesOf(1));
  EXPECT_GT(takes_, 4);
}

TEST_F(GroupSumsTest, WithoutAnyMemoryItEnds) {
  try {
    (void)Means(1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTrainingData);
  }
}

TEST_F(GroupSumsTest, OneThreadGivesTheSame) {
  std::map<std::string, double> means;
  GatherGroupsInOrder(connection_, Query(), [&](auto groups) {
    for (const auto& [key, moments] : groups) means[*key[0]] = moments.gram().Finish().mean[0];
  });
  EXPECT_EQ(means, Means(kGroupSumsBytes));
}

}  // namespace
}  // namespace braid::train
