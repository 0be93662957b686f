// SPDX-License-Identifier: Apache-2.0
// Against tests/data/factorization/ranking.json: scikit-learn and scipy.
#include "ml/ranking.h"

#include <gtest/gtest.h>

#include <numeric>

#include "ml/test_rows.h"

namespace braid::ml {
namespace {

nlohmann::json Reference() {
  return nlohmann::json::parse(ReadFile(TestData() / "factorization" / "ranking.json"));
}

std::vector<TakenItem> Taken(const std::vector<double>& gains) {
  std::vector<TakenItem> taken;
  for (size_t item = 0; item < gains.size(); ++item)
    if (gains[item] > 0) taken.push_back({static_cast<uint32_t>(item), gains[item]});
  return taken;
}

TEST(Ranking, AgreesWithScikitLearnWithAndWithoutTies) {
  RankingJudge judge;
  for (const nlohmann::json& user : Reference().at("users")) {
    const auto scores = user.at("scores").get<std::vector<double>>();
    const auto gains = user.at("gains").get<std::vector<double>>();
    const UserRanking ranking = judge.Judge(scores, Taken(gains));
    EXPECT_NEAR(ranking.average_precision, user.at("average_precision").get<double>(), 1e-12);
    EXPECT_NEAR(ranking.normalized_gain, user.at("ndcg").get<double>(), 1e-12);
    EXPECT_NEAR(ranking.rank_sum / ranking.gain_sum, user.at("rank").get<double>(), 1e-12);
    EXPECT_NEAR(ranking.squared_error, user.at("squared_error").get<double>(), 1e-12);
    EXPECT_NEAR(ranking.gain_sum, std::accumulate(gains.begin(), gains.end(), 0.0), 1e-12);
  }
}

TEST(Ranking, OrderOfTheTakenItemsChangesNothing) {
  RankingJudge judge;
  const std::vector<double> scores = {0.5, 0.5, 0.1, 0.9};
  const std::vector<TakenItem> taken = {{0, 2}, {2, 1}, {3, 4}};
  const std::vector<TakenItem> other = {{3, 4}, {0, 2}, {2, 1}};
  const UserRanking one = judge.Judge(scores, taken);
  const UserRanking two = judge.Judge(scores, other);
  EXPECT_EQ(one.average_precision, two.average_precision);
  EXPECT_EQ(one.rank_sum, two.rank_sum);
  EXPECT_EQ(one.normalized_gain, two.normalized_gain);
}

TEST(Ranking, TheOnlyItemIsFirst) {
  RankingJudge judge;
  const std::vector<double> scores = {-3};
  const std::vector<TakenItem> taken = {{0, 2}};
  const UserRanking ranking = judge.Judge(scores, taken);
  EXPECT_EQ(ranking.average_precision, 1);
  EXPECT_EQ(ranking.normalized_gain, 1);
  EXPECT_EQ(ranking.rank_sum, 0);
  EXPECT_EQ(ranking.squared_error, 16);
}

TEST(Ranking, RanksEndToEnd) {
  RankingJudge judge;
  const std::vector<double> scores = {4, 3, 2, 1};
  const std::vector<TakenItem> first = {{0, 5}};
  const std::vector<TakenItem> last = {{3, 5}};
  EXPECT_EQ(judge.Judge(scores, first).rank_sum, 0);
  EXPECT_EQ(judge.Judge(scores, last).rank_sum, 5);
  EXPECT_EQ(judge.Judge(scores, last).average_precision, 0.25);
}

}  // namespace
}  // namespace braid::ml
