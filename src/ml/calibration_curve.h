// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ml/calibration.h"

namespace braid::ml {

enum class BucketStrategy : uint8_t { kUniform, kQuantile };

struct CalibrationBucket {
  size_t number = 0;  // from 1
  double lower_bound = 0;
  double upper_bound = 0;
  double rows = 0;
  double mean_probability = 0;
  double observed_frequency = 0;
};

// How well probabilities say how often an event comes. The Brier score is reliability - resolution
// + uncertainty (Murphy 1973) + within_bucket_variance - within_bucket_covariance (Stephenson,
// Coelho and Jolliffe 2008: what the probabilities of one bucket still differ by).
struct CalibrationSummary {
  double rows = 0;
  double expected_calibration_error = 0;  // mean over the rows of |frequency - mean| of the bucket
  double maximum_calibration_error = 0;   // over the buckets
  double brier_score = 0;
  double reliability = 0;
  double resolution = 0;
  double uncertainty = 0;
  double within_bucket_variance = 0;
  double within_bucket_covariance = 0;
};

struct CalibrationCurve {
  std::vector<CalibrationBucket> buckets;  // those that hold rows
  CalibrationSummary summary;
};

// `groups` by rising probability, not empty. A bucket holds the probabilities above its lower bound
// up to its upper one, the first also its lower bound. Bounds: kUniform, equal parts of 0 to 1;
// kQuantile, the rows' quantiles, linear between two of them.
CalibrationCurve MakeCalibrationCurve(std::span<const ProbabilityRows::Group> groups,
                                      size_t buckets, BucketStrategy strategy);

}  // namespace braid::ml
