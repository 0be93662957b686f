// SPDX-License-Identifier: Apache-2.0
// Incomplete gamma functions by their series below the mean and Lentz's continued fraction above it
// (Abramowitz and Stegun 6.5.29, 6.5.31).
#include "ml/chi_square.h"

#include <cmath>
#include <limits>

namespace braid::ml {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// log Γ(shape + 1) without the global that std::lgamma writes.
double LogGamma(double shape) {
  int sign = 0;
  return lgamma_r(shape, &sign);
}

// x^shape·e^-x / Γ(shape + 1)
double Density(double shape, double x) {
  if (x <= 0) return 0;
  if (shape < 30) return std::exp(shape * std::log(x) - x - LogGamma(shape + 1));
  // Stirling's series keeps the digits that the difference of large logarithms would lose.
  const double relative = (x - shape) / shape;
  const double deviance = shape * (std::log1p(relative) - relative);
  const double correction =
      (1.0 / 12 - (1.0 / 360 - (1.0 / 1260) / (shape * shape)) / (shape * shape)) / shape;
  return std::exp(deviance - correction) / std::sqrt(2 * M_PI * shape);
}

double BySeries(double shape, double x) {
  double term = 1;
  double sum = 1;
  for (double n = shape + 1; term > sum * kEpsilon; ++n) {
    term *= x / n;
    sum += term;
  }
  return sum * Density(shape, x);
}

double ByFraction(double shape, double x) {
  constexpr double kTiny = 1e-300;
  double b = x + 1 - shape;
  double c = 1 / kTiny;
  double d = 1 / b;
  double fraction = d;
  for (double i = 1;; ++i) {
    const double a = -i * (i - shape);
    b += 2;
    d = a * d + b;
    if (std::abs(d) < kTiny) d = kTiny;
    c = b + a / c;
    if (std::abs(c) < kTiny) c = kTiny;
    d = 1 / d;
    const double factor = d * c;
    fraction *= factor;
    if (!(std::abs(factor - 1) > 2 * kEpsilon)) break;
  }
  return fraction * Density(shape, x) * shape;
}

}  // namespace

double LowerIncompleteGamma(double shape, double x) {
  if (x <= 0) return 0;
  if (std::isinf(x)) return 1;
  return x < shape + 1 ? BySeries(shape, x) : 1 - ByFraction(shape, x);
}

double UpperIncompleteGamma(double shape, double x) {
  if (x <= 0) return 1;
  if (std::isinf(x)) return 0;
  return x < shape + 1 ? 1 - BySeries(shape, x) : ByFraction(shape, x);
}

double ChiSquareUpperTail(double x, double degrees_of_freedom) {
  return UpperIncompleteGamma(degrees_of_freedom / 2, x / 2);
}

}  // namespace braid::ml
