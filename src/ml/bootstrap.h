// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace braid::ml {

struct MeanInterval {
  double low = 0;
  double high = 0;
};

// How often BootstrapMean draws from so many values: 2,000 times, fewer above 100,000 values, at
// least 200 times.
size_t ResamplesFor(size_t values);

// In which the mean lies with this confidence: percentiles of the means of resamples of the values,
// drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
// 13). Empty without values.
std::optional<MeanInterval> BootstrapMean(std::span<const double> values, double confidence,
                                          size_t resamples, int64_t seed);

}  // namespace braid::ml
