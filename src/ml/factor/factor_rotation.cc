// SPDX-License-Identifier: Apache-2.0
// Gradient projection (Jennrich 2001 for orthogonal, 2002 for oblique rotations), the criteria as
// in Bernaards and Jennrich (2005). Promax (Hendrickson and White 1964): least squares to the
// fourth powers of the varimax loadings.
#include "ml/factor/factor_rotation.h"

#include <algorithm>
#include <cmath>

namespace braid::ml {

namespace {

constexpr double kGradientTolerance = 1e-9;
constexpr int kMaxSteps = 5000;
constexpr double kGeominOffset = 0.01;
constexpr double kPromaxPower = 4;

// The criterion to minimise, and its derivatives by the loadings.
double Criterion(Rotation rotation, const Matrix& l, Matrix& gradient) {
  const size_t p = l.rows;
  const size_t k = l.columns;
  gradient = Matrix(p, k);
  double value = 0;
  std::vector<double> mean(k);
  if (rotation == Rotation::kVarimax || rotation == Rotation::kPromax)
    for (size_t i = 0; i < p; ++i)
      for (size_t j = 0; j < k; ++j) mean[j] += l(i, j) * l(i, j) / static_cast<double>(p);
  for (size_t i = 0; i < p; ++i) {
    double squares = 0;
    double logs = 0;
    for (size_t j = 0; j < k; ++j) {
      squares += l(i, j) * l(i, j);
      logs += std::log(l(i, j) * l(i, j) + kGeominOffset);
    }
    const double product = std::exp(logs / static_cast<double>(k));
    if (rotation == Rotation::kGeomin) value += product;
    for (size_t j = 0; j < k; ++j) {
      const double square = l(i, j) * l(i, j);
      if (rotation == Rotation::kGeomin) {
        gradient(i, j) = 2 / static_cast<double>(k) * l(i, j) / (square + kGeominOffset) * product;
      } else if (rotation == Rotation::kOblimin) {
        value += square * (squares - square) / 4;
        gradient(i, j) = l(i, j) * (squares - square);
      } else {  // varimax; quartimax, where the mean counts as 0
        value -= (square - mean[j]) * (square - mean[j]) / 4;
        gradient(i, j) = -l(i, j) * (square - mean[j]);
      }
    }
  }
  return value;
}

// Loadings and the gradient by the transformation: L = A·T, or A·(T')⁻¹ when factors may correlate.
struct Point {
  Matrix transformation;
  Matrix loadings;
  Matrix gradient;
  double value = 0;
};

Point Evaluate(const Matrix& a, Matrix transformation, Rotation rotation, bool oblique) {
  Point at{.transformation = std::move(transformation)};
  Matrix by_loadings;
  if (!oblique) {
    at.loadings = Product(a, at.transformation);
    at.value = Criterion(rotation, at.loadings, by_loadings);
    at.gradient = Product(Transposed(a), by_loadings);
    return at;
  }
  const Matrix inverse = Inverse(at.transformation);
  at.loadings = Product(a, Transposed(inverse));
  at.value = Criterion(rotation, at.loadings, by_loadings);
  at.gradient = Transposed(Product(Product(Transposed(at.loadings), by_loadings), inverse));
  for (double& cell : at.gradient.cells) cell = -cell;
  return at;
}

// The gradient's part along the manifold: orthogonal matrices, or columns of length 1.
Matrix Projected(const Point& at, bool oblique) {
  const size_t k = at.transformation.rows;
  Matrix inner = Product(Transposed(at.transformation), at.gradient);
  Matrix part(k, k);
  for (size_t i = 0; i < k; ++i)
    for (size_t j = 0; j < k; ++j)
      part(i, j) = !oblique ? (inner(i, j) + inner(j, i)) / 2 : i == j ? inner(i, i) : 0;
  Matrix projected = Product(at.transformation, part);
  for (size_t c = 0; c < projected.cells.size(); ++c)
    projected.cells[c] = at.gradient.cells[c] - projected.cells[c];
  return projected;
}

Matrix OnManifold(Matrix matrix, bool oblique) {
  if (!oblique) return NearestOrthogonal(matrix);
  for (size_t j = 0; j < matrix.columns; ++j) {
    double square = 0;
    for (size_t i = 0; i < matrix.rows; ++i) square += matrix(i, j) * matrix(i, j);
    for (size_t i = 0; i < matrix.rows; ++i) matrix(i, j) /= std::sqrt(square);
  }
  return matrix;
}

Rotated ProjectGradient(const Matrix& a, Rotation rotation) {
  const bool oblique = rotation == Rotation::kOblimin || rotation == Rotation::kGeomin;
  Point at = Evaluate(a, Matrix::Identity(a.columns), rotation, oblique);
  double length = 1;
  bool converged = false;
  for (int step = 0; step < kMaxSteps && !converged; ++step) {
    const Matrix direction = Projected(at, oblique);
    const double slope = SumOfSquares(direction);
    converged = std::sqrt(slope) < kGradientTolerance;
    if (converged) break;
    length *= 2;
    bool fell = false;
    for (; length > 1e-12; length /= 2) {
      Matrix next = at.transformation;
      for (size_t c = 0; c < next.cells.size(); ++c) next.cells[c] -= length * direction.cells[c];
      Point there = Evaluate(a, OnManifold(std::move(next), oblique), rotation, oblique);
      fell = there.value < at.value - slope * length / 2;
      if (fell) at = std::move(there);
      if (fell) break;
    }
    if (fell) continue;
    // What is left of the slope is rounding.
    converged = std::sqrt(slope) < 1e-5;
    break;
  }
  Matrix correlations = Product(Transposed(at.transformation), at.transformation);
  return {std::move(at.loadings), std::move(correlations), converged};
}

Rotated Promax(Rotated varimax) {
  const Matrix& x = varimax.loadings;
  Matrix target = x;
  for (double& cell : target.cells) cell *= std::pow(std::abs(cell), kPromaxPower - 1);
  const Matrix cross = Transposed(x);
  Matrix u = Product(InvertSymmetric(Product(cross, x)).inverse, Product(cross, target));
  const SymmetricInverse scale = InvertSymmetric(Product(Transposed(u), u));
  if (!scale.is_positive) return varimax;
  for (size_t i = 0; i < u.rows; ++i)
    for (size_t j = 0; j < u.columns; ++j) u(i, j) *= std::sqrt(scale.inverse(j, j));
  return {Product(x, u), InvertSymmetric(Product(Transposed(u), u)).inverse, varimax.converged};
}

}  // namespace

Rotated RotateFactors(const Matrix& loadings, Rotation rotation, bool kaiser_normalize) {
  if (rotation == Rotation::kNone || loadings.columns == 1)
    return {loadings, Matrix::Identity(loadings.columns)};
  Matrix scaled = loadings;
  std::vector<double> lengths(loadings.rows, 1);
  for (size_t i = 0; i < loadings.rows && kaiser_normalize; ++i) {
    double square = 0;
    for (size_t j = 0; j < loadings.columns; ++j) square += loadings(i, j) * loadings(i, j);
    if (square > 0) lengths[i] = std::sqrt(square);
    for (size_t j = 0; j < loadings.columns; ++j) scaled(i, j) /= lengths[i];
  }
  Rotated rotated = ProjectGradient(scaled, rotation);
  for (size_t i = 0; i < loadings.rows; ++i)
    for (size_t j = 0; j < loadings.columns; ++j) rotated.loadings(i, j) *= lengths[i];
  return rotation == Rotation::kPromax ? Promax(std::move(rotated)) : rotated;
}

}  // namespace braid::ml
