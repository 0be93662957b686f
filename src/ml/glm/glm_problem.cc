// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "ml/class_weights.h"

namespace braid::ml {

namespace {

// Two classes: the score is that of the second. More: Helmert's orthonormal contrasts.
std::vector<double> ScoreBasis(size_t classes) {
  if (classes < 2) return {1};
  if (classes == 2) return {0, 1};
  const size_t q = classes - 1;
  std::vector<double> basis(classes * q);
  for (size_t j = 0; j < q; ++j) {
    const auto n = static_cast<double>(j + 1);
    for (size_t k = 0; k <= j; ++k) basis[k * q + j] = -1 / std::sqrt(n * (n + 1));
    basis[(j + 1) * q + j] = n / std::sqrt(n * (n + 1));
  }
  return basis;
}

std::vector<double> FactorOfClass(const GlmOptions& options, const Design& design) {
  std::vector<double> sums(design.classes.size());
  for (size_t row = 0; row < design.rows && !sums.empty(); ++row)
    sums[static_cast<size_t>(design.label_class[row])] += design.WeightOf(row);
  return ClassFactors(options.class_weights, options.auto_class_weights, design.classes, sums);
}

}  // namespace

GlmProblem::GlmProblem(const GlmRequest& request, const Design& design)
    : design_(design),
      squared_(request.type == GlmType::kLinearReg),
      fit_intercept_(request.options.fit_intercept),
      l1_(request.options.l1_reg),
      l2_(request.options.l2_reg),
      classes_(design.classes.size()),
      free_scores_(classes_ > 2 ? classes_ - 1 : 1),
      basis_(ScoreBasis(classes_)),
      centre_(fit_intercept_ ? design.means : std::vector<double>(design.features)),
      weights_(design.rows) {
  const std::vector<double> by_class = FactorOfClass(request.options, design);
  for (size_t row = 0; row < design.rows; ++row) {
    weights_[row] = design.WeightOf(row);
    if (!squared_) weights_[row] *= by_class[static_cast<size_t>(design.label_class[row])];
  }
  weight_sum_ = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  if (!(weight_sum_ > 0))
    throw Error(ErrorCode::kTrainingData, "The weights leave no row to train on");
  if (squared_ && fit_intercept_) {
    for (size_t row = 0; row < design.rows; ++row)
      label_mean_ += weights_[row] * (design.label[row] - design.label[0]);
    label_mean_ = design.label[0] + label_mean_ / weight_sum_;
  }
}

void GlmProblem::FindScores(std::span<const double> parameters, std::vector<double>& out) const {
  out.assign(free_scores_ * design_.rows, 0);
  for (size_t q = 0; q < free_scores_; ++q) {
    const auto beta = parameters.subspan(q * stride(), stride());
    double intercept = beta[design_.features];
    for (size_t j = 0; j < design_.features; ++j) intercept -= beta[j] * centre_[j];
    AddScores(design_, beta, intercept, std::span(out).subspan(q * design_.rows, design_.rows));
  }
}

double GlmProblem::MoveTo(std::span<const double> parameters) {
  parameters_.assign(parameters.begin(), parameters.end());
  FindScores(parameters_, scores_);
  if (squared_) {
    loss_ = 0;
    for (size_t row = 0; row < design_.rows; ++row) {
      const double residual = design_.label[row] - label_mean_ - scores_[row];
      loss_ += weights_[row] * residual * residual / 2;
    }
  } else {
    loss_ = FindLogLosses();
  }
  return loss_ + Penalty(parameters_);
}

// Sets the probabilities of all classes; the loss is taken from the sum of all but the largest
// term, so that it keeps its digits where a row is all but certain.
double GlmProblem::FindLogLosses() {
  const size_t rows = design_.rows;
  probabilities_.resize(classes_ * rows);
  std::vector<double> scores(classes_);
  double loss = 0;
  for (size_t row = 0; row < rows; ++row) {
    size_t best = 0;
    for (size_t k = 0; k < classes_; ++k) {
      scores[k] = 0;
      for (size_t q = 0; q < free_scores_; ++q) scores[k] += Basis(k, q) * scores_[q * rows + row];
      if (scores[k] > scores[best]) best = k;
    }
    const double largest = scores[best];
    const double own = scores[static_cast<size_t>(design_.label_class[row])];
    double others = 0;
    for (size_t k = 0; k < classes_; ++k) {
      scores[k] = std::exp(scores[k] - largest);
      if (k != best) others += scores[k];
    }
    for (size_t k = 0; k < classes_; ++k) probabilities_[k * rows + row] = scores[k] / (1 + others);
    loss += weights_[row] * (std::log1p(others) + largest - own);
  }
  return loss;
}

double GlmProblem::MeanLoss() const { return (squared_ ? 2 : 1) * loss_ / weight_sum_; }

double GlmProblem::Penalty(std::span<const double> parameters) const {
  double penalty = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (i % stride() == design_.features) continue;
    penalty += l2_ / 2 * parameters[i] * parameters[i] + l1_ * std::abs(parameters[i]);
  }
  return penalty;
}

