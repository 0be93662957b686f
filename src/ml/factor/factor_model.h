// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ml/factor/matrix.h"
#include "ml/model.h"

namespace braid::ml {

// How well the factors reproduce the correlations. Not set: not defined for these rows.
struct FactorFit {
  int64_t degrees_of_freedom = 0;
  std::optional<double> chi_square, p_value, rmsea, tli, bic;
  double srmr = 0;
  std::optional<double> kmo, bartlett_chi_square, bartlett_p_value;
  int64_t bartlett_df = 0;
};

struct FactorParts {
  std::vector<std::string> inputs;
  std::vector<double> mean;
  std::vector<double> standard_deviation;
  int64_t rows = 0;
  Matrix loadings;      // inputs × factors
  Matrix correlations;  // of the factors
  Matrix weights;       // inputs × factors: of standardised inputs in the scores
  std::vector<double> uniqueness;
  std::vector<double> ss_loadings;              // of the factors
  std::vector<double> eigenvalues;              // of the correlation matrix, falling
  std::vector<double> reference_eigenvalues;    // means over random data
  std::vector<std::optional<double>> adequacy;  // of the inputs
  FactorFit fit;
};

class FactorModel : public Model {
 public:
  explicit FactorModel(FactorParts parts) : parts_(std::move(parts)) {}
  static FactorModel FromArtefact(std::string_view artefact);

  const FactorParts& parts() const { return parts_; }
  std::string_view kind() const override { return "factor_analysis"; }
  Task task() const override { return Task::kProjection; }
  std::vector<InputColumn> input_columns() const override;
  int64_t rows() const override { return parts_.rows; }
  size_t score_count() const override { return parts_.loadings.columns; }
  std::vector<std::string> score_names() const override;
  void Score(const Batch& inputs, std::span<double> out) const override;
  std::vector<TableFunction> table_functions() const override;
  Table TableOf(std::string_view function, const std::vector<Option>& settings) const override;
  std::map<std::string, double> TrainingMetrics() const override;
  std::string ToArtefact() const override;

 private:
  FactorParts parts_;
};

}  // namespace braid::ml
