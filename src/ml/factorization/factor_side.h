// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <vector>

namespace braid::ml {

// What is learned of the users, or of the items: a vector of `width` factors each, and with
// explicit feedback a bias.
struct FactorSide {
  size_t width = 0;
  std::vector<double> factors;  // row by row
  std::vector<double> biases;   // empty: implicit feedback

  const double* Row(size_t place) const { return &factors[place * width]; }
  double* Row(size_t place) { return &factors[place * width]; }
  double Bias(size_t place) const { return biases.empty() ? 0 : biases[place]; }
};

}  // namespace braid::ml
