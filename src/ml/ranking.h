// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace braid::ml {

// An item that a user took to, and how much: a number above 0.
struct TakenItem {
  uint32_t item = 0;  // its place among all items
  double gain = 0;
};

// What a user took to, each item once.
struct UserItems {
  uint32_t user = 0;
  std::vector<TakenItem> taken;  // at least one
};

// How well one user's scores rank what the user took to, among all items.
//   average_precision: the mean over the taken items of the share of taken ones among the items
//     that rank as high or higher.
//   normalized_gain: Σ gain / log2(1 + position) over the taken items, positions from 1, divided by
//     what it would be in the order of the gains (Järvelin and Kekäläinen, Cumulated gain-based
//     evaluation of IR techniques, 2002). Items of equal scores share the mean of their discounts.
//   rank_sum, gain_sum: Σ gain · rank and Σ gain over the taken items; an item's rank is the share
//     of the other items that come before it (Hu, Koren and Volinsky 2008); equal scores count
//     half, and the only item there is has rank 0.
//   squared_error: the mean of ([taken] - score)² over all items.
struct UserRanking {
  double average_precision = 0;
  double normalized_gain = 0;
  double rank_sum = 0;
  double gain_sum = 0;
  double squared_error = 0;
};

// Judges rankings of `items` items; keeps its scratch, so one a thread. Time: items · log(taken).
class RankingJudge {
 public:
  // `scores`: one for each item.
  UserRanking Judge(std::span<const double> scores, std::span<const TakenItem> taken);

 private:
  // The taken items of one score, and where all items of that score stand.
  struct Tier {
    double score = 0;
    double taken = 0;
    double gain = 0;
    double equal = 0;  // items of this score
    double above = 0;  // items of a higher one
  };
  void MakeTiers(std::span<const double> scores, std::span<const TakenItem> taken);
  void PlaceTiers(std::span<const double> scores);

  std::vector<TakenItem> ordered_;
  std::vector<double> levels_;   // the tiers' scores, descending
  std::vector<double> between_;  // items by how many levels are above or at their score
  std::vector<double> gains_;
  std::vector<Tier> tiers_;  // descending
};

}  // namespace braid::ml
