// SPDX-License-Identifier: Apache-2.0
#pragma once

// Distribution functions and quantiles that inference needs.
namespace braid::ml {

// P(|Z| ≥ |z|), exact in the far tail.
double NormalTwoSidedP(double z);
// The z with P(Z ≤ z) = p, 0 < p < 1.
double NormalQuantile(double p);

// The regularised incomplete beta function I_x(a, b), 0 ≤ x ≤ 1.
double IncompleteBeta(double a, double b, double x);

// P(|T| ≥ |t|) of Student's t.
double StudentTwoSidedP(double t, double degrees_of_freedom);
// The t with P(T ≤ t) = p, 0 < p < 1.
double StudentQuantile(double p, double degrees_of_freedom);

// P(X ≥ x) of Fisher's F.
double FisherUpperP(double x, double numerator_degrees, double denominator_degrees);

}  // namespace braid::ml
