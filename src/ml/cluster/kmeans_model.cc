// SPDX-License-Identifier: Apache-2.0
#include "ml/cluster/kmeans_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ml/artefact_json.h"
#include "ml/kernels.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.kmeans";
constexpr int kVersion = 1;

void CheckUnitLength(const double* centroid, size_t features) {
  if (std::abs(Dot(centroid, centroid, features) - 1) > 1e-9)
    MalformedArtefact("a centroid of cosine distances has another length than 1");
}

}  // namespace

void NormaliseRows(double* block, size_t features) {
  double squares[kSliceRows] = {};
  for (size_t f = 0; f < features; ++f)
    for (size_t r = 0; r < kSliceRows; ++r)
      squares[r] += block[f * kSliceRows + r] * block[f * kSliceRows + r];
  for (double& square : squares) square = square > 0 ? 1 / std::sqrt(square) : 0;
  for (size_t f = 0; f < features; ++f)
    for (size_t r = 0; r < kSliceRows; ++r) block[f * kSliceRows + r] *= squares[r];
}

// For vectors of length 1 the squared distance is 2 - 2·cosine.
void FinishDistances(KMeansDistance distance, const double* block, size_t features, size_t count,
                     double* distances) {
  if (distance == KMeansDistance::kEuclidean) {
    for (size_t i = 0; i < count * kSliceRows; ++i) distances[i] = std::sqrt(distances[i]);
    return;
  }
  for (size_t i = 0; i < count * kSliceRows; ++i) distances[i] /= 2;
  for (size_t r = 0; r < kSliceRows; ++r) {
    size_t f = 0;
    while (f < features && block[f * kSliceRows + r] == 0) ++f;
    for (size_t k = 0; f == features && k < count; ++k) distances[k * kSliceRows + r] = 1;
  }
}

double NormalisedDistance(const double* distances, size_t stride, std::span<const double> radii,
                          int64_t& nearest) {
  double least = std::numeric_limits<double>::infinity();
  nearest = 0;
  for (size_t k = 0; k < radii.size(); ++k) {
    const double distance = distances[k * stride];
    // All rows of a cluster without a radius stand at its centroid.
    const double normalised = distance == 0 ? 0 : distance / radii[k];
    if (normalised >= least) continue;
    least = normalised;
    nearest = static_cast<int64_t>(k);
  }
  return std::min(least, std::numeric_limits<double>::max());
}

KMeansModel::KMeansModel(FeatureSpace space, KMeansParts parts)
    : space_(std::move(space)), parts_(std::move(parts)) {
  BRAID_CHECK(!parts_.radii.empty());
  BRAID_CHECK(parts_.sizes.size() == parts_.radii.size());
  BRAID_CHECK(parts_.centroids.size() == parts_.radii.size() * space_.size());
}

void KMeansModel::Score(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  const size_t features = space_.size();
  const size_t clusters = score_count();
  BRAID_CHECK(out.size() == inputs.rows * clusters);
  std::vector<double> block(features * kSliceRows);
  std::vector<double> distances(clusters * kSliceRows);
  for (size_t begin = 0; begin < inputs.rows; begin += kSliceRows) {
    const size_t count = std::min(kSliceRows, inputs.rows - begin);
    space_.Fill(inputs, begin, count, block.data());
    if (parts_.distance == KMeansDistance::kCosine) NormaliseRows(block.data(), features);
    SquaredDistances(block.data(), count, features, parts_.centroids.data(), clusters,
                     distances.data());
    FinishDistances(parts_.distance, block.data(), features, clusters, distances.data());
    for (size_t r = 0; r < count; ++r)
      for (size_t k = 0; k < clusters; ++k)
        out[(begin + r) * clusters + k] = distances[k * kSliceRows + r];
  }
}

void KMeansModel::AnomalyScores(const Batch& inputs, std::span<double> scores,
                                std::span<int64_t> centroids) const {
  std::vector<double> distances(inputs.rows * score_count());
  Score(inputs, distances);
  for (size_t row = 0; row < inputs.rows; ++row) {
    scores[row] =
        NormalisedDistance(&distances[row * score_count()], 1, parts_.radii, centroids[row]);
    ++centroids[row];
  }
}

std::vector<TableFunction> KMeansModel::table_functions() const {
  return {{"CENTROIDS"}, {"TRAINING_INFO"}};
}

Table KMeansModel::TableOf(std::string_view function,
                           const std::vector<Option>& /*settings*/) const {
  if (function == "TRAINING_INFO") return TrainingInfo();
  if (function == "CENTROID_DISTANCES") return CentroidDistances();
  BRAID_CHECK(function == "CENTROIDS");
  return Centroids();
}

// Numbers in the inputs' own units.
std::vector<double> KMeansModel::CentroidsIn(const FeatureSpace& other) const {
  const size_t clusters = parts_.radii.size();
  std::vector<double> moved(clusters * other.size());
  size_t to = 0;
  for (const FeatureInput& now : other.inputs()) {
    size_t from = 0;
    for (const FeatureInput& then : space_.inputs()) {
      for (size_t k = 0; then.name == now.name && then.kind == now.kind && k < clusters; ++k) {
        const double* centroid = &parts_.centroids[k * space_.size() + from];
        double* target = &moved[k * other.size() + to];
        if (now.kind == InputKind::kNumeric)
          *target = (*centroid * then.scale + then.offset - now.offset) / now.scale;
        for (size_t level = 0; level < now.levels.size(); ++level) {
          const auto found = std::find(then.levels.begin(), then.levels.end(), now.levels[level]);
          if (found != then.levels.end()) target[level] = centroid[found - then.levels.begin()];
        }
      }
      from += then.width();
    }
    to += now.width();
  }
  return moved;
}

