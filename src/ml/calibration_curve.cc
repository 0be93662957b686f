// SPDX-License-Identifier: Apache-2.0
#include "ml/calibration_curve.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace braid::ml {

namespace {

using Groups = std::span<const ProbabilityRows::Group>;

std::vector<double> UniformBounds(size_t buckets) {
  std::vector<double> bounds;
  for (size_t i = 0; i < buckets; ++i)
    bounds.push_back(static_cast<double>(i) * (1 / static_cast<double>(buckets)));
  bounds.push_back(1);
  return bounds;
}

std::vector<double> QuantileBounds(Groups groups, double rows, size_t buckets) {
  std::vector<double> bounds;
  size_t at = 0;
  double before = 0;  // rows of groups that ended
  for (size_t i = 0; i <= buckets; ++i) {
    const double place = (rows - 1) * static_cast<double>(i) / static_cast<double>(buckets);
    const double whole = std::floor(place);
    while (before + groups[at].rows <= whole) before += groups[at++].rows;
    const double low = groups[at].probability;
    const bool is_last_of_group = before + groups[at].rows <= whole + 1;
    const double high =
        is_last_of_group && at + 1 < groups.size() ? groups[at + 1].probability : low;
    bounds.push_back(low + (high - low) * (place - whole));
  }
  return bounds;
}

}  // namespace

CalibrationCurve MakeCalibrationCurve(Groups groups, size_t buckets, BucketStrategy strategy) {
  BRAID_CHECK(!groups.empty() && buckets > 0);
  CalibrationSummary all;
  double positives = 0;
  for (const ProbabilityRows::Group& group : groups) {
    all.rows += group.rows;
    positives += group.positives;
    all.brier_score += group.positives * (1 - group.probability) * (1 - group.probability) +
                       (group.rows - group.positives) * group.probability * group.probability;
  }
  all.brier_score /= all.rows;
  const double frequency = positives / all.rows;
  all.uncertainty = frequency * (1 - frequency);

  const std::vector<double> bounds = strategy == BucketStrategy::kUniform
                                         ? UniformBounds(buckets)
                                         : QuantileBounds(groups, all.rows, buckets);
  CalibrationCurve curve;
  size_t at = 0;
  for (size_t number = 1; number <= buckets; ++number) {
    const size_t begin = at;
    CalibrationBucket bucket{
        .number = number, .lower_bound = bounds[number - 1], .upper_bound = bounds[number]};
    for (;
         at < groups.size() && (number == buckets || groups[at].probability <= bucket.upper_bound);
         ++at) {
      bucket.rows += groups[at].rows;
      bucket.mean_probability += groups[at].rows * groups[at].probability;
      bucket.observed_frequency += groups[at].positives;
    }
    if (at == begin) continue;
    bucket.mean_probability /= bucket.rows;
    bucket.observed_frequency /= bucket.rows;
    const double share = bucket.rows / all.rows;
    const double off = std::abs(bucket.observed_frequency - bucket.mean_probability);
    all.expected_calibration_error += share * off;
    all.maximum_calibration_error = std::max(all.maximum_calibration_error, off);
    all.reliability += share * off * off;
    all.resolution +=
        share * (bucket.observed_frequency - frequency) * (bucket.observed_frequency - frequency);
    for (size_t i = begin; i < at; ++i) {
      const double apart = groups[i].probability - bucket.mean_probability;
      all.within_bucket_variance += groups[i].rows * apart * apart / all.rows;
      all.within_bucket_covariance +=
          2 * apart * (groups[i].positives - groups[i].rows * bucket.observed_frequency) / all.rows;
    }
    curve.buckets.push_back(bucket);
  }
  curve.summary = all;
  return curve;
}

}  // namespace braid::ml
