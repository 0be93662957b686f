// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace braid::ml {

// The regularised incomplete gamma functions, shape > 0 and x >= 0: P and Q = 1 - P, each exact to
// about 1e-14 relative where it is the smaller one.
double LowerIncompleteGamma(double shape, double x);
double UpperIncompleteGamma(double shape, double x);

// P(X > x) of a chi-square variable.
double ChiSquareUpperTail(double x, double degrees_of_freedom);
// P(X <= x) of a noncentral chi-square variable.
double NoncentralChiSquare(double x, double degrees_of_freedom, double noncentrality);
// The noncentrality at which P(X <= x) is `probability`; 0 if it is less even there.
double ChiSquareNoncentrality(double x, double degrees_of_freedom, double probability);

}  // namespace braid::ml
