// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <limits>
#include <span>
#include <vector>

namespace braid::ml {

// What a test says of a difference between two models that answered the same rows. NaN: the test
// has no such number. Where the models differ nowhere, p_value is 1.
struct PairedResult {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  double difference = kNone;
  double standard_error = kNone;
  double lower = kNone;  // of the confidence interval
  double upper = kNone;
  double statistic = kNone;
  double p_value = kNone;  // two-sided
};

// Student's t of the mean of the rows' differences; needs two rows.
PairedResult PairedT(std::span<const double> differences, double confidence);

// Wilcoxon's (1945) signed ranks: rows without a difference are left out, equal ones share their
// mean rank. Exact, given the ranks, for up to 50 rows; beyond, normal with the correction for ties
// and without one for continuity. The statistic is the lesser sum of ranks; there is no interval.
PairedResult SignedRanks(std::span<const double> differences);

// McNemar's (1947) test of two shares of right answers, by the rows that one model alone got right;
// exact (binomial). The statistic is the lesser of the two counts, the interval Wald's.
PairedResult McNemar(double only_first, double only_second, double rows, double confidence);

// The areas under two ROC curves of the same rows, ties half, and their difference: DeLong, DeLong
// and Clarke-Pearson (1988), by the ranks of Sun and Xu (2014). Without both classes all is NaN.
struct RocComparison {
  double first_area = PairedResult::kNone;
  double second_area = PairedResult::kNone;
  PairedResult result;
};
RocComparison CompareRocAreas(std::span<const double> first, std::span<const double> second,
                              const std::vector<bool>& positive, double confidence);

// Differences are second - first throughout.

}  // namespace braid::ml
