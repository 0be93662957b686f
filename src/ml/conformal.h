// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <vector>

namespace braid::ml {

// The scores of calibration rows, by which split conformal prediction (Vovk, Gammerman and Shafer
// 2005; Lei et al. 2018) says how far a new answer reaches: with n exchangeable rows the score of
// another one is at most the ceil((n + 1) · confidence)-th smallest with at least that confidence,
// whatever the model and the distribution. Keeps 8 bytes a row; what several threads gathered is
// merged.
class ConformalScores {
 public:
  // A score that is no number counts as infinite: such a row was not covered.
  void Add(double score);
  void Merge(const ConformalScores& other);
  size_t count() const { return scores_.size(); }
  // 0 < confidence < 1. Infinite when there are too few rows for it. Reorders the scores.
  double Quantile(double confidence);

 private:
  std::vector<double> scores_;
};

// The score of a regression's row: |actual - predicted| / scale.
double ResidualScore(double actual, double predicted, double scale);

}  // namespace braid::ml
