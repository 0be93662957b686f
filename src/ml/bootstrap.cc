// SPDX-License-Identifier: Apache-2.0
#include "ml/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ml/random_stream.h"

namespace braid::ml {

namespace {

// Between the two order statistics beside it (type 7 of Hyndman and Fan, 1996).
double Quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(below);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

}  // namespace

size_t ResamplesFor(size_t values) {
  constexpr size_t kMost = 2000;
  constexpr size_t kLeast = 200;
  constexpr size_t kDraws = 200'000'000;
  return std::clamp(kDraws / std::max<size_t>(values, 1), kLeast, kMost);
}

std::optional<MeanInterval> BootstrapMean(std::span<const double> values, double confidence,
                                          size_t resamples, int64_t seed) {
  if (values.empty() || resamples == 0) return std::nullopt;
  RandomStream random(seed);
  std::vector<double> means(resamples);
  for (double& mean : means) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += values[random.Below(values.size())];
    mean = sum / static_cast<double>(values.size());
  }
  std::sort(means.begin(), means.end());
  const double tail = (1 - confidence) / 2;
  return MeanInterval{Quantile(means, tail), Quantile(means, 1 - tail)};
}

}  // namespace braid::ml
