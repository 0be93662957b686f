// SPDX-License-Identifier: Apache-2.0
#include "ml/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"

namespace braid::ml {

namespace {

double Discount(double position) { return 1 / std::log2(1 + position); }

// How many of the descending levels are above `score`; no branch depends on the numbers.
size_t LevelsAbove(const std::vector<double>& levels, double score) {
  const double* begin = levels.data();
  size_t length = levels.size();
  while (length > 1) {
    const size_t half = length / 2;
    begin += begin[half - 1] > score ? half : 0;
    length -= half;
  }
  return static_cast<size_t>(begin - levels.data()) + (*begin > score ? 1 : 0);
}

}  // namespace

void RankingJudge::MakeTiers(std::span<const double> scores, std::span<const TakenItem> taken) {
  ordered_.assign(taken.begin(), taken.end());
  std::sort(ordered_.begin(), ordered_.end(), [&](const TakenItem& a, const TakenItem& b) {
    return scores[a.item] != scores[b.item] ? scores[a.item] > scores[b.item] : a.item < b.item;
  });
  tiers_.clear();
  levels_.clear();
  for (const TakenItem& item : ordered_) {
    const double score = scores[item.item];
    if (tiers_.empty() || tiers_.back().score != score) {
      tiers_.push_back({.score = score});
      levels_.push_back(score);
    }
    tiers_.back().taken += 1;
    tiers_.back().gain += item.gain;
  }
}

void RankingJudge::PlaceTiers(std::span<const double> scores) {
  between_.assign(levels_.size() + 1, 0);
  for (const double score : scores) {
    const size_t level = LevelsAbove(levels_, score);
    if (level < levels_.size() && levels_[level] == score)
      tiers_[level].equal += 1;
    else
      between_[level] += 1;
  }
  double above = 0;
  for (size_t level = 0; level < tiers_.size(); ++level) {
    above += between_[level];
    tiers_[level].above = above;
    above += tiers_[level].equal;
  }
}

UserRanking RankingJudge::Judge(std::span<const double> scores, std::span<const TakenItem> taken) {
  BRAID_CHECK(!taken.empty());
  MakeTiers(scores, taken);
  PlaceTiers(scores);
  UserRanking ranking;
  double seen = 0;
  double gain = 0;
  const auto others = static_cast<double>(scores.size() - 1);
  for (const Tier& tier : tiers_) {
    seen += tier.taken;
    ranking.average_precision += tier.taken * seen / (tier.above + tier.equal);
    double discounts = 0;
    for (double position = 1; position <= tier.equal; ++position)
      discounts += Discount(tier.above + position);
    gain += tier.gain * discounts / tier.equal;
    ranking.gain_sum += tier.gain;
    if (others > 0) ranking.rank_sum += tier.gain * (tier.above + (tier.equal - 1) / 2) / others;
  }
  ranking.average_precision /= seen;
  gains_.clear();
  for (const TakenItem& item : taken) gains_.push_back(item.gain);
  std::sort(gains_.begin(), gains_.end(), std::greater<>());
  double best = 0;
  for (size_t i = 0; i < gains_.size(); ++i)
    best += gains_[i] * Discount(static_cast<double>(i + 1));
  ranking.normalized_gain = gain / best;
  for (const double score : scores) ranking.squared_error += score * score;
  for (const TakenItem& item : taken) ranking.squared_error += 1 - 2 * scores[item.item];
  ranking.squared_error /= static_cast<double>(scores.size());
  return ranking;
}

}  // namespace braid::ml
