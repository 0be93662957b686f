// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace braid::ml {

// The regularised incomplete gamma functions, shape > 0 and x >= 0: P and Q = 1 - P, each exact to
// about 1e-14 relative where it is the smaller one.
double LowerIncompleteGamma(double shape, double x);
double UpperIncompleteGamma(double shape, double x);

// P(X > x) of a chi-square variable.
double ChiSquareUpperTail(double x, double degrees_of_freedom);

}  // namespace braid::ml
