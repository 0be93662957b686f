// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <stop_token>

#include "ml/factor/factor_options.h"
#include "ml/factor/matrix.h"

namespace braid::ml {

struct Rotated {
  Matrix loadings;       // the pattern, when factors are correlated
  Matrix correlations;   // of the factors
  double criterion = 0;  // what was minimised; of promax, by its varimax
  bool converged = true;
};

// How a rotation is looked for: from the unrotated loadings and from `starts` - 1 random rotations
// of them (by `seed`); the least criterion is kept, the first one of equal ones.
struct RotationSearch {
  int64_t starts = 1;
  int64_t seed = 0;
  size_t threads = 1;  // the outcome does not depend on it
  std::stop_token stop = {};
};

// Throws kInterrupted.
Rotated RotateFactors(const Matrix& loadings, Rotation rotation, bool kaiser_normalize,
                      const RotationSearch& search);

}  // namespace braid::ml
