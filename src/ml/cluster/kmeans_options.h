// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/option.h"

namespace braid::ml {

constexpr int64_t kMostClusters = 100'000;

constexpr int64_t kMostStarts = 1000;

// Custom: the rows that KMEANS_INIT_COL marks.
enum class KMeansInit : uint8_t { kRandom, kPlusPlus, kCustom };
enum class KMeansDistance : uint8_t { kEuclidean, kCosine };

struct KMeansOptions {
  int64_t num_clusters = 0;  // 0: by the number of rows
  KMeansInit init = KMeansInit::kPlusPlus;
  int64_t num_starts = 0;  // 0: by the number of rows
  KMeansDistance distance = KMeansDistance::kEuclidean;
  bool standardize_features = true;
  // BigQuery ML's stopping rules apply when one of their options is given; otherwise training goes
  // on to convergence.
  bool bounded = false;
  int64_t max_iterations = 20;
  bool early_stop = true;
  double min_rel_progress = 0.01;
};

std::vector<std::string_view> KMeansOptionNames();
// Throws kInvalidOption.
KMeansOptions ParseKMeansOptions(const std::vector<Option>& options);

}  // namespace braid::ml
