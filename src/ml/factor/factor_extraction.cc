// SPDX-License-Identifier: Apache-2.0
// Minimum residuals (Harman and Jones 1966): ½·Σ of the squared eigenvalues of R - Ψ that the
// factors leave over, as a function of Ψ. Maximum likelihood (Jöreskog 1967): Σ (θ - log θ - 1)
// over those of Ψ^-½·R·Ψ^-½, as a function of log Ψ. Both with exact second derivatives: for a
// function Σ φ(λ) of eigenvalues, D²[H,H] = Σ Γ_nl (v_n'·H·v_l)² with the divided differences Γ of
// φ'. Principal axes iterate communalities, and reach the optimum of minimum residuals slowly.
#include "ml/factor/factor_extraction.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ml/factor/box_newton.h"
#include "ml/linear_solver.h"

namespace braid::ml {

namespace {

constexpr double kCommunalityTolerance = 1e-10;
constexpr double kEqualEigenvalues = 1e-13;

// Σ_n weights_n·v_n·v_n' over n >= from.
Matrix Weighted(const EigenPairs& pairs, size_t size, size_t from,
                const std::vector<double>& weights) {
  Matrix sum(size, size);
  for (size_t n = from; n < size; ++n) {
    const double* vector = &pairs.vectors[n * size];
    for (size_t i = 0; i < size; ++i) {
      const double scaled = weights[n] * vector[i];
      for (size_t j = 0; j < size; ++j) sum(i, j) += scaled * vector[j];
    }
  }
  return sum;
}

// Adds Σ over n >= kept, l < kept of cross(n, l)·v_in·v_jn·v_il·v_jl.
template <typename Cross>
void AddCrossTerms(const EigenPairs& pairs, size_t size, size_t kept, const Cross& cross,
                   Matrix& hessian) {
  for (size_t l = 0; l < kept; ++l) {
    std::vector<double> weights(size);
    for (size_t n = kept; n < size; ++n)
      if (pairs.values[l] - pairs.values[n] > kEqualEigenvalues)
        weights[n] = cross(pairs.values[n], pairs.values[l]);
    const Matrix rest = Weighted(pairs, size, kept, weights);
    const double* vector = &pairs.vectors[l * size];
    for (size_t i = 0; i < size; ++i)
      for (size_t j = 0; j < size; ++j) hessian(i, j) += rest(i, j) * vector[i] * vector[j];
  }
}

EigenPairs Reduced(Matrix correlation, const std::vector<double>& uniqueness) {
  for (size_t i = 0; i < correlation.rows; ++i) correlation(i, i) -= uniqueness[i];
  return DecomposeSymmetric(correlation.cells, correlation.rows);
}

double Residuals(const Matrix& correlation, size_t factors, const std::vector<double>& uniqueness,
                 Derivatives* derivatives) {
  const size_t p = correlation.rows;
  const EigenPairs pairs = Reduced(correlation, uniqueness);
  size_t kept = 0;
  while (kept < factors && pairs.values[kept] > 0) ++kept;
  double value = 0;
  for (size_t n = kept; n < p; ++n) value += pairs.values[n] * pairs.values[n] / 2;
  if (derivatives == nullptr) return value;
  derivatives->gradient.assign(p, 0);
  for (size_t n = kept; n < p; ++n)
    for (size_t i = 0; i < p; ++i)
      derivatives->gradient[i] -=
          pairs.values[n] * pairs.vectors[n * p + i] * pairs.vectors[n * p + i];
  Matrix& hessian = derivatives->hessian;
  hessian = Weighted(pairs, p, kept, std::vector<double>(p, 1));
  for (double& cell : hessian.cells) cell *= cell;
  AddCrossTerms(
      pairs, p, kept, [](double left, double taken) { return 2 * left / (left - taken); }, hessian);
  return value;
}

EigenPairs Standardised(Matrix correlation, const std::vector<double>& log_uniqueness) {
  const size_t p = correlation.rows;
  for (size_t i = 0; i < p; ++i)
    for (size_t j = 0; j < p; ++j)
      correlation(i, j) *= std::exp(-(log_uniqueness[i] + log_uniqueness[j]) / 2);
  return DecomposeSymmetric(correlation.cells, p);
}

double Likelihood(const Matrix& correlation, size_t factors,
                  const std::vector<double>& log_uniqueness, Derivatives* derivatives) {
  const size_t p = correlation.rows;
  const EigenPairs pairs = Standardised(correlation, log_uniqueness);
  double value = 0;
  for (size_t n = factors; n < p; ++n)
    value += pairs.values[n] - std::log(std::max(pairs.values[n], 1e-300)) - 1;
  if (derivatives == nullptr) return value;
  derivatives->gradient.assign(p, 0);
  for (size_t n = factors; n < p; ++n)
    for (size_t i = 0; i < p; ++i)
      derivatives->gradient[i] +=
          (1 - pairs.values[n]) * pairs.vectors[n * p + i] * pairs.vectors[n * p + i];
  Matrix& hessian = derivatives->hessian;
  hessian = Weighted(pairs, p, factors, std::vector<double>(p, 1));
  const Matrix scaled = Weighted(pairs, p, factors, pairs.values);
  for (size_t c = 0; c < hessian.cells.size(); ++c) hessian.cells[c] *= scaled.cells[c];
  AddCrossTerms(
      pairs, p, factors,
      [](double left, double taken) { return (1 - left) * (left + taken) / (taken - left); },
      hessian);
  return value;
}

// Column f is scale_f·v_f, its sum not negative.
Matrix LoadingsOf(const EigenPairs& pairs, size_t p, size_t factors, double subtracted) {
  Matrix loadings(p, factors);
  for (size_t f = 0; f < factors; ++f) {
    const double scale = std::sqrt(std::max(pairs.values[f] - subtracted, 0.0));
    for (size_t i = 0; i < p; ++i) loadings(i, f) = scale * pairs.vectors[f * p + i];
  }
  return loadings;
}

// One less each variable's squared multiple correlation with the others; of a singular matrix one
// less its largest correlation.
std::vector<double> FirstUniqueness(const Matrix& correlation, const SymmetricInverse& inverse) {
  const size_t p = correlation.rows;
  std::vector<double> uniqueness(p);
  for (size_t i = 0; i < p; ++i) {
    double largest = 0;
    for (size_t j = 0; j < p; ++j)
      if (j != i) largest = std::max(largest, std::abs(correlation(i, j)));
    uniqueness[i] = inverse.is_positive ? 1 / inverse.inverse(i, i) : 1 - largest;
    uniqueness[i] = std::clamp(uniqueness[i], kLeastUniqueness, 1.0);
  }
  return uniqueness;
}

Extracted MinimumResiduals(const Matrix& correlation, size_t factors, std::vector<double> start,
                           int64_t max_iterations) {
  BoxMinimum minimum = MinimiseInBox(
      [&](const std::vector<double>& uniqueness, Derivatives* derivatives) {
        return Residuals(correlation, factors, uniqueness, derivatives);
      },
      std::move(start), kLeastUniqueness, 1, max_iterations);
  Matrix loadings = LoadingsOf(Reduced(correlation, minimum.point), correlation.rows, factors, 0);
  return {std::move(loadings), std::move(minimum.point), minimum.converged};
}

Extracted MaximumLikelihood(const Matrix& correlation, size_t factors, std::vector<double> start,
                            int64_t max_iterations) {
  for (double& value : start) value = std::log(value);
  BoxMinimum minimum = MinimiseInBox(
      [&](const std::vector<double>& log_uniqueness, Derivatives* derivatives) {
        return Likelihood(correlation, factors, log_uniqueness, derivatives);
      },
      std::move(start), std::log(kLeastUniqueness), 0, max_iterations);
  Matrix loadings =
      LoadingsOf(Standardised(correlation, minimum.point), correlation.rows, factors, 1);
  for (size_t i = 0; i < correlation.rows; ++i) {
    minimum.point[i] = std::clamp(std::exp(minimum.point[i]), kLeastUniqueness, 1.0);
    for (size_t f = 0; f < factors; ++f) loadings(i, f) *= std::sqrt(minimum.point[i]);
  }
  return {std::move(loadings), std::move(minimum.point), minimum.converged};
}

Extracted PrincipalAxes(const Matrix& correlation, size_t factors, std::vector<double> start,
                        int64_t max_iterations) {
  const size_t p = correlation.rows;
  Extracted found{.uniqueness = std::move(start)};
  for (int64_t iteration = 0; iteration < max_iterations && !found.converged; ++iteration) {
    found.loadings = LoadingsOf(Reduced(correlation, found.uniqueness), p, factors, 0);
    double moved = 0;
    for (size_t i = 0; i < p; ++i) {
      double communality = 0;
      for (size_t f = 0; f < factors; ++f)
        communality += found.loadings(i, f) * found.loadings(i, f);
      const double next = std::clamp(1 - communality, kLeastUniqueness, 1.0);
      moved = std::max(moved, std::abs(next - found.uniqueness[i]));
      found.uniqueness[i] = next;
    }
    found.converged = moved < kCommunalityTolerance;
  }
  return found;
}

}  // namespace

Extracted ExtractFactors(const Matrix& correlation, size_t factors, Extraction method,
                         int64_t max_iterations) {
  const SymmetricInverse inverse = InvertSymmetric(correlation);
  std::vector<double> start = FirstUniqueness(correlation, inverse);
  switch (method) {
    case Extraction::kMaximumLikelihood:
      if (!inverse.is_positive)
        throw Error(ErrorCode::kTrainingData,
                    "The correlation matrix is singular, so it has no likelihood",
                    "leave out inputs that others determine, or use EXTRACTION_METHOD 'MINRES'");
      return MaximumLikelihood(correlation, factors, std::move(start), max_iterations);
    case Extraction::kPrincipalAxis:
      return PrincipalAxes(correlation, factors, std::move(start), max_iterations);
    case Extraction::kMinres:
      break;
  }
  return MinimumResiduals(correlation, factors, std::move(start), max_iterations);
}

}  // namespace braid::ml
