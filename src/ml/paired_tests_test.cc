// SPDX-License-Identifier: Apache-2.0
// Against scipy, statsmodels and DeLong's definition (tests/data/calibration/comparison.py).
#include "ml/paired_tests.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ml/model_comparison.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

nlohmann::json Right() {
  return nlohmann::json::parse(ReadFile(TestData() / "calibration/comparison.json"));
}

void ExpectClose(double got, double right, double tolerance = 1e-10) {
  EXPECT_LE(std::abs(got - right), tolerance * std::abs(right)) << got << " for " << right;
}

void ExpectResult(const PairedResult& got, const nlohmann::json& right) {
  ExpectClose(got.difference, right["difference"]);
  ExpectClose(got.standard_error, right["standard_error"]);
  ExpectClose(got.lower, right["lower"]);
  ExpectClose(got.upper, right["upper"]);
  ExpectClose(got.statistic, right["statistic"]);
  ExpectClose(got.p_value, right["p_value"]);
}

TEST(PairedTests, SignedRanksAreScipys) {
  const nlohmann::json right = Right()["wilcoxon"];
  ASSERT_EQ(right.size(), 8U);
  for (const auto& row : right) {
    const PairedResult got = SignedRanks(row[0].get<std::vector<double>>());
    EXPECT_EQ(got.statistic, row[1].get<double>());
    ExpectClose(got.p_value, row[2], 1e-12);
    EXPECT_TRUE(std::isnan(got.standard_error));
  }
}

TEST(PairedTests, McNemarIsStatsmodels) {
  const nlohmann::json right = Right();
  for (const auto& row : right.at("mcnemar")) {
    const PairedResult got = McNemar(row[0], row[1], 10000, 0.95);
    EXPECT_EQ(got.statistic, row[2].get<double>());
    ExpectClose(got.p_value, row[3], 1e-9);
  }
  ExpectResult(McNemar(3, 5, 63, 0.9), Right()["births"]["accuracy"]);
}

TEST(PairedTests, RocAreasAreDeLongs) {
  const nlohmann::json right = Right()["delong"];
  ASSERT_EQ(right.size(), 3U);
  for (const auto& row : right) {
    std::vector<bool> positive;
    for (const int label : row["positive"].get<std::vector<int>>()) positive.push_back(label == 1);
    const RocComparison got =
        CompareRocAreas(row["first"].get<std::vector<double>>(),
                        row["second"].get<std::vector<double>>(), positive, 0.9);
    ExpectClose(got.first_area, row["result"]["first"]);
    ExpectClose(got.second_area, row["result"]["second"]);
    ExpectResult(got.result, row["result"]);
  }
}

// Student's own example (1908): the sleep gained by two drugs, t = 4.0621, p = 0.002833.
TEST(PairedTests, TIsStudents) {
  const std::vector<double> gained = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
  const PairedResult got = PairedT(gained, 0.95);
  EXPECT_NEAR(got.difference, 1.58, 1e-15);
  EXPECT_NEAR(got.statistic, 4.0621, 5e-5);
  EXPECT_NEAR(got.p_value, 0.002833, 5e-7);
  EXPECT_NEAR(got.lower, 0.7001142, 5e-8);
  EXPECT_NEAR(got.upper, 2.4598858, 5e-8);
}

TEST(PairedTests, ModelsThatDifferNowhereAreEqual) {
  const std::vector<double> zeros(5);
  EXPECT_EQ(PairedT(zeros, 0.95).p_value, 1);
  EXPECT_EQ(PairedT(zeros, 0.95).statistic, 0);
  EXPECT_EQ(SignedRanks(zeros).p_value, 1);
  EXPECT_EQ(McNemar(0, 0, 5, 0.95).p_value, 1);
  const std::vector<double> scores = {0.1, 0.4, 0.2, 0.9};
  const RocComparison same = CompareRocAreas(scores, scores, {false, true, false, true}, 0.95);
  EXPECT_EQ(same.first_area, 1);
  EXPECT_EQ(same.result.p_value, 1);
}

TEST(PairedTests, TooFewRowsSayNothing) {
  EXPECT_TRUE(std::isnan(PairedT({}, 0.95).difference));
  const std::vector<double> one = {0.5};
  EXPECT_EQ(PairedT(one, 0.95).difference, 0.5);
  EXPECT_TRUE(std::isnan(PairedT(one, 0.95).p_value));
  EXPECT_TRUE(std::isnan(SignedRanks({}).p_value));
  EXPECT_TRUE(std::isnan(McNemar(0, 0, 0, 0.95).p_value));
  EXPECT_TRUE(std::isnan(CompareRocAreas(one, one, {true}, 0.95).first_area));
  // One positive has no variance.
  const std::vector<double> first = {0.1, 0.4, 0.2};
  const std::vector<double> second = {0.3, 0.2, 0.1};
  const RocComparison two = CompareRocAreas(first, second, {false, true, false}, 0.95);
  EXPECT_EQ(two.first_area, 1);
  EXPECT_TRUE(std::isnan(two.result.p_value));
}

TEST(PairedTests, AConstantDifferenceIsCertain) {
  const std::vector<double> same = {-0.1, -0.1, -0.1};
  const PairedResult got = PairedT(same, 0.95);
  EXPECT_EQ(got.p_value, 0);
  EXPECT_EQ(got.lower, got.upper);
}

TEST(ModelComparison, PartsMakeTheWholeInAnyOrder) {
  RegressionComparison whole;
  RegressionComparison parts[2];
  for (int i = 0; i < 100; ++i) {
    const double y = std::sin(i * 1.7);
    whole.Add(y, y + std::cos(i), y + std::cos(3.0 * i) / 2);
    const int j = 99 - i;
    const double z = std::sin(j * 1.7);
    parts[j % 2].Add(z, z + std::cos(j), z + std::cos(3.0 * j) / 2);
  }
  parts[0].Merge(parts[1]);
  const auto right = whole.Finish(0.95);
  const auto got = parts[0].Finish(0.95);
  ASSERT_EQ(got.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(got[i].first, right[i].first);
    EXPECT_EQ(got[i].result.p_value, right[i].result.p_value);
  }
}

TEST(ModelComparison, WhatIsNoNumberStaysUnknown) {
  RegressionComparison rows;
  rows.Add(1, 2, std::nan(""));
  rows.Add(2, 2, 2);
  rows.Add(3, 2, 2);
  const auto got = rows.Finish(0.95);
  EXPECT_TRUE(std::isnan(got[0].second));
  EXPECT_TRUE(std::isnan(got[0].result.p_value));
  EXPECT_TRUE(std::isnan(got[1].result.p_value));
}

TEST(ModelComparison, AreasNeedTwoClasses) {
  ClassificationComparison rows;
  const double none = PairedResult::kNone;
  rows.Add(false, {0.5, none, true}, {0.2, none, false});
  rows.Add(false, {0.4, none, true}, {0, none, false});
  const auto got = rows.Finish(0.95);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_NEAR(got[0].second, (std::log(5) + std::log(1e15)) / 2, 1e-9);
  EXPECT_EQ(got[2].metric, "accuracy");
  EXPECT_EQ(got[2].first, 1);
  EXPECT_EQ(got[2].result.p_value, 0.5);
}

}  // namespace
}  // namespace braid::ml
