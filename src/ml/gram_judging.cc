// SPDX-License-Identifier: Apache-2.0
// What sums tell of a model that was not trained on them. With the columns [1, d, m] of gram.cc and
// x = d + shift·(1 - m) + missing·m, an error y - intercept - Σ w·x is linear in them, so its sum
// and its squares' follow from the sums of their products.
#include <algorithm>

#include "base/error.h"
#include "ml/gram.h"

namespace braid::ml {

GramAccumulator::Errors GramAccumulator::ErrorsOf(double intercept, std::span<const double> weights,
                                                  std::span<const double> missing) const {
  BRAID_CHECK(weights.size() == inputs_ && missing.size() == inputs_);
  const size_t n = columns();
  std::vector<double> by(n);
  by[0] = shift_[inputs_] - intercept;
  by[1 + inputs_] = 1;
  for (size_t c = 0; c < inputs_; ++c) {
    by[0] -= weights[c] * shift_[c];
    by[1 + c] = -weights[c];
    if (indicator_of_[c] != kNone) by[indicator_of_[c]] = -weights[c] * (missing[c] - shift_[c]);
  }
  const std::vector<double> full = Full();
  Errors errors;
  for (size_t i = 0; i < n; ++i) {
    double line = 0;
    for (size_t j = 0; j < n; ++j) line += full[i * n + j] * by[j];
    errors.squares += by[i] * line;
    if (i == 0) errors.sum = line;
  }
  errors.squares = std::max(errors.squares, 0.0);
  return errors;
}

GramAccumulator GramAccumulator::Without(size_t input) const {
  BRAID_CHECK(input < inputs_ && inputs_ > 1);
  GramAccumulator rest(inputs_ - 1);
  rest.rows_ = rows_;
  rest.skipped_ = skipped_;
  // Of each of its columns: the column here.
  std::vector<size_t> from = {0};
  for (size_t c = 0; c <= inputs_; ++c) {
    if (c == input) continue;
    rest.shift_[from.size() - 1] = shift_[c];
    rest.shift_known_[from.size() - 1] = shift_known_[c];
    from.push_back(1 + c);
  }
  for (size_t c = 0; c < inputs_; ++c) {
    if (c == input || indicator_of_[c] == kNone) continue;
    rest.IndicatorOf(c < input ? c : c - 1);
    from.push_back(indicator_of_[c]);
  }
  for (size_t i = 0; i < from.size(); ++i)
    for (size_t j = 0; j <= i; ++j) rest.sums_[At(i, j)] = sums_[At(from[i], from[j])];
  return rest;
}

}  // namespace braid::ml
