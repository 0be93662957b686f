// SPDX-License-Identifier: Apache-2.0
#include "ml/conformal.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace braid::ml {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// 0.9 · 10 is to be the 9th score, though the product may be rounded up.
constexpr double kRounding = 1e-9;

}  // namespace

void ConformalScores::Add(double score) {
  scores_.push_back(std::isnan(score) ? kInfinity : score);
}

void ConformalScores::Merge(const ConformalScores& other) {
  scores_.insert(scores_.end(), other.scores_.begin(), other.scores_.end());
}

double ConformalScores::Quantile(double confidence) {
  const auto rows = static_cast<double>(scores_.size());
  const double rank = std::max(1.0, std::ceil((rows + 1) * confidence - kRounding));
  if (rank > rows) return kInfinity;
  const auto at = scores_.begin() + (static_cast<std::ptrdiff_t>(rank) - 1);
  std::nth_element(scores_.begin(), at, scores_.end());
  return *at;
}

double ResidualScore(double actual, double predicted, double scale) {
  return std::abs(actual - predicted) / scale;
}

}  // namespace braid::ml
