// SPDX-License-Identifier: Apache-2.0
// Lloyd (1982): rows to their nearest centroid, centroids to the mean of their rows; with cosine
// distances to that mean's direction (Dhillon and Modha 2001).
#include "ml/cluster/lloyd.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ml/kernels.h"

namespace braid::ml {

namespace {

// Beyond convergence in practice: rows may go to and fro between centroids that rounding moves.
constexpr int64_t kMostIterations = 1000;
// The share of the loss below which an iteration's gain tells nothing any more.
constexpr double kLeastGain = 1e-8;
// Centroids at a time, so that their distances to a block stay in the cache.
constexpr size_t kGroup = 12;

// What the rows add to their clusters.
struct Sums {
  std::vector<double> points;  // clusters × features
  std::vector<double> squares;
  std::vector<int64_t> counts;
  size_t moved = 0;

  Sums(size_t clusters, size_t features)
      : points(clusters * features), squares(clusters), counts(clusters) {}
  void Add(const Sums& other) {
    for (size_t i = 0; i < points.size(); ++i) points[i] += other.points[i];
    for (size_t k = 0; k < counts.size(); ++k) {
      squares[k] += other.squares[k];
      counts[k] += other.counts[k];
    }
    moved += other.moved;
  }
  double total_squares() const {
    double total = 0;
    for (const double square : squares) total += square;
    return total;
  }
};

class Lloyd {
 public:
  Lloyd(const Points& points, std::vector<double> centroids)
      : points_(points),
        features_(points.features()),
        centroids_(std::move(centroids)),
        cluster_of_(points.rows(), -1) {}

  size_t clusters() const { return centroids_.size() / features_; }
  std::vector<double> TakeCentroids() { return std::move(centroids_); }

  Sums Assign() {
    std::vector<Sums> by_part(points_.parts(), Sums(clusters(), features_));
    points_.ForEachBlock([&](size_t part, size_t first, size_t rows, const double* block) {
      AssignBlock(first, rows, block, by_part[part]);
    });
    for (size_t part = 1; part < by_part.size(); ++part) by_part[0].Add(by_part[part]);
    return std::move(by_part[0]);
  }

  // Gives empty clusters the farthest rows, drops those that find none, moves the centroids.
  void Move(Sums& sums) {
    const auto empty = std::count(sums.counts.begin(), sums.counts.end(), 0);
    if (empty > 0) FillEmpty(static_cast<size_t>(empty), sums);
    size_t kept = 0;
    for (size_t k = 0; k < sums.counts.size(); ++k) {
      if (sums.counts[k] == 0) continue;
      MoveCentroid(&sums.points[k * features_], static_cast<double>(sums.counts[k]),
                   &centroids_[k * features_], &centroids_[kept * features_]);
      ++kept;
    }
    if (kept < sums.counts.size()) std::fill(cluster_of_.begin(), cluster_of_.end(), -1);
    centroids_.resize(kept * features_);
  }

 private:
  void AssignBlock(size_t first, size_t rows, const double* block, Sums& sums) {
    double distances[kGroup * kSliceRows];
    double nearest[kSliceRows];
    int64_t index[kSliceRows] = {};
    std::fill(nearest, nearest + kSliceRows, std::numeric_limits<double>::infinity());
    for (size_t k = 0; k < clusters(); k += kGroup) {
      const size_t count = std::min(kGroup, clusters() - k);
      SquaredDistances(block, rows, features_, &centroids_[k * features_], count, distances);
      for (size_t i = 0; i < count; ++i)
        TakeNearer(&distances[i * kSliceRows], static_cast<int64_t>(k + i), rows, nearest, index);
    }
    for (size_t r = 0; r < rows; ++r) {
      const auto cluster = static_cast<size_t>(index[r]);
      double* sum = &sums.points[cluster * features_];
      for (size_t f = 0; f < features_; ++f) sum[f] += block[f * kSliceRows + r];
      sums.squares[cluster] += nearest[r];
      ++sums.counts[cluster];
      if (cluster_of_[first + r] == static_cast<int32_t>(cluster)) continue;
      cluster_of_[first + r] = static_cast<int32_t>(cluster);
      ++sums.moved;
    }
  }

