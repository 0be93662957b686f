// SPDX-License-Identifier: Apache-2.0
#include "ml/distributions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace braid::ml {

double NormalTwoSidedP(double z) { return std::erfc(std::abs(z) / std::numbers::sqrt2); }

// Bisection down to neighbouring numbers: the tail function is monotonous and exact.
double NormalQuantile(double p) {
  if (p == 0.5) return 0;
  const double tail = 2 * std::min(p, 1 - p);
  double low = 0;
  double high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    if (middle == low || middle == high) break;
    (NormalTwoSidedP(middle) > tail ? low : high) = middle;
  }
  return p < 0.5 ? -high : high;
}

namespace {

// Without the global that std::lgamma writes.
double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

}  // namespace

// Lentz's method on the continued fraction 26.5.8 of Abramowitz and Stegun (1964).
double IncompleteBeta(double a, double b, double x) {
  if (!(x > 0)) return 0;
  if (!(x < 1)) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - IncompleteBeta(b, a, 1 - x);
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int i = 1; i < 10'000; ++i) {
    const double m = i;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-16) break;
  }
  const double log_front =
      LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * std::log(x) + b * std::log1p(-x);
  return std::exp(log_front) * fraction / a;
}

double StudentTwoSidedP(double t, double degrees_of_freedom) {
  return IncompleteBeta(degrees_of_freedom / 2, 0.5,
                        degrees_of_freedom / (degrees_of_freedom + t * t));
}

double StudentQuantile(double p, double degrees_of_freedom) {
  if (p == 0.5) return 0;
  const double tail = 2 * std::min(p, 1 - p);
  double low = 0;
  double high = 1;
  while (high < 1e300 && StudentTwoSidedP(high, degrees_of_freedom) > tail) high *= 2;
  for (int i = 0; i < 2000; ++i) {
    const double middle = (low + high) / 2;
    if (middle == low || middle == high) break;
    (StudentTwoSidedP(middle, degrees_of_freedom) > tail ? low : high) = middle;
  }
  return p < 0.5 ? -high : high;
}

double FisherUpperP(double x, double numerator_degrees, double denominator_degrees) {
  if (!(x > 0)) return 1;
  return IncompleteBeta(denominator_degrees / 2, numerator_degrees / 2,
                        denominator_degrees / (denominator_degrees + numerator_degrees * x));
}

}  // namespace braid::ml