// Minus the derivative of the loss by a free score, row by row.
std::vector<double> GlmProblem::Residuals(size_t score) const {
  std::vector<double> residuals(design_.rows);
  for (size_t row = 0; row < design_.rows; ++row) {
    double slope = 0;
    if (squared_) {
      slope = design_.label[row] - label_mean_ - scores_[row];
    } else {
      // Σ basis·(1[y = k] - p), where 1 - p of the row's own class is the sum of the others.
      const auto own = static_cast<size_t>(design_.label_class[row]);
      for (size_t k = 0; k < classes_; ++k)
        if (k != own)
          slope += (Basis(own, score) - Basis(k, score)) * probabilities_[k * design_.rows + row];
    }
    residuals[row] = weights_[row] * slope;
  }
  return residuals;
}

// Σ over rows of row_values · [centred features, 1].
std::vector<double> GlmProblem::Back(std::span<const double> row_values) const {
  std::vector<double> sums = TransposedProduct(design_, row_values);
  for (size_t j = 0; j < design_.features; ++j) sums[j] -= centre_[j] * sums[design_.features];
  if (!fit_intercept_) sums[design_.features] = 0;
  return sums;
}

std::vector<double> GlmProblem::Gradient() const {
  std::vector<double> gradient(size());
  for (size_t q = 0; q < free_scores_; ++q) {
    const std::vector<double> sums = Back(Residuals(q));
    for (size_t j = 0; j < stride(); ++j) {
      const size_t i = q * stride() + j;
      gradient[i] = -sums[j] + (j < design_.features ? l2_ * parameters_[i] : 0);
    }
  }
  return gradient;
}

double GlmProblem::GradientNorm(std::span<const double> gradient) const {
  double squares = 0;
  for (size_t i = 0; i < gradient.size(); ++i) {
    double slope = gradient[i];
    if (l1_ > 0 && i % stride() != design_.features) {
      if (parameters_[i] != 0)
        slope += std::copysign(l1_, parameters_[i]);
      else
        slope = std::max(std::abs(slope) - l1_, 0.0);
    }
    squares += slope * slope;
  }
  return std::sqrt(squares);
}

// The second derivative of the loss by two free scores, row by row.
std::vector<double> GlmProblem::Curvature(size_t score, size_t other) const {
  if (squared_) return weights_;
  const size_t rows = design_.rows;
  std::vector<double> curvature(rows);
  for (size_t row = 0; row < rows; ++row) {
    if (classes_ == 2) {
      curvature[row] = weights_[row] * probabilities_[row] * probabilities_[rows + row];
      continue;
    }
    double both = 0;
    double one = 0;
    double two = 0;
    for (size_t k = 0; k < classes_; ++k) {
      const double p = probabilities_[k * rows + row];
      both += p * Basis(k, score) * Basis(k, other);
      one += p * Basis(k, score);
      two += p * Basis(k, other);
    }
    curvature[row] = weights_[row] * (both - one * two);
  }
  return curvature;
}

std::vector<double> GlmProblem::Hessian() const {
  const size_t n = size();
  const size_t features = design_.features;
  std::vector<double> hessian(n * n);
  for (size_t q = 0; q < free_scores_; ++q) {
    for (size_t r = 0; r <= q; ++r) {
      std::vector<double> products = WeightedProducts(design_, Curvature(q, r), {});
      Centre(products, centre_);
      for (size_t i = 0; i <= features; ++i)
        for (size_t j = 0; j <= features; ++j) {
          double value = products[i * (features + 2) + j];
          // Without an intercept its parameter stays where it is.
          if (!fit_intercept_ && (i == features || j == features)) value = i == j && q == r ? 1 : 0;
          if (i == j && q == r && i < features) value += l2_;
          hessian[(q * stride() + i) * n + r * stride() + j] = value;
          hessian[(r * stride() + j) * n + q * stride() + i] = value;
        }
    }
  }
  return hessian;
}

