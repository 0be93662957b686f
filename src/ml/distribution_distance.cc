// SPDX-License-Identifier: Apache-2.0
// The definitions are those of TensorFlow Data Validation, which BigQuery ML's functions carry the
// names of: JS(P, Q) = (D(P‖M) + D(Q‖M)) / 2 with M = (P + Q) / 2 and logarithms to the base 2,
// over equal-width histograms that are brought to common buckets. The population stability index is
// Σ (Q - P)·ln(Q / P) over the same buckets (Siddiqi, Credit Risk Scorecards, 2006).
#include "ml/distribution_distance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

namespace braid::ml {

namespace {

// The same buckets of both sides.
struct Shares {
  std::vector<double> base;
  std::vector<double> study;
  void Add(double base_share, double study_share) {
    base.push_back(base_share);
    study.push_back(study_share);
  }
};

double Divergence(const std::vector<double>& from, const std::vector<double>& to) {
  double sum = 0;
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] > 0) sum += from[i] * std::log2(from[i] / ((from[i] + to[i]) / 2));
  return sum;
}

double JensenShannon(const Shares& shares) {
  const double sum = Divergence(shares.base, shares.study) + Divergence(shares.study, shares.base);
  return std::clamp(sum / 2, 0.0, 1.0);
}

double StabilityIndex(const Shares& shares) {
  constexpr double kLeastShare = 1e-4;
  double sum = 0;
  for (size_t i = 0; i < shares.base.size(); ++i) {
    if (shares.base[i] == shares.study[i]) continue;
    const double base = std::max(shares.base[i], kLeastShare);
    const double study = std::max(shares.study[i], kLeastShare);
    sum += (study - base) * std::log(study / base);
  }
  return sum;
}

double LInfinity(const Shares& shares) {
  double greatest = 0;
  for (size_t i = 0; i < shares.base.size(); ++i)
    greatest = std::max(greatest, std::abs(shares.base[i] - shares.study[i]));
  return greatest;
}

double Distance(DistanceMetric metric, const Shares& shares) {
  switch (metric) {
    case DistanceMetric::kLInfinity:
      return LInfinity(shares);
    case DistanceMetric::kStabilityIndex:
      return StabilityIndex(shares);
    default:
      return JensenShannon(shares);
  }
}

// One side without values is as far away as can be.
double WithoutValues(DistanceMetric metric, double base, double study) {
  if (base == study) return 0;
  Shares apart;
  apart.Add(1, 0);
  apart.Add(0, 1);
  return Distance(metric, apart);
}

double Values(const CategoryStatistics& side) {
  return static_cast<double>(side.rows - side.nulls);
}

double OfCategories(DistanceMetric metric, const CategoryStatistics& base,
                    const CategoryStatistics& study) {
  const double base_values = Values(base);
  const double study_values = Values(study);
  if (base_values == 0 || study_values == 0)
    return WithoutValues(metric, base_values, study_values);
  std::map<std::string, std::pair<double, double>> counts;
  double base_rest = 1;
  double study_rest = 1;
  for (const auto& [text, count] : base.most) {
    counts[text].first = static_cast<double>(count) / base_values;
    base_rest -= counts[text].first;
  }
  for (const auto& [text, count] : study.most) {
    counts[text].second = static_cast<double>(count) / study_values;
    study_rest -= counts[text].second;
  }
  Shares shares;
  for (const auto& [text, pair] : counts) shares.Add(pair.first, pair.second);
  if (metric == DistanceMetric::kLInfinity) return LInfinity(shares);
  shares.Add(std::max(0.0, base_rest), std::max(0.0, study_rest));
  return Distance(metric, shares);
}

double Sum(const std::vector<double>& counts) {
  double sum = 0;
  for (const double count : counts) sum += count;
  return sum;
}

bool IsPoint(const Histogram& histogram) { return histogram.low == histogram.high; }

double Bound(const Histogram& histogram, size_t i) {
  const double part = static_cast<double>(i) / static_cast<double>(histogram.counts.size());
  return i == histogram.counts.size() ? histogram.high
                                      : histogram.low * (1 - part) + histogram.high * part;
}

// The count between two bounds that lie in one bucket or outside of all.
double CountBetween(const Histogram& histogram, double low, double high) {
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    const double bucket_low = Bound(histogram, i);
    const double bucket_high = Bound(histogram, i + 1);
    if (low >= bucket_low && high <= bucket_high && bucket_high > bucket_low)
      return histogram.counts[i] * ((high - low) / (bucket_high - bucket_low));
  }
  return 0;
}

double OfNumbers(DistanceMetric metric, const NumberStatistics& base,
                 const NumberStatistics& study) {
  // Histograms may be of a sample; the infinite values are of all rows.
  const double base_finite = static_cast<double>(base.rows - base.nulls - base.infinite);
  const double study_finite = static_cast<double>(study.rows - study.nulls - study.infinite);
  const double base_values = base_finite + static_cast<double>(base.infinite);
  const double study_values = study_finite + static_cast<double>(study.infinite);
  if (base_values == 0 || study_values == 0)
    return WithoutValues(metric, base_values, study_values);
  const double base_sum = Sum(base.histogram.counts);
  const double study_sum = Sum(study.histogram.counts);
  const double base_scale = base_sum > 0 ? base_finite / base_values / base_sum : 0;
  const double study_scale = study_sum > 0 ? study_finite / study_values / study_sum : 0;
  Shares shares;
  std::set<double> bounds;
  std::map<double, std::pair<double, double>> points;
  const auto take = [&](const Histogram& histogram, double scale, bool of_base) {
    if (scale == 0) return;
    if (IsPoint(histogram)) {
      auto& point = points[histogram.low];
      (of_base ? point.first : point.second) = Sum(histogram.counts) * scale;
      return;
    }
    for (size_t i = 0; i <= histogram.counts.size(); ++i) bounds.insert(Bound(histogram, i));
  };
  take(base.histogram, base_scale, true);
  take(study.histogram, study_scale, false);
  const std::vector<double> cuts(bounds.begin(), bounds.end());
  const auto between = [&](const Histogram& histogram, double scale, size_t i) {
    return scale == 0 || IsPoint(histogram) ? 0
                                            : scale * CountBetween(histogram, cuts[i], cuts[i + 1]);
  };
  for (size_t i = 0; i + 1 < cuts.size(); ++i)
    shares.Add(between(base.histogram, base_scale, i), between(study.histogram, study_scale, i));
  for (const auto& [at, pair] : points) shares.Add(pair.first, pair.second);
  shares.Add(static_cast<double>(base.infinite) / base_values,
             static_cast<double>(study.infinite) / study_values);
  return Distance(metric, shares);
}

}  // namespace

double DistributionDistance(DistanceMetric metric, const FeatureStatistics& base,
                            const FeatureStatistics& study) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (base.is_category() != study.is_category()) return kNone;
  if (base.is_category())
    return OfCategories(metric, std::get<CategoryStatistics>(base.values),
                        std::get<CategoryStatistics>(study.values));
  if (metric == DistanceMetric::kLInfinity) return kNone;
  return OfNumbers(metric, std::get<NumberStatistics>(base.values),
                   std::get<NumberStatistics>(study.values));
}

}  // namespace braid::ml
