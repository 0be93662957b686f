// SPDX-License-Identifier: Apache-2.0
// The statistics as psych's fa of R gives them: Bartlett's (1950) correction of the chi-square;
// Kaiser (1970) and Kaiser and Rice (1974) for the sampling adequacy.
#include "ml/factor/factor_fit.h"

#include <algorithm>
#include <cmath>

#include "ml/chi_square.h"

namespace braid::ml {

namespace {

// Undefined for a singular matrix, whose partial correlations do not exist.
void JudgeAdequacy(const Matrix& correlation, const SymmetricInverse& inverse, FactorParts& parts) {
  const size_t p = correlation.rows;
  parts.adequacy.assign(p, std::nullopt);
  if (!inverse.is_positive) return;
  double all_simple = 0;
  double all_partial = 0;
  for (size_t i = 0; i < p; ++i) {
    double simple = 0;
    double partial = 0;
    for (size_t j = 0; j < p; ++j) {
      if (i == j) continue;
      simple += correlation(i, j) * correlation(i, j);
      partial += inverse.inverse(i, j) * inverse.inverse(i, j) /
                 (inverse.inverse(i, i) * inverse.inverse(j, j));
    }
    if (simple + partial > 0) parts.adequacy[i] = simple / (simple + partial);
    all_simple += simple;
    all_partial += partial;
  }
  if (all_simple + all_partial > 0) parts.fit.kmo = all_simple / (all_simple + all_partial);
}

}  // namespace

void JudgeFit(const Matrix& correlation, FactorParts& parts) {
  const size_t p = correlation.rows;
  const auto size = static_cast<double>(p);
  const auto factors = static_cast<int64_t>(parts.loadings.columns);
  const auto n = static_cast<double>(parts.rows);
  FactorFit& fit = parts.fit;
  const auto whole = static_cast<int64_t>(p);
  fit.degrees_of_freedom = ((whole - factors) * (whole - factors) - whole - factors) / 2;
  fit.bartlett_df = whole * (whole - 1) / 2;
  const SymmetricInverse observed = InvertSymmetric(correlation);
  JudgeAdequacy(correlation, observed, parts);

  Matrix implied = Product(Product(parts.loadings, parts.correlations), Transposed(parts.loadings));
  double residual = 0;
  for (size_t i = 0; i < p; ++i) {
    implied(i, i) += parts.uniqueness[i];
    for (size_t j = 0; j < i; ++j)
      residual += (correlation(i, j) - implied(i, j)) * (correlation(i, j) - implied(i, j));
  }
  fit.srmr = std::sqrt(residual / static_cast<double>(fit.bartlett_df));
  const double null_multiplier = n - 1 - (2 * size + 5) / 6;
  const SymmetricInverse expected = InvertSymmetric(implied);
  if (!observed.is_positive || !expected.is_positive || !(null_multiplier > 0)) return;
  const double null_chi_square = -observed.log_determinant * null_multiplier;
  const auto null_df = static_cast<double>(fit.bartlett_df);
  fit.bartlett_chi_square = null_chi_square;
  fit.bartlett_p_value = ChiSquareUpperTail(null_chi_square, null_df);

  const double multiplier = null_multiplier - 2 * static_cast<double>(factors) / 3;
  if (!(multiplier > 0)) return;
  double discrepancy = expected.log_determinant - observed.log_determinant - size;
  for (size_t c = 0; c < implied.cells.size(); ++c)
    discrepancy += expected.inverse.cells[c] * correlation.cells[c];
  const double chi_square = std::max(discrepancy, 0.0) * multiplier;
  fit.chi_square = chi_square;
  const auto df = static_cast<double>(fit.degrees_of_freedom);
  if (!(df > 0)) return;
  fit.bic = chi_square - df * std::log(n);
  fit.p_value = ChiSquareUpperTail(chi_square, df);
  fit.rmsea = std::sqrt(std::max(chi_square / (n * df) - 1 / (n - 1), 0.0));
  const double null_ratio = -observed.log_determinant * multiplier / null_df;
  if (null_ratio != 1) fit.tli = (null_ratio - chi_square / df) / (null_ratio - 1);
}

}  // namespace braid::ml