std::vector<double> GlmProblem::HessianTimes(std::span<const double> direction) const {
  const size_t rows = design_.rows;
  std::vector<double> moved;
  FindScores(direction, moved);
  std::vector<double> scores(classes_);
  for (size_t row = 0; row < rows; ++row) {
    if (squared_) {
      moved[row] *= weights_[row];
      continue;
    }
    double mean = 0;
    for (size_t k = 0; k < classes_; ++k) {
      scores[k] = 0;
      for (size_t q = 0; q < free_scores_; ++q) scores[k] += Basis(k, q) * moved[q * rows + row];
      mean += probabilities_[k * rows + row] * scores[k];
    }
    for (size_t q = 0; q < free_scores_; ++q) {
      double value = 0;
      for (size_t k = 0; k < classes_; ++k)
        value += Basis(k, q) * probabilities_[k * rows + row] * (scores[k] - mean);
      moved[q * rows + row] = weights_[row] * value;
    }
  }
  std::vector<double> product(size());
  for (size_t q = 0; q < free_scores_; ++q) {
    const std::vector<double> sums = Back(std::span(moved).subspan(q * rows, rows));
    for (size_t j = 0; j < stride(); ++j) {
      const size_t i = q * stride() + j;
      product[i] = sums[j] + (j < design_.features ? l2_ * direction[i] : 0);
    }
  }
  return product;
}

std::vector<std::vector<double>> GlmProblem::CoefficientCovariances(
    std::span<const double> covariance) const {
  const size_t scores = classes_ > 2 ? classes_ : 1;
  std::vector<std::vector<double>> covariances(scores, std::vector<double>(stride() * stride()));
  for (size_t s = 0; s < scores; ++s)
    for (size_t q = 0; q < free_scores_; ++q)
      for (size_t r = 0; r < free_scores_; ++r) {
        const double share = scores == 1 ? 1 : Basis(s, q) * Basis(s, r);
        for (size_t i = 0; i < stride(); ++i)
          for (size_t j = 0; j < stride(); ++j)
            covariances[s][i * stride() + j] +=
                share * covariance[(q * stride() + i) * size() + r * stride() + j];
      }
  return covariances;
}

std::vector<std::vector<double>> GlmProblem::Coefficients() const {
  const size_t scores = classes_ > 2 ? classes_ : 1;
  std::vector<std::vector<double>> coefficients(scores, std::vector<double>(stride()));
  for (size_t s = 0; s < scores; ++s) {
    std::vector<double>& beta = coefficients[s];
    for (size_t q = 0; q < free_scores_; ++q) {
      const double share = scores == 1 ? 1 : Basis(s, q);
      for (size_t j = 0; j < stride(); ++j) beta[j] += share * parameters_[q * stride() + j];
    }
    for (size_t j = 0; j < design_.features; ++j) beta[design_.features] -= beta[j] * centre_[j];
    beta[design_.features] += label_mean_;
  }
  return coefficients;
}

std::vector<double> GlmProblem::ParametersOf(
    const std::vector<std::vector<double>>& coefficients) const {
  std::vector<double> parameters(size());
  for (size_t s = 0; s < coefficients.size(); ++s)
    for (size_t q = 0; q < free_scores_; ++q) {
      const double share = coefficients.size() == 1 ? 1 : Basis(s, q);
      for (size_t j = 0; j < stride(); ++j)
        parameters[q * stride() + j] += share * coefficients[s][j];
    }
  for (size_t q = 0; q < free_scores_; ++q) {
    double& intercept = parameters[q * stride() + design_.features];
    for (size_t j = 0; j < design_.features; ++j)
      intercept += parameters[q * stride() + j] * centre_[j];
    intercept = fit_intercept_ ? intercept - label_mean_ : 0;
  }
  return parameters;
}

}  // namespace braid::ml
