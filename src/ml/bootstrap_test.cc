// SPDX-License-Identifier: Apache-2.0
#include "ml/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "ml/random_stream.h"

namespace braid::ml {
namespace {

std::vector<double> Draw(size_t count, int64_t seed) {
  RandomStream random(seed);
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) values.push_back(2 + 3 * random.Gaussian());
  return values;
}

// Of many values the interval is that of the normal distribution.
TEST(Bootstrap, IsTheNormalIntervalOfManyValues) {
  const std::vector<double> values = Draw(2000, 1);
  const double n = 2000;
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double error = std::sqrt(squares / n / n);
  const auto interval = BootstrapMean(values, 0.95, 4000, 7);
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low, mean - 1.959964 * error, 0.1 * error);
  EXPECT_NEAR(interval->high, mean + 1.959964 * error, 0.1 * error);
}

// scipy.stats.bootstrap((x,), np.mean, method='percentile', n_resamples=200000) of
// [0, 0, 0, 0, 0, 0, 0, 1, 2, 20]: 0 to 6.4. Few and skewed, so the mean ± 1.96 errors would be
// another one (-1.4 to 6.0).
TEST(Bootstrap, SkewedValuesAreAsScipyHasThem) {
  const std::vector<double> values = {0, 0, 0, 0, 0, 0, 0, 1, 2, 20};
  const auto interval = BootstrapMean(values, 0.95, 100'000, 3);
  EXPECT_EQ(interval->low, 0);
  EXPECT_NEAR(interval->high, 6.4, 0.11);
}

// Of 400 samples about 95 % have an interval that holds the true mean.
TEST(Bootstrap, HoldsTheMeanAsOftenAsItSays) {
  int held = 0;
  for (int64_t sample = 0; sample < 400; ++sample) {
    const auto interval = BootstrapMean(Draw(60, 100 + sample), 0.95, 400, sample);
    held += static_cast<int>(interval->low <= 2 && 2 <= interval->high);
  }
  EXPECT_GE(held, 365);
  EXPECT_LE(held, 394);
}

TEST(Bootstrap, SeedsAndEdges) {
  const std::vector<double> values = Draw(50, 2);
  EXPECT_EQ(BootstrapMean(values, 0.9, 300, 1)->low, BootstrapMean(values, 0.9, 300, 1)->low);
  EXPECT_NE(BootstrapMean(values, 0.9, 300, 1)->low, BootstrapMean(values, 0.9, 300, 2)->low);
  EXPECT_FALSE(BootstrapMean({}, 0.9, 300, 1));
  const std::vector<double> one = {4};
  EXPECT_EQ(BootstrapMean(one, 0.9, 300, 1)->high, 4);
  EXPECT_EQ(ResamplesFor(10), 2000);
  EXPECT_EQ(ResamplesFor(400'000), 500);
  EXPECT_EQ(ResamplesFor(100'000'000), 200);
}

}  // namespace
}  // namespace braid::ml
