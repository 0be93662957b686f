// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ml/anomaly.h"
#include "ml/feature_space.h"
#include "ml/model.h"

namespace braid::ml {

struct PcaParts {
  int64_t rows = 0;
  std::vector<double> means;        // of the features
  std::vector<double> components;   // orthonormal, one after the other, by falling eigenvalue
  std::vector<double> eigenvalues;  // of the features' covariances (denominator rows - 1)
  double total_variance = 0;
  AnomalyThresholds thresholds;  // of the mean squared errors
};

// Principal components: a row's coordinates along them, about the mean.
class PcaModel final : public Model {
 public:
  PcaModel(FeatureSpace space, PcaParts parts);

  std::string_view kind() const override { return "pca"; }
  Task task() const override { return Task::kProjection; }
  std::vector<InputColumn> input_columns() const override { return space_.columns(); }
  int64_t rows() const override { return parts_.rows; }
  size_t score_count() const override { return parts_.eigenvalues.size(); }
  std::vector<std::string> score_names() const override;
  void Score(const Batch& inputs, std::span<double> out) const override;

  std::vector<TableFunction> table_functions() const override;
  Table TableOf(std::string_view function, const std::vector<Option>& settings) const override;
  std::map<std::string, double> TrainingMetrics() const override;

  // The mean over the features of the squared difference to what the components tell of the row.
  bool can_detect_anomalies() const override { return true; }
  void AnomalyScores(const Batch& inputs, std::span<double> scores,
                     std::span<int64_t> centroids) const override;
  double AnomalyThreshold(double contamination) const override {
    return parts_.thresholds.At(contamination);
  }
  void SetThresholds(AnomalyThresholds thresholds) { parts_.thresholds = std::move(thresholds); }

  std::string ToArtefact() const override;
  static std::unique_ptr<Model> FromArtefact(std::string_view artefact);

  const PcaParts& parts() const { return parts_; }

 private:
  // visit(first row, rows, deviations from the means as a block, coordinates as a block).
  template <typename Visit>
  void ForEachBlock(const Batch& inputs, Visit visit) const;

  FeatureSpace space_;
  PcaParts parts_;
};

}  // namespace braid::ml
