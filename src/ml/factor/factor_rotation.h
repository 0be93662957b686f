// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ml/factor/factor_options.h"
#include "ml/factor/matrix.h"

namespace braid::ml {

struct Rotated {
  Matrix loadings;      // the pattern, when factors are correlated
  Matrix correlations;  // of the factors
  bool converged = true;
};

Rotated RotateFactors(const Matrix& loadings, Rotation rotation, bool kaiser_normalize);

}  // namespace braid::ml
