// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "ml/factor/factor_options.h"
#include "ml/factor/matrix.h"

namespace braid::ml {

// Uniquenesses are kept at or above this, as factanal of R does: a variable at the bound is a
// Heywood case.
constexpr double kLeastUniqueness = 0.005;

struct Extracted {
  Matrix loadings;  // p × k, columns by falling sum of squares
  std::vector<double> uniqueness;
  bool converged = false;
};

// Fits correlation ≈ loadings·loadings' + diag(uniqueness). Throws kTrainingData for maximum
// likelihood on a singular matrix, which has no likelihood.
Extracted ExtractFactors(const Matrix& correlation, size_t factors, Extraction method,
                         int64_t max_iterations);

}  // namespace braid::ml
