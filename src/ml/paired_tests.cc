// SPDX-License-Identifier: Apache-2.0
#include "ml/paired_tests.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "ml/distributions.h"

namespace braid::ml {

namespace {

constexpr size_t kMostExactRows = 50;

// The mean and its standard error.
struct Mean {
  double value = 0;
  double error = 0;
};

Mean MeanOf(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  Mean mean;
  // From the first value on: a constant has no rounding error.
  for (const double value : values) mean.value += value - values[0];
  mean.value = values[0] + mean.value / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean.value) * (value - mean.value);
  mean.error = std::sqrt(squares / (count - 1) / count);
  return mean;
}

// The statistic of a difference in units of its standard error, and what follows from it.
template <typename TwoSidedP>
PairedResult Standardised(double difference, double error, double reach, TwoSidedP p_value) {
  PairedResult result{.difference = difference,
                      .standard_error = error,
                      .lower = difference - reach * error,
                      .upper = difference + reach * error};
  if (error > 0) {
    result.statistic = difference / error;
    result.p_value = p_value(result.statistic);
  } else if (error == 0) {
    result.statistic =
        difference == 0 ? 0 : std::copysign(std::numeric_limits<double>::infinity(), difference);
    result.p_value = difference == 0 ? 1 : 0;
  }
  return result;
}

// Ranks from 1 by rising value, equal values sharing their mean rank.
std::vector<double> MeanRanks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end + 1) / 2;
    begin = end;
  }
  return ranks;
}

bool HasNan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double x) { return std::isnan(x); });
}

// P(W ≤ sum), W the sum of the ranks whose sign is positive, each with probability 1/2: how many of
// the 2ⁿ signs give each sum. Twice a mean rank is whole.
double ExactTail(std::span<const double> ranks, double sum) {
  size_t total = 0;
  for (const double rank : ranks) total += static_cast<size_t>(std::lround(2 * rank));
  std::vector<double> ways(total + 1);
  ways[0] = 1;
  size_t reached = 0;
  for (const double rank : ranks) {
    const auto step = static_cast<size_t>(std::lround(2 * rank));
    reached += step;
    for (size_t s = reached; s >= step; --s) ways[s] += ways[s - step];
  }
  const auto limit = static_cast<size_t>(std::lround(2 * sum));
  double below = 0;
  for (size_t s = 0; s <= std::min(limit, total); ++s) below += ways[s];
  return std::ldexp(below, -static_cast<int>(ranks.size()));
}

// Σ (t³ - t) over groups of t equal values.
double TieTerm(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double term = 0;
  for (size_t begin = 0; begin < values.size();) {
    size_t end = begin + 1;
    while (end < values.size() && values[end] == values[begin]) ++end;
    const auto tied = static_cast<double>(end - begin);
    term += tied * tied * tied - tied;
    begin = end;
  }
  return term;
}

// One model's share in DeLong's variance: for each positive how many negatives it beats, and for
// each negative the positives that beat it, as shares.
struct Placements {
  double area = 0;
  std::vector<double> of_positives;
  std::vector<double> of_negatives;
};

Placements Place(std::span<const double> scores, const std::vector<bool>& positive) {
  std::vector<double> parts[2];  // negatives, positives
  for (size_t i = 0; i < scores.size(); ++i) parts[positive[i] ? 1 : 0].push_back(scores[i]);
  const std::vector<double> all = MeanRanks(scores);
  const std::vector<double> among[2] = {MeanRanks(parts[0]), MeanRanks(parts[1])};
  const auto negatives = static_cast<double>(parts[0].size());
  const auto positives = static_cast<double>(parts[1].size());
  Placements places;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (positive[i]) {
      const double beaten = all[i] - among[1][places.of_positives.size()];
      places.of_positives.push_back(beaten / negatives);
      places.area += beaten;
    } else {
      const double below = all[i] - among[0][places.of_negatives.size()];
      places.of_negatives.push_back(1 - below / positives);
    }
  }
  places.area /= negatives * positives;
  return places;
}

