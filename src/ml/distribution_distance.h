// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "ml/feature_statistics.h"

namespace braid::ml {

enum class DistanceMetric : uint8_t {
  kLInfinity,       // the greatest difference of two shares; of categories alone
  kJensenShannon,   // the divergence to the base 2, from 0 to 1
  kStabilityIndex,  // the population stability index, from 0; shares below 0.0001 count as that
};

// How far two columns' distributions are apart. Categories: shares are of all values that are not
// NULL; one that is not among the most frequent of a side counts there as none, and what is in
// neither list is one more category of the divergence. Numbers: their histograms are cut at each
// other's bounds, values being spread evenly over a bucket; a histogram of one value alone is a
// bucket of its own, and so are infinite values. Where one side alone has values, as far as two
// distributions without a common value are; 0 if neither has.
// NaN: a number against a category, or kLInfinity of numbers.
double DistributionDistance(DistanceMetric metric, const FeatureStatistics& base,
                            const FeatureStatistics& study);

}  // namespace braid::ml
