// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace braid::ml {

// Of many training rows some are scored to find thresholds: one of each group of so many, at a
// place that looks random, since a fixed place could keep step with the data.
constexpr size_t kMostScoredRows = 200'000;
inline size_t ScoredGroup(size_t rows) { return (rows + kMostScoredRows - 1) / kMostScoredRows; }
bool IsScored(size_t row, size_t group);

// The upper half of the training rows' scores as at most 1001 quantiles: from which score on a
// share of them lies. Quantiles are interpolated linearly between the ordered scores; those of at
// most 2001 scores are exact.
class AnomalyThresholds {
 public:
  static constexpr double kMostContamination = 0.5;

  AnomalyThresholds() = default;
  static AnomalyThresholds OfScores(std::vector<double> scores);
  // `levels`: how many quantiles there are, the lower half included.
  AnomalyThresholds(int64_t levels, std::vector<double> upper);

  // The share `contamination` of the training rows has a higher score. At most kMostContamination.
  double At(double contamination) const;

  int64_t levels() const { return levels_; }
  const std::vector<double>& upper() const { return upper_; }

 private:
  int64_t levels_ = 1;
  std::vector<double> upper_ = {0};  // ascending
};

}  // namespace braid::ml
