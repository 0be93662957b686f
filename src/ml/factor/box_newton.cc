// SPDX-License-Identifier: Apache-2.0
#include "ml/factor/box_newton.h"

#include <algorithm>
#include <cmath>

#include "ml/linear_solver.h"

namespace braid::ml {

namespace {

constexpr double kGradientTolerance = 1e-10;

std::vector<double> Direction(const Derivatives& at, const std::vector<size_t>& free) {
  Matrix hessian(free.size(), free.size());
  std::vector<double> right(free.size());
  for (size_t i = 0; i < free.size(); ++i) {
    right[i] = -at.gradient[free[i]];
    for (size_t j = 0; j < free.size(); ++j) hessian(i, j) = at.hessian(free[i], free[j]);
  }
  std::vector<double> step = SolvePositive(hessian.cells, right);
  double slope = 0;
  for (size_t i = 0; i < free.size(); ++i) slope -= right[i] * step[i];
  return slope < 0 ? step : right;
}

}  // namespace

BoxMinimum MinimiseInBox(const SmoothFunction& function, std::vector<double> start, double lower,
                         double upper, int64_t max_iterations) {
  BoxMinimum best{.point = std::move(start)};
  std::vector<double>& x = best.point;
  for (double& coordinate : x) coordinate = std::clamp(coordinate, lower, upper);
  Derivatives at;
  best.value = function(x, &at);
  for (int64_t iteration = 0; iteration < max_iterations; ++iteration) {
    std::vector<size_t> free;
    double steepest = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double slope = at.gradient[i];
      if ((x[i] <= lower && slope > 0) || (x[i] >= upper && slope < 0)) continue;
      free.push_back(i);
      steepest = std::max(steepest, std::abs(slope));
    }
    best.converged = steepest < kGradientTolerance;
    if (best.converged) return best;
    const std::vector<double> step = Direction(at, free);
    bool fell = false;
    for (double length = 1; length > 1e-12 && !fell; length /= 2) {
      std::vector<double> next = x;
      double expected = 0;
      for (size_t i = 0; i < free.size(); ++i) {
        double& coordinate = next[free[i]];
        coordinate = std::clamp(coordinate + length * step[i], lower, upper);
        expected += at.gradient[free[i]] * (coordinate - x[free[i]]);
      }
      const double value = function(next, nullptr);
      fell = value <= best.value + 1e-4 * std::min(expected, 0.0) && value < best.value;
      if (!fell) continue;
      x = std::move(next);
      best.value = function(x, &at);
    }
    // No step lowers the value any more: what is left of the slope is rounding.
    best.converged = !fell;
    if (!fell) return best;
  }
  return best;
}

}  // namespace braid::ml
