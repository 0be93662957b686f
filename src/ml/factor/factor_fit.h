// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ml/factor/factor_model.h"

namespace braid::ml {

// Sets the fit and the sampling adequacy from the loadings, factor correlations and uniquenesses.
void JudgeFit(const Matrix& correlation, FactorParts& parts);

// Mean eigenvalues of correlation matrices of `rows` rows of independent normal variables.
std::vector<double> RandomEigenvalues(size_t variables, int64_t rows, uint64_t seed);

}  // namespace braid::ml
