// SPDX-License-Identifier: Apache-2.0
#include "ml/distributions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ml/test_rows.h"

namespace braid::ml {
namespace {

void ExpectClose(double got, double right, double tolerance) {
  EXPECT_LE(std::abs(got - right), tolerance * std::abs(right)) << got << " for " << right;
}

TEST(Distributions, QuantilesAndTailsAreScipys) {
  const nlohmann::json right =
      nlohmann::json::parse(ReadFile(TestData() / "inference/inference.json"))["quantiles"];
  for (const auto& row : right["normal"]) ExpectClose(NormalQuantile(row[0]), row[1], 1e-12);
  for (const auto& row : right["student"])
    ExpectClose(StudentQuantile(row[0], row[1]), row[2], 1e-11);
  for (const auto& row : right["fisher"])
    ExpectClose(FisherUpperP(row[0], row[1], row[2]), row[3], 1e-11);
}

TEST(Distributions, QuantilesInvertTails) {
  for (const double p : {1e-8, 0.01, 0.2, 0.4999})
    for (const double degrees : {1.0, 3.5, 120.0}) {
      ExpectClose(StudentTwoSidedP(StudentQuantile(p, degrees), degrees), 2 * p, 1e-10);
      ExpectClose(NormalTwoSidedP(NormalQuantile(p)), 2 * p, 1e-12);
    }
  EXPECT_EQ(StudentQuantile(0.5, 4), 0);
  EXPECT_EQ(NormalQuantile(0.5), 0);
  EXPECT_EQ(FisherUpperP(0, 2, 3), 1);
}

}  // namespace
}  // namespace braid::ml
