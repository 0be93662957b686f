// SPDX-License-Identifier: Apache-2.0
// Parallel analysis (Horn 1965). The products of random rows follow Wishart's distribution, so they
// are drawn as Bartlett (1933) decomposes it, at a cost that does not depend on the number of rows.
#include <algorithm>
#include <cmath>
#include <random>

#include "ml/factor/factor_fit.h"
#include "ml/linear_solver.h"

namespace braid::ml {

namespace {

constexpr int kReplicates = 100;

class Random {
 public:
  explicit Random(uint64_t seed) : bits_(seed) {}
  double Uniform() { return (static_cast<double>(bits_() >> 11) + 0.5) * 0x1p-53; }
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(Uniform()));
    return radius * std::cos(2 * M_PI * Uniform());
  }
  // By Marsaglia and Tsang (2000); below shape 1 from the next shape.
  double Gamma(double shape) {
    const double boost = shape < 1 ? std::pow(Uniform(), 1 / shape) : 1;
    if (shape < 1) return boost * Gamma(shape + 1);
    const double d = shape - 1.0 / 3;
    while (true) {
      const double x = Normal();
      const double v = std::pow(1 + x / std::sqrt(9 * d), 3);
      if (v > 0 && std::log(Uniform()) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
    }
  }

 private:
  std::mt19937_64 bits_;
};

}  // namespace

std::vector<double> RandomEigenvalues(size_t variables, int64_t rows, uint64_t seed) {
  Random random(seed);
  const size_t degrees = static_cast<size_t>(rows) - 1;
  std::vector<double> mean(variables);
  for (int replicate = 0; replicate < kReplicates; ++replicate) {
    Matrix root(variables, std::min(variables, degrees));
    for (size_t i = 0; i < variables; ++i) {
      double square = 0;
      for (size_t j = 0; j < std::min(i + 1, root.columns); ++j) {
        root(i, j) = i == j ? std::sqrt(2 * random.Gamma(static_cast<double>(degrees - i) / 2))
                            : random.Normal();
        square += root(i, j) * root(i, j);
      }
      for (size_t j = 0; j < root.columns; ++j) root(i, j) /= std::sqrt(square);
    }
    const Matrix correlation = Product(root, Transposed(root));
    const EigenPairs pairs = DecomposeSymmetric(correlation.cells, variables);
    for (size_t i = 0; i < variables; ++i) mean[i] += pairs.values[i] / kReplicates;
  }
  return mean;
}

}  // namespace braid::ml
