// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "ml/cluster/lloyd.h"
#include "ml/kernels.h"

namespace braid::ml {

namespace {

// Floyd's sample without replacement, in the order of the draws.
std::vector<size_t> DrawRows(size_t rows, size_t count, RandomStream& random) {
  std::set<size_t> taken;
  std::vector<size_t> drawn;
  for (size_t last = rows - count; last < rows; ++last) {
    const size_t row = random.Below(last + 1);
    drawn.push_back(taken.insert(row).second ? row : last);
    taken.insert(drawn.back());
  }
  return drawn;
}

// Squared distances of all rows to the nearest centroid so far.
class Nearest {
 public:
  explicit Nearest(const Points& points)
      : points_(points),
        squares_(points.rows(), std::numeric_limits<double>::infinity()),
        sums_(points.parts()) {}

  // The sum of squares that each of some more centroids would leave.
  std::vector<double> SumsWith(const std::vector<double>& candidates) const {
    const size_t count = candidates.size() / points_.features();
    std::vector<double> by_part(points_.parts() * count);
    points_.ForEachBlock([&](size_t part, size_t first, size_t rows, const double* block) {
      std::vector<double> distances(count * kSliceRows);
      SquaredDistances(block, rows, points_.features(), candidates.data(), count, distances.data());
      for (size_t c = 0; c < count; ++c)
        for (size_t r = 0; r < rows; ++r)
          by_part[part * count + c] += std::min(squares_[first + r], distances[c * kSliceRows + r]);
    });
    std::vector<double> sums(count);
    for (size_t i = 0; i < by_part.size(); ++i) sums[i % count] += by_part[i];
    return sums;
  }

  void Take(const std::vector<double>& centroid) {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    points_.ForEachBlock([&](size_t part, size_t first, size_t rows, const double* block) {
      double distances[kSliceRows];
      SquaredDistances(block, rows, points_.features(), centroid.data(), 1, distances);
      for (size_t r = 0; r < rows; ++r) {
        squares_[first + r] = std::min(squares_[first + r], distances[r]);
        sums_[part] += squares_[first + r];
      }
    });
    total_ = std::accumulate(sums_.begin(), sums_.end(), 0.0);
  }

  double total() const { return total_; }

  // A row with a chance proportional to its square.
  size_t Draw(RandomStream& random) const {
    double left = random.Uniform() * total_;
    size_t last = 0;
    for (size_t row = 0; row < squares_.size(); ++row) {
      if (squares_[row] == 0) continue;
      last = row;
      left -= squares_[row];
      if (left < 0) break;
    }
    return last;
  }

 private:
  const Points& points_;
  std::vector<double> squares_;
  std::vector<double> sums_;
  double total_ = 0;
};

}  // namespace

std::vector<double> FirstCentroids(const Points& points, KMeansInit init, size_t clusters,
                                   RandomStream& random, const TrainingControl& control) {
  std::vector<double> centroids;
  const auto append = [&centroids](const std::vector<double>& point) {
    centroids.insert(centroids.end(), point.begin(), point.end());
  };
  if (init == KMeansInit::kRandom) {
    for (const size_t row : DrawRows(points.rows(), clusters, random)) append(points.Point(row));
    return centroids;
  }
  Nearest nearest(points);
  append(points.Point(random.Below(points.rows())));
  nearest.Take(centroids);
  const auto trials = 2 + static_cast<size_t>(std::log(static_cast<double>(clusters)));
  for (size_t k = 1; k < clusters && nearest.total() > 0; ++k) {
    ThrowIfStopped(control);
    std::vector<double> candidates;
    for (size_t t = 0; t < trials; ++t) {
      const std::vector<double> point = points.Point(nearest.Draw(random));
      candidates.insert(candidates.end(), point.begin(), point.end());
    }
    const std::vector<double> sums = nearest.SumsWith(candidates);
    const auto best = std::min_element(sums.begin(), sums.end()) - sums.begin();
    const auto width = static_cast<ptrdiff_t>(points.features());
    const std::vector<double> chosen(candidates.begin() + best * width,
                                     candidates.begin() + (best + 1) * width);
    append(chosen);
    nearest.Take(chosen);
  }
  return centroids;
}

}  // namespace braid::ml
