// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <vector>

#include "ml/factor/matrix.h"

namespace braid::ml {

// Value at a point; fills the derivatives where they are wanted.
struct Derivatives {
  std::vector<double> gradient;
  Matrix hessian;
};
using SmoothFunction =
    std::function<double(const std::vector<double>& point, Derivatives* derivatives)>;

struct BoxMinimum {
  std::vector<double> point;
  double value = 0;
  bool converged = false;
};

// Minimises within lower <= x_i <= upper by Newton's method on the coordinates that are not held at
// a bound (Bertsekas 1982), with halved steps until the value falls.
BoxMinimum MinimiseInBox(const SmoothFunction& function, std::vector<double> start, double lower,
                         double upper, int64_t max_iterations);

}  // namespace braid::ml
