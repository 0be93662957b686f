// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ml/glm/glm_options.h"
#include "ml/model.h"

namespace braid::ml {

// A value of a category input; no text: NULL, a category of its own if the training rows had it.
struct CategoryLevel {
  std::optional<std::string> text;
  int64_t count = 0;
  bool dropped = false;  // DUMMY encoding: the reference, without a weight
};

// One input with the statistics of its training rows. Deviations are of the population (divisor n),
// after NULLs took the mean.
struct GlmInput {
  std::string name;
  InputKind kind = InputKind::kNumeric;
  double mean = 0;
  double standard_deviation = 0;
  int64_t null_count = 0;
  std::vector<CategoryLevel> categories;  // ascending bytes, NULL last
};

// A linear score in the inputs' own units. `weights`: one for a numeric input, one for each level
// of a category input, input after input.
struct GlmScore {
  double intercept = 0;
  std::vector<double> weights;
};

// What CALCULATE_P_VALUES keeps.
struct GlmInference {
  std::vector<GlmScore> standard_errors;  // as the scores; 0 for a category without a weight
  std::vector<double> standardised_intercept_errors;  // of ML.ADVANCED_WEIGHTS' standardize
  double degrees_of_freedom = 0;
  std::vector<double> inflation;  // of variance, one an input
  // Regression: the residuals' variance, and (X'X)⁻¹ of the standardised features about `centre`
  // and of 1, row by row.
  double residual_variance = 0;
  std::vector<double> centre;
  std::vector<double> inverse;
};

// Everything that makes a GlmModel; GlmModel checks that the parts fit.
struct GlmParts {
  GlmType type = GlmType::kLinearReg;
  std::string label;
  std::vector<GlmInput> inputs;
  std::vector<std::string> classes;  // ascending; empty for a regression
  // Regression and two classes (log odds of the higher label): one. Otherwise one a class.
  std::vector<GlmScore> scores;
  bool fit_intercept = true;
  int64_t rows = 0;     // trained on
  int64_t skipped = 0;  // without a label
  std::vector<TrainingInfoRow> training_info;
  std::optional<GlmInference> inference;
};

// A row of ML.WEIGHTS. `weight` is empty for a category input; class_label is for several classes.
struct WeightRow {
  std::string processed_input;
  std::optional<double> weight;
  std::vector<std::pair<std::optional<std::string>, double>> category_weights;
  std::string class_label;
};

// linear_reg and logistic_reg: linear scores, then the identity, the logistic function or softmax.
// NULL and NaN in a numeric input stand for the training mean; an unseen category weighs nothing.
class GlmModel final : public Model {
 public:
  // Throws kInternal when the parts do not fit.
  explicit GlmModel(GlmParts parts);
  // Throws kLakeDamaged, kLakeFormat.
  static GlmModel FromArtefact(std::string_view artefact);

  std::string_view kind() const override { return GlmTypeName(parts_.type); }
  Task task() const override;
  std::vector<InputColumn> input_columns() const override;
  const std::vector<std::string>& classes() const override { return parts_.classes; }
  int64_t rows() const override { return parts_.rows; }
  size_t score_count() const override { return std::max<size_t>(1, parts_.classes.size()); }
  void Score(const Batch& inputs, std::span<double> out) const override;
  std::optional<LinearPaths> linear_paths() const override;
  std::vector<TableFunction> table_functions() const override;
  Table TableOf(std::string_view function, const std::vector<Option>& settings) const override;
  // Exact Shapley values of a linear score with independent inputs: weight · (value - its mean).
  bool can_explain() const override { return true; }
  size_t explained_count() const override { return parts_.scores.size(); }
  void Explain(const Batch& inputs, std::span<double> out) const override;
  // Least squares with CALCULATE_P_VALUES, by Student's t.
  bool has_intervals() const override;
  void Intervals(const Batch& inputs, double confidence, std::span<double> out) const override;
  std::string ToArtefact() const override;
  std::string ToOnnx() const override;
  std::string Signature() const override;

  const std::vector<GlmInput>& inputs() const { return parts_.inputs; }
  const std::vector<GlmScore>& scores() const { return parts_.scores; }
  const std::vector<TrainingInfoRow>& training_info() const { return parts_.training_info; }
  const std::string& label() const { return parts_.label; }
  const std::optional<GlmInference>& inference() const { return parts_.inference; }
  int64_t skipped() const { return parts_.skipped; }
  bool fit_intercept() const { return parts_.fit_intercept; }

  // The rows of ML.WEIGHTS; `standardize`: of numeric inputs with mean 0 and deviation 1.
  std::vector<WeightRow> Weights(bool standardize) const;

 private:
  // Where an input's weights begin, and which of them a category has.
  struct InputIndex {
    size_t first = 0;
    std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> levels;
    std::optional<size_t> null_level;
  };
  Table AdvancedWeights(const std::vector<Option>& settings) const;
  Table VarianceInflation() const;
  const GlmInference& RequireInference(std::string_view function) const;
  void AddScores(const Batch& inputs, double* out) const;
  void ScoreCategories(const ColumnView& column, size_t rows, size_t input, size_t stride,
                       double* out) const;

  GlmParts parts_;
  std::vector<InputIndex> index_;
};

}  // namespace braid::ml