Table KMeansModel::Centroids() const {
  Table table{.columns = {{"centroid_id", "BIGINT"},
                          {"feature", "VARCHAR"},
                          {"numerical_value", "DOUBLE"},
                          {"categorical_value", "STRUCT(category VARCHAR, \"value\" DOUBLE)[]"}},
              .rows = {}};
  for (size_t k = 0; k < score_count(); ++k) {
    const double* centroid = &parts_.centroids[k * space_.size()];
    std::vector<double> values(centroid, centroid + space_.size());
    size_t at = 0;
    for (const FeatureInput& input : space_.inputs()) {
      if (input.kind == InputKind::kNumeric) values[at] = values[at] * input.scale + input.offset;
      at += input.width();
    }
    for (std::vector<Json>& row : space_.Describe(values.data())) {
      row.insert(row.begin(), static_cast<int64_t>(k) + 1);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table KMeansModel::CentroidDistances() const {
  Table table{.columns = {{"a", "BIGINT"}, {"b", "BIGINT"}, {"distance", "DOUBLE"}}, .rows = {}};
  const size_t features = space_.size();
  for (size_t a = 0; a < score_count(); ++a) {
    for (size_t b = 0; b < score_count(); ++b) {
      if (a == b) continue;
      double squares = 0;
      for (size_t f = 0; f < features; ++f) {
        const double d = parts_.centroids[a * features + f] - parts_.centroids[b * features + f];
        squares += d * d;
      }
      table.rows.push_back(
          {static_cast<int64_t>(a) + 1, static_cast<int64_t>(b) + 1,
           parts_.distance == KMeansDistance::kCosine ? squares / 2 : std::sqrt(squares)});
    }
  }
  return table;
}

Table KMeansModel::TrainingInfo() const {
  Table table{.columns = {{"training_run", "BIGINT"},
                          {"iteration", "BIGINT"},
                          {"loss", "DOUBLE"},
                          {"duration_ms", "BIGINT"},
                          {"cluster_info",
                           "STRUCT(centroid_id BIGINT, cluster_radius DOUBLE, cluster_size "
                           "BIGINT)[]"}},
              .rows = {}};
  for (const TrainingInfoRow& row : parts_.training_info)
    table.rows.push_back({0, row.iteration, row.loss, OrNull(row.duration_ms), Json::array()});
  Json clusters = Json::array();
  for (size_t k = 0; k < score_count(); ++k)
    clusters.push_back({{"centroid_id", static_cast<int64_t>(k) + 1},
                        {"cluster_radius", parts_.radii[k]},
                        {"cluster_size", parts_.sizes[k]}});
  if (!table.rows.empty()) table.rows.back().back() = std::move(clusters);
  return table;
}

std::string KMeansModel::ToArtefact() const {
  return DumpArtefact(
      {{"format", kFormat},
       {"version", kVersion},
       {"distance", parts_.distance == KMeansDistance::kCosine ? "cosine" : "euclidean"},
       {"rows", parts_.rows},
       {"inputs", space_.ToJson()},
       {"centroids", parts_.centroids},
       {"radii", parts_.radii},
       {"sizes", parts_.sizes},
       {"training_info", TrainingInfoJson(parts_.training_info)},
       {"anomaly_levels", parts_.thresholds.levels()},
       {"anomaly_quantiles", parts_.thresholds.upper()}});
}

std::unique_ptr<Model> KMeansModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion);
  try {
    FeatureSpace space = FeatureSpace::FromJson(json.at("inputs"));
    KMeansParts parts{.rows = CountNumber(json.at("rows"))};
    const std::string distance = json.at("distance").get<std::string>();
    if (distance == "cosine")
      parts.distance = KMeansDistance::kCosine;
    else if (distance != "euclidean")
      MalformedArtefact("the distance is unknown");
    const size_t clusters = json.at("sizes").size();
    if (clusters == 0) MalformedArtefact("there are no centroids");
    for (const Json& size : json.at("sizes")) parts.sizes.push_back(CountNumber(size));
    parts.radii = FiniteNumbers(json.at("radii"), clusters);
    if (*std::min_element(parts.radii.begin(), parts.radii.end()) < 0)
      MalformedArtefact("a radius is negative");
    parts.centroids = FiniteNumbers(json.at("centroids"), clusters * space.size());
    for (size_t k = 0; parts.distance == KMeansDistance::kCosine && k < clusters; ++k)
      CheckUnitLength(&parts.centroids[k * space.size()], space.size());
    parts.training_info = ReadTrainingInfo(json.at("training_info"));
    const Json& quantiles = json.at("anomaly_quantiles");
    parts.thresholds = AnomalyThresholds(CountNumber(json.at("anomaly_levels")),
                                         FiniteNumbers(quantiles, quantiles.size()));
    return std::make_unique<KMeansModel>(std::move(space), std::move(parts));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
}

}  // namespace braid::ml