  void MoveCentroid(const double* sum, double count, const double* from, double* to) const {
    double length = count;
    if (points_.distance() == KMeansDistance::kCosine) length = std::sqrt(Dot(sum, sum, features_));
    // Rows that cancel each other out have no direction.
    for (size_t f = 0; f < features_; ++f) to[f] = length > 0 ? sum[f] / length : from[f];
  }

  // The rows farthest from their centroids, ties by number, become clusters of their own.
  void FillEmpty(size_t empty, Sums& sums) {
    std::vector<double> squares(points_.rows());
    points_.ForEachBlock([&](size_t, size_t first, size_t rows, const double* block) {
      for (size_t r = 0; r < rows; ++r) {
        const double* centroid =
            &centroids_[static_cast<size_t>(cluster_of_[first + r]) * features_];
        for (size_t f = 0; f < features_; ++f) {
          const double d = block[f * kSliceRows + r] - centroid[f];
          squares[first + r] += d * d;
        }
      }
    });
    std::vector<size_t> order(points_.rows());
    for (size_t row = 0; row < order.size(); ++row) order[row] = row;
    const auto farthest = order.begin() + static_cast<ptrdiff_t>(std::min(empty, order.size()));
    std::partial_sort(order.begin(), farthest, order.end(), [&](size_t a, size_t b) {
      return squares[a] != squares[b] ? squares[a] > squares[b] : a < b;
    });
    auto next = order.begin();
    for (size_t k = 0; k < sums.counts.size() && next != farthest; ++k) {
      if (sums.counts[k] > 0) continue;
      // A cluster keeps its last row.
      while (next != farthest && sums.counts[static_cast<size_t>(cluster_of_[*next])] < 2) ++next;
      if (next == farthest || squares[*next] == 0) return;
      const size_t row = *next++;
      const auto from = static_cast<size_t>(cluster_of_[row]);
      const std::vector<double> point = points_.Point(row);
      for (size_t f = 0; f < features_; ++f) {
        sums.points[from * features_ + f] -= point[f];
        sums.points[k * features_ + f] = point[f];
      }
      --sums.counts[from];
      sums.counts[k] = 1;
      cluster_of_[row] = static_cast<int32_t>(k);
    }
  }

  const Points& points_;
  size_t features_;
  std::vector<double> centroids_;
  std::vector<int32_t> cluster_of_;
};

}  // namespace

Clustering RunLloyd(const Points& points, std::vector<double> centroids,
                    const KMeansOptions& options, const TrainingControl& control) {
  Lloyd lloyd(points, std::move(centroids));
  Clustering result;
  const int64_t most = options.bounded ? options.max_iterations : kMostIterations;
  const auto rows = static_cast<double>(points.rows());
  double before = std::numeric_limits<double>::infinity();
  for (int64_t iteration = 0; !result.converged; ++iteration) {
    ThrowIfStopped(control);
    Sums sums = lloyd.Assign();
    double loss = sums.total_squares() / rows;
    if (points.distance() == KMeansDistance::kCosine) loss /= 2;
    if (iteration > 0) result.info.push_back({.iteration = iteration - 1, .loss = loss});
    if (control.progress)
      control.progress(std::min(1.0, static_cast<double>(iteration) / static_cast<double>(most)),
                       loss);
    const bool none_empty =
        std::find(sums.counts.begin(), sums.counts.end(), 0) == sums.counts.end();
    const double gain = before - loss;
    if (none_empty && iteration > 0) {
      result.converged = sums.moved == 0 || gain <= kLeastGain * before;
      if (options.bounded && options.early_stop && gain < options.min_rel_progress * before)
        result.converged = true;
    }
    if (result.converged || (none_empty && iteration == most)) break;
    // An empty cluster is filled or dropped even after the last iteration.
    if (iteration > most + static_cast<int64_t>(lloyd.clusters())) break;
    before = loss;
    lloyd.Move(sums);
  }
  result.centroids = lloyd.TakeCentroids();
  return result;
}

}  // namespace braid::ml