// The square of the standard error of the mean of second - first.
double SquaredError(std::span<const double> first, std::span<const double> second) {
  std::vector<double> differences(first.size());
  for (size_t i = 0; i < first.size(); ++i) differences[i] = second[i] - first[i];
  const double error = MeanOf(differences).error;
  return error * error;
}

double NormalReach(double confidence) { return NormalQuantile(0.5 + confidence / 2); }

}  // namespace

PairedResult PairedT(std::span<const double> differences, double confidence) {
  if (differences.empty()) return {};
  if (differences.size() < 2) return {.difference = differences[0]};
  const double degrees = static_cast<double>(differences.size()) - 1;
  const Mean mean = MeanOf(differences);
  return Standardised(mean.value, mean.error, StudentQuantile(0.5 + confidence / 2, degrees),
                      [degrees](double t) { return StudentTwoSidedP(t, degrees); });
}

PairedResult SignedRanks(std::span<const double> differences) {
  if (differences.empty() || HasNan(differences)) return {};
  PairedResult result{.difference = MeanOf(differences).value};
  std::vector<double> sizes;
  std::vector<bool> rises;
  for (const double difference : differences) {
    if (difference == 0) continue;
    sizes.push_back(std::abs(difference));
    rises.push_back(difference > 0);
  }
  const std::vector<double> ranks = MeanRanks(sizes);
  double up = 0;
  for (size_t i = 0; i < ranks.size(); ++i) up += rises[i] ? ranks[i] : 0;
  const auto rows = static_cast<double>(ranks.size());
  result.statistic = std::min(up, rows * (rows + 1) / 2 - up);
  if (ranks.size() <= kMostExactRows) {
    result.p_value = std::min(1.0, 2 * ExactTail(ranks, result.statistic));
    return result;
  }
  const double variance = (rows * (rows + 1) * (2 * rows + 1) - TieTerm(sizes) / 2) / 24;
  result.p_value =
      NormalTwoSidedP((result.statistic - rows * (rows + 1) / 4) / std::sqrt(variance));
  return result;
}

PairedResult McNemar(double only_first, double only_second, double rows, double confidence) {
  if (!(rows > 0)) return {};
  const double apart = only_second - only_first;
  const double decided = only_first + only_second;
  const double error = std::sqrt(std::max(0.0, decided - apart * apart / rows)) / rows;
  PairedResult result = Standardised(apart / rows, error, NormalReach(confidence),
                                     [](double z) { return NormalTwoSidedP(z); });
  const double lesser = std::min(only_first, only_second);
  result.statistic = lesser;
  // P(X ≤ lesser) of a binomial with `decided` tries is 1 - I_½(lesser + 1, decided - lesser).
  result.p_value = 2 * lesser >= decided
                       ? 1
                       : std::min(1.0, 2 * IncompleteBeta(decided - lesser, lesser + 1, 0.5));
  return result;
}

RocComparison CompareRocAreas(std::span<const double> first, std::span<const double> second,
                              const std::vector<bool>& positive, double confidence) {
  BRAID_CHECK(first.size() == positive.size() && second.size() == positive.size());
  const auto positives = std::count(positive.begin(), positive.end(), true);
  if (positives == 0 || positives == static_cast<std::ptrdiff_t>(positive.size()) ||
      HasNan(first) || HasNan(second))
    return {};
  const Placements a = Place(first, positive);
  const Placements b = Place(second, positive);
  const double error = std::sqrt(SquaredError(a.of_positives, b.of_positives) +
                                 SquaredError(a.of_negatives, b.of_negatives));
  return {a.area, b.area,
          Standardised(b.area - a.area, error, NormalReach(confidence),
                       [](double z) { return NormalTwoSidedP(z); })};
}

}  // namespace braid::ml
