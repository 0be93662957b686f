// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>

namespace braid::ml {

// A sum that keeps the digits that rounding takes from it (Neumaier 1974).
struct CompensatedSum {
  double value = 0;
  double lost = 0;

  void Add(double term) {
    const double next = value + term;
    lost += std::abs(value) >= std::abs(term) ? (value - next) + term : (term - next) + value;
    value = next;
  }
  double total() const { return value + lost; }
};

}  // namespace braid::ml
