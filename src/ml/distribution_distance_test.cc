// SPDX-License-Identifier: Apache-2.0
#include "ml/distribution_distance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace braid::ml {
namespace {

FeatureStatistics Numbers(double low, double high, const std::vector<double>& counts,
                          int64_t infinite = 0) {
  NumberStatistics numbers;
  for (const double count : counts) numbers.rows += static_cast<int64_t>(count);
  numbers.rows += infinite;
  numbers.infinite = infinite;
  numbers.histogram = {low, high, counts};
  return {.name = "x", .values = numbers};
}

FeatureStatistics Categories(const std::vector<std::pair<std::string, int64_t>>& most,
                             int64_t others = 0) {
  CategoryStatistics categories{.rows = others, .most = most};
  for (const auto& [text, count] : most) categories.rows += count;
  return {.name = "s", .values = categories};
}

double JensenShannon(const FeatureStatistics& base, const FeatureStatistics& study) {
  const double distance = DistributionDistance(DistanceMetric::kJensenShannon, base, study);
  EXPECT_DOUBLE_EQ(DistributionDistance(DistanceMetric::kJensenShannon, study, base), distance);
  return distance;
}
double LInfinity(const FeatureStatistics& base, const FeatureStatistics& study) {
  return DistributionDistance(DistanceMetric::kLInfinity, base, study);
}

// The figures of TensorFlow Data Validation's metrics_test.cc.
TEST(DistributionDistance, PublishedFigures) {
  EXPECT_NEAR(JensenShannon(Numbers(1, 3, {2, 2}), Numbers(2, 6, {2, 2})), 0.65563906222, 1e-10);
  EXPECT_NEAR(JensenShannon(Numbers(0, 2, {2, 2}), Numbers(3, 5, {2, 2})), 1, 1e-12);
  EXPECT_NEAR(JensenShannon(Numbers(1, 1, {4}), Numbers(2, 6, {2, 2})), 1, 1e-12);
  EXPECT_NEAR(JensenShannon(Categories({{"a", 2}, {"b", 2}, {"c", 1}}),
                            Categories({{"a", 2}, {"X", 1}, {"Y", 1}, {"Z", 1}})),
              0.6, 1e-12);
}

TEST(DistributionDistance, EqualSharesAreNotApart) {
  EXPECT_EQ(JensenShannon(Numbers(1, 3, {2, 6}), Numbers(1, 3, {20, 60})), 0);
  EXPECT_EQ(JensenShannon(Numbers(4, 4, {2}), Numbers(4, 4, {9})), 0);
  EXPECT_EQ(JensenShannon(Categories({{"a", 2}}, 2), Categories({{"a", 5}}, 5)), 0);
  // Two buckets of one side are spread over three of the other.
  EXPECT_NEAR(JensenShannon(Numbers(0, 6, {3, 3}), Numbers(0, 6, {2, 2, 2})), 0, 1e-12);
}

TEST(DistributionDistance, GreatestDifferenceOfShares) {
  EXPECT_DOUBLE_EQ(LInfinity(Categories({{"a", 7}, {"b", 3}}), Categories({{"b", 4}, {"a", 6}})),
                   0.1);
  EXPECT_DOUBLE_EQ(LInfinity(Categories({{"a", 7}}, 3), Categories({{"c", 9}}, 1)), 0.9);
}

// By hand: (0.5 - 0.2)·ln(0.5 / 0.2) + (0.5 - 0.8)·ln(0.5 / 0.8); with c alone on one side, 0.25 of
// it, 0.0001 stands for its share on the other.
TEST(DistributionDistance, StabilityIndex) {
  const auto index = [](const FeatureStatistics& base, const FeatureStatistics& study) {
    return DistributionDistance(DistanceMetric::kStabilityIndex, base, study);
  };
  EXPECT_NEAR(index(Categories({{"a", 2}, {"b", 8}}), Categories({{"a", 5}, {"b", 5}})),
              0.3 * std::log(2.5) - 0.3 * std::log(0.625), 1e-12);
  EXPECT_NEAR(index(Categories({{"a", 4}, {"b", 4}}), Categories({{"a", 1}, {"b", 2}, {"c", 1}})),
              0.25 * std::log(2.0) + 0.2499 * std::log(2500.0), 1e-12);
  EXPECT_NEAR(index(Numbers(0, 4, {1, 3}), Numbers(0, 4, {3, 1})), std::log(3.0), 1e-12);
  EXPECT_EQ(index(Numbers(0, 4, {1, 3}), Numbers(0, 4, {2, 6})), 0);
  EXPECT_GT(index(Numbers(0, 0, {}), Numbers(0, 1, {1, 1})), 10);
}

TEST(DistributionDistance, InfiniteValuesAreABucket) {
  EXPECT_EQ(JensenShannon(Numbers(0, 1, {1, 1}, 2), Numbers(0, 1, {3, 3}, 6)), 0);
  EXPECT_GT(JensenShannon(Numbers(0, 1, {1, 1}, 2), Numbers(0, 1, {4, 4})), 0.3);
  EXPECT_NEAR(JensenShannon(Numbers(0, 0, {}, 2), Numbers(0, 1, {4, 4})), 1, 1e-12);
}

TEST(DistributionDistance, WithoutValues) {
  EXPECT_EQ(JensenShannon(Numbers(0, 0, {}), Numbers(0, 1, {1, 1})), 1);
  EXPECT_EQ(JensenShannon(Numbers(0, 0, {}), Numbers(0, 0, {})), 0);
  EXPECT_EQ(LInfinity(Categories({}), Categories({{"a", 1}})), 1);
  EXPECT_TRUE(std::isnan(LInfinity(Numbers(0, 1, {1}), Numbers(0, 1, {1}))));
  EXPECT_TRUE(std::isnan(LInfinity(Categories({{"a", 1}}), Numbers(0, 1, {1}))));
}

}  // namespace
}  // namespace braid::ml
