// SPDX-License-Identifier: Apache-2.0
// Least squares: s²(X'X)⁻¹, or its sandwiches HC0 to HC3 (White 1980, MacKinnon and White 1985).
// Log loss: the inverse of the Fisher information. Variance inflation: det(R₁₁)·det(S₁₁) with R the
// products of the features, S its inverse and 1 an input's features (Fox and Monette 1992).
#include "ml/glm/inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ml/linear_solver.h"

namespace braid::ml {

namespace {

constexpr size_t kMostWeights = 1000;  // as in BigQuery ML
// Of the features scaled to length 1: least eigenvalue over largest.
constexpr double kDependent = 1e-12;

const std::string& NameOfFeature(const Design& design, size_t feature) {
  for (size_t c = 0; c < design.columns.size(); ++c) {
    const DesignColumn& column = design.columns[c];
    if (feature >= column.first && feature < column.first + column.width)
      return design.inputs[c].name;
  }
  BRAID_CHECK(false);
}

// The inputs that have a part in a vanishing combination of features.
[[noreturn]] void RefuseDependent(const Design& design, std::span<const double> direction) {
  std::string names;
  std::string last;
  for (size_t i = 0; i < direction.size(); ++i) {
    if (i % (design.features + 1) == design.features || std::abs(direction[i]) < 1e-4) continue;
    const std::string& name = NameOfFeature(design, i % (design.features + 1));
    if (name == last) continue;
    names += (names.empty() ? "" : ", ") + name;
    last = name;
  }
  throw Error(ErrorCode::kTrainingData,
              "CALCULATE_P_VALUES: these inputs are constant or depend on each other: " + names,
              "leave one of them out of the training query");
}

// The inverse of a positive matrix over [features, intercept] of each free score.
std::vector<double> Invert(const Design& design, std::span<const double> matrix, size_t size) {
  std::vector<double> scale(size);
  for (size_t i = 0; i < size; ++i) {
    const double square = matrix[i * size + i];
    if (!(square > 0)) {
      std::vector<double> direction(size);
      direction[i] = 1;
      RefuseDependent(design, direction);
    }
    scale[i] = 1 / std::sqrt(square);
  }
  std::vector<double> scaled(matrix.begin(), matrix.end());
  for (size_t i = 0; i < size; ++i)
    for (size_t j = 0; j < size; ++j) scaled[i * size + j] *= scale[i] * scale[j];
  const EigenPairs pairs = DecomposeSymmetric(scaled, size);
  if (!(pairs.values[size - 1] > kDependent * pairs.values[0]))
    RefuseDependent(design, std::span(pairs.vectors).subspan((size - 1) * size, size));
  std::vector<double> inverse(size * size);
  for (size_t k = 0; k < size; ++k)
    for (size_t i = 0; i < size; ++i) {
      const double factor = pairs.vectors[k * size + i] / pairs.values[k] * scale[i];
      for (size_t j = 0; j < size; ++j)
        inverse[i * size + j] += factor * pairs.vectors[k * size + j] * scale[j];
    }
  return inverse;
}

double Determinant(const std::vector<double>& matrix, size_t size) {
  double product = 1;
  for (const double value : DecomposeSymmetric(matrix, size).values) product *= value;
  return product;
}

// `products` and `inverse` have `stride` numbers a row.
std::vector<double> Inflation(const Design& design, std::span<const double> products,
                              std::span<const double> inverse, size_t stride) {
  std::vector<double> inflation;
  for (const DesignColumn& column : design.columns) {
    const size_t width = column.width;
    std::vector<double> block(width * width);
    std::vector<double> inverse_block(width * width);
    for (size_t i = 0; i < width; ++i)
      for (size_t j = 0; j < width; ++j) {
        const size_t at = (column.first + i) * stride + column.first + j;
        // To length 1, so that determinants neither overflow nor vanish.
        const double length = std::sqrt(products[(column.first + i) * (stride + 1)] *
                                        products[(column.first + j) * (stride + 1)]);
        block[i * width + j] = products[at] / length;
        inverse_block[i * width + j] = inverse[at] * length;
      }
    inflation.push_back(width == 0 ? 1
                                   : Determinant(block, width) * Determinant(inverse_block, width));
  }
  return inflation;
}

// Standard errors in the inputs' own units from a covariance of [features, centred intercept].
void AddErrors(const Design& design, std::span<const double> centre,
               std::span<const double> covariance, GlmInference& inference) {
  const size_t stride = design.features + 1;
  const auto deviation = [](double variance) { return std::sqrt(std::max(variance, 0.0)); };
  GlmScore errors;
  // The intercept is the centred one minus Σ feature weights · (centre + offset/scale).
  std::vector<double> share(stride, 1);
  for (size_t c = 0; c < design.columns.size(); ++c) {
    const DesignColumn& column = design.columns[c];
    if (column.kind == InputKind::kNumeric) {
      const size_t j = column.first;
      errors.weights.push_back(deviation(covariance[j * (stride + 1)]) / column.scale);
      share[j] = -centre[j] - column.offset / column.scale;
      continue;
    }
    const size_t begin = errors.weights.size();
    errors.weights.resize(begin + design.inputs[c].categories.size());
    for (size_t k = 0; k < column.width; ++k) {
      const size_t j = column.first + k;
      errors.weights[begin + column.level_of[k]] = deviation(covariance[j * (stride + 1)]);
      share[j] = -centre[j];
    }
  }
  // ML.ADVANCED_WEIGHTS standardises numbers alone: categories keep their shares.
  std::vector<double> standardised = share;
  for (const DesignColumn& column : design.columns)
    if (column.kind == InputKind::kNumeric) standardised[column.first] = 0;
  const auto variance = [&](const std::vector<double>& by) {
    double sum = 0;
    for (size_t i = 0; i < stride; ++i)
      for (size_t j = 0; j < stride; ++j) sum += by[i] * by[j] * covariance[i * stride + j];
    return deviation(sum);
  };
  errors.intercept = variance(share);
  inference.standard_errors.push_back(std::move(errors));
  inference.standardised_intercept_errors.push_back(variance(standardised));
}

// Centred features and 1 of a row.
std::vector<double> LineOf(const Design& design, std::span<const double> centre, bool fit_intercept,
                           size_t row) {
  std::vector<double> line(design.features + 1);
  for (size_t j = 0; j < design.features; ++j) line[j] = -centre[j];
  for (const DesignColumn& column : design.columns) {
    if (column.kind == InputKind::kNumeric)
      line[column.first] += column.values[row];
    else if (column.codes[row] >= 0)
      line[column.first + static_cast<size_t>(column.codes[row])] += 1;
  }
  line[design.features] = fit_intercept ? 1 : 0;
  return line;
}

// (X'X)⁻¹ X'diag(u) X (X'X)⁻¹; a row's weight counts as that many equal rows.
std::vector<double> Sandwich(const GlmRequest& request, const Design& design,
                             std::span<const double> centre, std::span<const double> beta,
                             const std::vector<double>& inverse, double count) {
  const size_t stride = design.features + 1;
  const bool fit_intercept = request.options.fit_intercept;
  const StandardErrors type = request.options.standard_errors;
  std::vector<double> scores(design.rows);
  AddScores(design, beta, beta[design.features], scores);
  std::vector<double> middle(stride * stride);
  std::vector<double> moved(stride);
  for (size_t row = 0; row < design.rows; ++row) {
    const std::vector<double> line = LineOf(design, centre, fit_intercept, row);
    double leverage = 0;
    for (size_t i = 0; i < stride; ++i) {
      moved[i] = 0;
      for (size_t j = 0; j < stride; ++j) moved[i] += inverse[i * stride + j] * line[j];
      leverage += moved[i] * line[i];
    }
    const double residual = design.label[row] - scores[row];
    double square = design.WeightOf(row) * residual * residual;
    if (type == StandardErrors::kHc2) square /= std::max(1 - leverage, 1e-12);
    if (type == StandardErrors::kHc3) square /= std::pow(std::max(1 - leverage, 1e-12), 2);
    for (size_t i = 0; i < stride; ++i)
      for (size_t j = 0; j < stride; ++j) middle[i * stride + j] += square * moved[i] * moved[j];
  }
  const double parameters = static_cast<double>(design.features) + (fit_intercept ? 1 : 0);
  if (type == StandardErrors::kHc1)
    for (double& value : middle) value *= count / (count - parameters);
  return middle;
}

}  // namespace

void CheckInferenceOptions(const GlmOptions& options) {
  const std::string_view what = "CALCULATE_P_VALUES";
  if (!options.calculate_p_values) {
    if (options.standard_errors != StandardErrors::kClassical)
      throw Error(ErrorCode::kInvalidOption, "STANDARD_ERRORS needs CALCULATE_P_VALUES = TRUE");
    return;
  }
  if (options.category_encoding != CategoryEncoding::kDummy)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("{} needs CATEGORY_ENCODING_METHOD = 'DUMMY_ENCODING'", what),
                "with an indicator for every category the weights are not determined");
  if (options.l1_reg > 0 || options.l2_reg > 0)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("{} does not go with L1_REG or L2_REG", what),
                "penalised weights have no standard errors: leave the penalty out");
  if (options.auto_class_weights || !options.class_weights.empty())
    throw Error(ErrorCode::kInvalidOption, fmt::format("{} does not go with class weights", what));
  if (options.optimize_strategy == OptimizeStrategy::kBatchGradientDescent)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("{} does not go with OPTIMIZE_STRATEGY 'BATCH_GRADIENT_DESCENT'", what),
                "standard errors are of weights at the minimum: leave the option out");
}

