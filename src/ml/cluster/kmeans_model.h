// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ml/anomaly.h"
#include "ml/cluster/kmeans_options.h"
#include "ml/feature_space.h"
#include "ml/model.h"

namespace braid::ml {

struct KMeansParts {
  KMeansDistance distance = KMeansDistance::kEuclidean;
  int64_t rows = 0;
  std::vector<double> centroids;  // in the feature space, one after the other
  std::vector<double> radii;      // root of the mean squared distance of the rows of each
  std::vector<int64_t> sizes;
  std::vector<TrainingInfoRow> training_info;  // the last row is of these centroids
  AnomalyThresholds thresholds;                // of normalised distances
};

// Centroids, and the distances of rows to them: Euclidean in the feature space, or 1 - cosine (1
// for a row of zeros).
class KMeansModel final : public Model {
 public:
  KMeansModel(FeatureSpace space, KMeansParts parts);

  std::string_view kind() const override { return "kmeans"; }
  Task task() const override { return Task::kClustering; }
  std::vector<InputColumn> input_columns() const override { return space_.columns(); }
  int64_t rows() const override { return parts_.rows; }
  size_t score_count() const override { return parts_.radii.size(); }
  void Score(const Batch& inputs, std::span<double> out) const override;

  // ML.CENTROIDS, ML.TRAINING_INFO, and CENTROID_DISTANCES (a, b, distance) of all pairs.
  std::vector<TableFunction> table_functions() const override;
  Table TableOf(std::string_view function, const std::vector<Option>& settings) const override;

  // The least distance in units of a cluster's radius, and that cluster.
  bool can_detect_anomalies() const override { return true; }
  void AnomalyScores(const Batch& inputs, std::span<double> scores,
                     std::span<int64_t> centroids) const override;
  double AnomalyThreshold(double contamination) const override {
    return parts_.thresholds.At(contamination);
  }

  std::string ToArtefact() const override;
  static std::unique_ptr<Model> FromArtefact(std::string_view artefact);

  const KMeansParts& parts() const { return parts_; }
  const FeatureSpace& space() const { return space_; }
  // The centroids in another feature space: inputs and categories go by their names, and where this
  // model lacks one its coordinate is 0, which is the mean of a number.
  std::vector<double> CentroidsIn(const FeatureSpace& other) const;

 private:
  Table Centroids() const;
  Table CentroidDistances() const;
  Table TrainingInfo() const;

  FeatureSpace space_;
  KMeansParts parts_;
};

// Rows of a block at length 1; rows of zeros stay.
void NormaliseRows(double* block, size_t features);
// Squared distances of a block become what DISTANCE_TYPE says. Cosine: of rows and centroids of
// length 1; `block` tells which rows are zeros.
void FinishDistances(KMeansDistance distance, const double* block, size_t features, size_t count,
                     double* distances);
// The least of distance / radius over the clusters, and which. Distances lie `stride` apart.
double NormalisedDistance(const double* distances, size_t stride, std::span<const double> radii,
                          int64_t& nearest);

}  // namespace braid::ml
