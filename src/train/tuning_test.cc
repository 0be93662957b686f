// SPDX-License-Identifier: Apache-2.0
#include "train/tuning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace braid::train {
namespace {

using Objectives = std::vector<std::optional<double>>;

TEST(EndOfSearch, IsAfterSoManyTrialsWithoutABetterOne) {
  const Objectives objectives = {0.5, 0.7, 0.6, 0.7, 0.8, 0.1};
  EXPECT_EQ(EndOfSearch(objectives, true, 2), 4U);
  EXPECT_EQ(EndOfSearch(objectives, true, 3), std::nullopt);
  EXPECT_EQ(EndOfSearch(objectives, true, 1), 3U);
  EXPECT_EQ(EndOfSearch(objectives, true, 0), std::nullopt);
  EXPECT_EQ(EndOfSearch(objectives, false, 4), 5U);
}

TEST(EndOfSearch, ATrialThatFailedIsNoBetter) {
  EXPECT_EQ(EndOfSearch({std::nullopt, std::nullopt, 1.0}, true, 2), 2U);
  EXPECT_EQ(EndOfSearch({std::nullopt, 1.0, std::nullopt}, true, 2), std::nullopt);
}

}  // namespace
}  // namespace braid::train