void CheckWeightCount(size_t weights) {
  if (weights > kMostWeights)
    throw Error(ErrorCode::kTrainingData,
                fmt::format("CALCULATE_P_VALUES is for at most {} weights: the inputs need {}",
                            kMostWeights, weights),
                "leave out inputs with many categories");
}

GlmInference InferLeastSquares(const GlmRequest& request, const Design& design,
                               std::span<const double> gram, std::span<const double> centre,
                               std::span<const double> beta, double weight_sum, double mean_loss) {
  const size_t n = design.features;
  const size_t stride = n + 1;
  const bool fit_intercept = request.options.fit_intercept;
  std::vector<double> matrix(stride * stride);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) matrix[i * stride + j] = gram[i * n + j];
  matrix[n * stride + n] = fit_intercept ? weight_sum : 1;
  GlmInference inference;
  inference.degrees_of_freedom = weight_sum - static_cast<double>(n) - (fit_intercept ? 1 : 0);
  if (!(inference.degrees_of_freedom > 0))
    throw Error(ErrorCode::kTrainingData,
                fmt::format("CALCULATE_P_VALUES needs more rows than weights: {} for {}",
                            weight_sum, n + (fit_intercept ? 1 : 0)),
                "train on more rows, or leave inputs out");
  std::vector<double> covariance = Invert(design, matrix, stride);
  if (!fit_intercept) covariance[n * stride + n] = 0;
  inference.residual_variance = mean_loss * weight_sum / inference.degrees_of_freedom;
  inference.inflation = Inflation(design, matrix, covariance, stride);
  inference.inverse = covariance;
  inference.centre.assign(centre.begin(), centre.end());
  if (request.options.standard_errors == StandardErrors::kClassical)
    for (double& value : covariance) value *= inference.residual_variance;
  else
    covariance = Sandwich(request, design, centre, beta, covariance, weight_sum);
  AddErrors(design, centre, covariance, inference);
  return inference;
}

GlmInference InferLogistic(const GlmProblem& problem) {
  const Design& design = problem.design();
  CheckWeightCount(problem.size());
  const size_t n = design.features;
  std::vector<double> products = WeightedProducts(design, design.weights, {});
  const std::vector<double> centre =
      problem.fit_intercept() ? design.means : std::vector<double>(n);
  Centre(products, centre);
  std::vector<double> matrix((n + 1) * (n + 1));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) matrix[i * (n + 1) + j] = products[i * (n + 2) + j];
  matrix[n * (n + 1) + n] = design.weight_sum;
  GlmInference inference;
  inference.inflation = Inflation(design, matrix, Invert(design, matrix, n + 1), n + 1);
  inference.degrees_of_freedom = design.weight_sum - static_cast<double>(problem.size());
  const std::vector<double> inverse = Invert(design, problem.Hessian(), problem.size());
  for (const std::vector<double>& covariance : problem.CoefficientCovariances(inverse))
    AddErrors(design, centre, covariance, inference);
  return inference;
}

}  // namespace braid::ml
