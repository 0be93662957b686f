// SPDX-License-Identifier: Apache-2.0
#include "ml/cluster/kmeans_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ml/cluster/lloyd.h"
#include "ml/kernels.h"

namespace braid::ml {

namespace {

constexpr double kUnscored = -1;
// Without NUM_STARTS so many rows are gone through in all, from ten starts at most.
constexpr size_t kStartedRows = 100'000;
constexpr size_t kUsualStarts = 10;

// Passes rows on and notes which are marked.
class MarkedRows final : public RowSource {
 public:
  explicit MarkedRows(RowSource& rows) : rows_(rows) {}
  void Scan(const std::function<void(const Batch&)>& visit) override {
    marked_.clear();
    size_t first = 0;
    rows_.Scan([&](const Batch& batch) {
      const ColumnView& mark = batch.columns.back();
      for (size_t row = 0; row < batch.rows; ++row)
        if (mark.IsValid(row) && mark.doubles()[row] == 1) marked_.push_back(first + row);
      first += batch.rows;
      visit(batch);
    });
  }
  const std::vector<size_t>& marked() const { return marked_; }

 private:
  RowSource& rows_;
  std::vector<size_t> marked_;
};

std::vector<double> MarkedCentroids(const Points& points, const std::vector<size_t>& marked,
                                    const KMeansOptions& options) {
  if (options.num_clusters > 0 && marked.size() != static_cast<size_t>(options.num_clusters))
    throw Error(ErrorCode::kTrainingData,
                fmt::format("KMEANS_INIT_COL is TRUE for {} rows, NUM_CLUSTERS is {}",
                            marked.size(), options.num_clusters),
                "mark a row for each cluster, or leave NUM_CLUSTERS out");
  if (marked.size() < 2)
    throw Error(ErrorCode::kTrainingData,
                fmt::format("KMEANS_INIT_COL is TRUE for {} rows", marked.size()),
                "mark a row for each cluster, two at least");
  std::vector<double> centroids;
  for (const size_t row : marked) {
    const std::vector<double> point = points.Point(row);
    centroids.insert(centroids.end(), point.begin(), point.end());
  }
  return centroids;
}

size_t StartCount(const KMeansOptions& options, size_t rows) {
  if (options.num_starts > 0) return static_cast<size_t>(options.num_starts);
  return std::clamp<size_t>(kStartedRows / rows, 1, kUsualStarts);
}

size_t ClusterCount(const KMeansOptions& options, size_t rows) {
  if (options.num_clusters == 0)
    return std::min(
        rows, std::max<size_t>(2, static_cast<size_t>(std::log10(static_cast<double>(rows)))));
  const auto clusters = static_cast<size_t>(options.num_clusters);
  if (clusters > rows)
    throw Error(ErrorCode::kTrainingData,
                fmt::format("There are {} rows for {} clusters", rows, clusters),
                "lower NUM_CLUSTERS, or train on more rows");
  return clusters;
}

// Radii and sizes of the clusters, and how far the rows lie from them.
void Describe(const Points& points, KMeansParts& parts) {
  const size_t features = points.features();
  const size_t clusters = parts.centroids.size() / features;
  const auto for_each_row = [&](auto visit) {
    points.ForEachBlock([&](size_t part, size_t first, size_t rows, const double* block) {
      std::vector<double> distances(clusters * kSliceRows);
      SquaredDistances(block, rows, features, parts.centroids.data(), clusters, distances.data());
      FinishDistances(parts.distance, block, features, clusters, distances.data());
      for (size_t r = 0; r < rows; ++r) visit(part, first + r, &distances[r]);
    });
  };
  struct Spread {
    std::vector<double> squares;
    std::vector<int64_t> counts;
  };
  std::vector<Spread> by_part(points.parts(),
                              {std::vector<double>(clusters), std::vector<int64_t>(clusters)});
  for_each_row([&](size_t part, size_t, const double* distances) {
    size_t nearest = 0;
    for (size_t k = 1; k < clusters; ++k)
      if (distances[k * kSliceRows] < distances[nearest * kSliceRows]) nearest = k;
    const double distance = distances[nearest * kSliceRows];
    by_part[part].squares[nearest] += distance * distance;
    ++by_part[part].counts[nearest];
  });
  parts.radii.assign(clusters, 0);
  parts.sizes.assign(clusters, 0);
  for (const Spread& spread : by_part) {
    for (size_t k = 0; k < clusters; ++k) {
      parts.radii[k] += spread.squares[k];
      parts.sizes[k] += spread.counts[k];
    }
  }
  for (size_t k = 0; k < clusters; ++k)
    if (parts.sizes[k] > 0)
      parts.radii[k] = std::sqrt(parts.radii[k] / static_cast<double>(parts.sizes[k]));
  const size_t group = ScoredGroup(points.rows());
  std::vector<double> scores((points.rows() + group - 1) / group, kUnscored);
  for_each_row([&](size_t, size_t row, const double* distances) {
    int64_t nearest = 0;
    if (IsScored(row, group))
      scores[row / group] = NormalisedDistance(distances, kSliceRows, parts.radii, nearest);
  });
  // The last group may be too short for its place.
  std::erase(scores, kUnscored);
  parts.thresholds = AnomalyThresholds::OfScores(std::move(scores));
}

// The clustering of least loss from several starts; of equal ones the first.
Clustering RunFromStarts(const Points& points, size_t wanted, const KMeansOptions& options,
                         int64_t seed, const TrainingControl& control) {
  const size_t starts = StartCount(options, points.rows());
  RandomStream random(seed);
  Clustering best;
  for (size_t start = 0; start < starts; ++start) {
    TrainingControl part = control;
    if (control.progress)
      part.progress = [&](double fraction, double loss) {
        control.progress((static_cast<double>(start) + fraction) / static_cast<double>(starts),
                         loss);
      };
    Clustering found =
        RunLloyd(points, FirstCentroids(points, options.init, wanted, random, part), options, part);
    if (start == 0 || found.info.back().loss < best.info.back().loss) best = std::move(found);
  }
  return best;
}

}  // namespace

TrainedKMeans TrainKMeans(const TrainingRequest& request, const KMeansOptions& options,
                          RowSource& rows, const TrainingControl& control,
                          std::optional<std::vector<double>> start) {
  const bool custom = options.init == KMeansInit::kCustom;
  MarkedRows marked(rows);
  // Moved to their mean the numbers lose no digits; the cosine looks from the origin.
  const FeatureRows features(
      request, custom ? marked : rows,
      {.centre = options.standardize_features || options.distance == KMeansDistance::kEuclidean,
       .standardise = options.standardize_features},
      control);
  const Points points(features, options.distance, request.threads);
  if (custom) start = MarkedCentroids(points, marked.marked(), options);
  const size_t wanted =
      start ? start->size() / points.features() : ClusterCount(options, points.rows());
  Clustering clustering = start ? RunLloyd(points, std::move(*start), options, control)
                                : RunFromStarts(points, wanted, options, request.seed, control);
  KMeansParts parts{.distance = options.distance, .rows = static_cast<int64_t>(points.rows())};
  parts.centroids = std::move(clustering.centroids);
  parts.training_info = std::move(clustering.info);
  Describe(points, parts);
  TrainedKMeans trained;
  if (parts.radii.size() < wanted)
    trained.notices.push_back(fmt::format(
        "{} of {} clusters: the rows have no more distinct values", parts.radii.size(), wanted));
  if (!clustering.converged && !options.bounded)
    trained.notices.emplace_back("the clusters still changed when training stopped");
  trained.model = std::make_unique<KMeansModel>(features.space(), std::move(parts));
  return trained;
}

}  // namespace braid::ml
