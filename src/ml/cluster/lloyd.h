// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "ml/cluster/kmeans_options.h"
#include "ml/feature_rows.h"
#include "ml/random_stream.h"
#include "ml/training.h"

namespace braid::ml {

// The rows as k-means sees them: with cosine distances of length 1. Sums are added in an order that
// does not depend on the number of threads.
class Points {
 public:
  Points(const FeatureRows& rows, KMeansDistance distance, size_t threads)
      : rows_(rows), distance_(distance), threads_(threads) {}

  size_t rows() const { return rows_.rows(); }
  size_t features() const { return rows_.space().size(); }
  KMeansDistance distance() const { return distance_; }
  std::vector<double> Point(size_t row) const;

  // Groups of consecutive blocks, and how many; a function of the rows alone.
  size_t parts() const;
  // visit(part, first row, rows of the block, block), the parts by all threads.
  void ForEachBlock(const std::function<void(size_t, size_t, size_t, const double*)>& visit) const;

 private:
  const FeatureRows& rows_;
  KMeansDistance distance_;
  size_t threads_;
};

struct Clustering {
  std::vector<double> centroids;  // one after the other
  std::vector<TrainingInfoRow> info;
  bool converged = false;
};

// Distinct rows as first centroids: drawn evenly, or by k-means++ (Arthur and Vassilvitskii 2007)
// in its greedy form: of 2 + ln k candidates each time the one that leaves the least sum of
// squares. Fewer than `clusters` when k-means++ finds no more distinct rows.
std::vector<double> FirstCentroids(const Points& points, KMeansInit init, size_t clusters,
                                   RandomStream& random, const TrainingControl& control);

// Lloyd's iterations from these centroids. A cluster that loses its last row takes the row that is
// farthest from its centroid; those that cannot are dropped.
Clustering RunLloyd(const Points& points, std::vector<double> centroids,
                    const KMeansOptions& options, const TrainingControl& control);

}  // namespace braid::ml
