// SPDX-License-Identifier: Apache-2.0
#include "ml/conformal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "ml/test_rows.h"

namespace braid::ml {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

ConformalScores Scores(const std::vector<double>& values) {
  ConformalScores scores;
  for (const double value : values) scores.Add(value);
  return scores;
}

TEST(Conformal, QuantilesAreNumpys) {
  const nlohmann::json right =
      nlohmann::json::parse(ReadFile(TestData() / "calibration/conformal.json"))["quantiles"];
  ASSERT_EQ(right.size(), 35U);
  for (const auto& row : right) {
    const double wanted = row[2].is_string() ? kInfinity : row[2].get<double>();
    EXPECT_EQ(Scores(row[0].get<std::vector<double>>()).Quantile(row[1]), wanted)
        << row[0].size() << " scores, confidence " << row[1];
  }
}

TEST(Conformal, TooFewRowsReachEverything) {
  EXPECT_EQ(Scores({}).Quantile(0.5), kInfinity);
  EXPECT_EQ(Scores({1, 2, 3, 4, 5, 6, 7, 8}).Quantile(0.9), kInfinity);
  EXPECT_EQ(Scores({1, 2, 3, 4, 5, 6, 7, 8, 9}).Quantile(0.9), 9);
}

TEST(Conformal, WhatIsNoNumberIsFarAway) {
  EXPECT_EQ(Scores({1, std::nan(""), 2}).Quantile(0.5), 2);
  EXPECT_EQ(Scores({1, std::nan(""), 2}).Quantile(0.7), kInfinity);
}

TEST(Conformal, PartsMakeTheWhole) {
  ConformalScores part = Scores({5, 1});
  part.Merge(Scores({4, 2, 3}));
  EXPECT_EQ(part.count(), 5U);
  EXPECT_EQ(part.Quantile(0.5), 3);
}

TEST(Conformal, ResidualsAreDividedByTheScale) {
  EXPECT_EQ(ResidualScore(3, 7, 2), 2);
  EXPECT_EQ(ResidualScore(7, 3, 2), 2);
}

// Of exchangeable scores without ties the new one is within the quantile of n others with
// probability ceil((n + 1) · confidence) / (n + 1), exactly.
TEST(Conformal, CoversAsOftenAsItSays) {
  std::mt19937_64 random(11);
  std::exponential_distribution<double> draw;
  constexpr int kTrials = 20000;
  for (const int rows : {9, 24, 50}) {
    int covered = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      ConformalScores scores;
      for (int row = 0; row < rows; ++row) scores.Add(draw(random));
      if (draw(random) <= scores.Quantile(0.9)) ++covered;
    }
    const double expected = std::ceil((rows + 1) * 0.9 - 1e-9) / (rows + 1);
    EXPECT_NEAR(covered / double{kTrials}, expected, 4 * std::sqrt(0.1 * 0.9 / kTrials)) << rows;
  }
}

}  // namespace
}  // namespace braid::ml
