// SPDX-License-Identifier: Apache-2.0
#include "ml/anomaly.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ml/artefact_json.h"

namespace braid::ml {

namespace {

constexpr size_t kMostLevels = 2001;

// The value at a fractional place of a list.
double Between(const std::vector<double>& sorted, double place) {
  const auto below = static_cast<size_t>(std::floor(place));
  if (below + 1 >= sorted.size()) return sorted.back();
  const double share = place - std::floor(place);
  if (share == 0 || sorted[below] == sorted[below + 1]) return sorted[below];
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

}  // namespace

// Steele, Lea and Flood's mixing of 64 bits (2014).
bool IsScored(size_t row, size_t group) {
  uint64_t bits = (row / group + 1) * 0x9E3779B97F4A7C15U;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
  return (bits ^ (bits >> 31)) % group == row % group;
}

AnomalyThresholds AnomalyThresholds::OfScores(std::vector<double> scores) {
  if (scores.empty()) return {};
  std::sort(scores.begin(), scores.end());
  const size_t levels = std::min(kMostLevels, scores.size());
  std::vector<double> upper;
  for (size_t level = (levels - 1) / 2; level < levels; ++level)
    upper.push_back(
        levels == scores.size()
            ? scores[level]
            : Between(scores, static_cast<double>(level) * static_cast<double>(scores.size() - 1) /
                                  static_cast<double>(levels - 1)));
  return {static_cast<int64_t>(levels), std::move(upper)};
}

AnomalyThresholds::AnomalyThresholds(int64_t levels, std::vector<double> upper)
    : levels_(levels), upper_(std::move(upper)) {
  if (levels < 1 || static_cast<int64_t>(upper_.size()) != levels - (levels - 1) / 2 ||
      !std::is_sorted(upper_.begin(), upper_.end()))
    MalformedArtefact("the quantiles of the scores are wrong");
}

double AnomalyThresholds::At(double contamination) const {
  const double place = (1 - contamination) * static_cast<double>(levels_ - 1);
  return Between(upper_, std::max(0.0, place - static_cast<double>((levels_ - 1) / 2)));
}

}  // namespace braid::ml
