// SPDX-License-Identifier: Apache-2.0
// Gradient projection (Jennrich 2001 for orthogonal, 2002 for oblique rotations), the criteria as
// in Bernaards and Jennrich (2005). Promax (Hendrickson and White 1964): least squares to the
// fourth powers of the varimax loadings. Criteria have several minima, hence several starts (Nguyen
// and Waller, Local minima and factor rotations in exploratory factor analysis, 2022).
#include "ml/factor/factor_rotation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ml/parallel.h"
#include "ml/random_stream.h"
#include "ml/training.h"

namespace braid::ml {

namespace {

constexpr double kGradientTolerance = 1e-9;
// Of a slope at which the criterion is known to 10 digits: so far each start goes, the best goes
// on.
constexpr double kLooseTolerance = 1e-5;
constexpr double kEqualValue = 1e-8;
constexpr int kMaxSteps = 5000;
constexpr double kGeominOffset = 0.01;
constexpr double kPromaxPower = 4;

// Promax descends as varimax.
constexpr bool IsObliqueRotation(Rotation rotation) {
  return IsOblique(rotation) && rotation != Rotation::kPromax;
}

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

struct Descent {
  Point at;
  bool converged = false;
};

// Down from a point until the slope is below the tolerance.
Descent Descend(const Matrix& a, Point start, Rotation rotation, double tolerance, int most_steps) {
  const bool oblique = IsObliqueRotation(rotation);
  Descent descent{.at = std::move(start)};
  Point& at = descent.at;
  double length = 1;
  for (int step = 0; step < most_steps; ++step) {
    const Matrix direction = Projected(at, oblique);
    const double slope = SumOfSquares(direction);
    descent.converged = std::sqrt(slope) < tolerance;
    if (descent.converged) break;
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
    descent.converged = std::sqrt(slope) < kLooseTolerance;
    break;
  }
  return descent;
}

// The first start is no rotation; of the others the nearest orthogonal matrices to normal random
// numbers, which are spread evenly over all rotations.
std::vector<Matrix> Starts(size_t factors, const RotationSearch& search) {
  std::vector<Matrix> starts = {Matrix::Identity(factors)};
  RandomStream random(search.seed);
  while (static_cast<int64_t>(starts.size()) < search.starts) {
    Matrix drawn(factors, factors);
    for (double& cell : drawn.cells) cell = random.Gaussian();
    starts.push_back(NearestOrthogonal(drawn));
  }
  return starts;
}

Rotated LeastCriterion(const Matrix& a, Rotation rotation, const RotationSearch& search) {
  const bool oblique = IsObliqueRotation(rotation);
  const std::vector<Matrix> starts = Starts(a.columns, search);
  std::vector<Descent> found(starts.size());
  ForEachPart(starts.size(), search.threads, [&](size_t i) {
    ThrowIfStopped(search.stop);
    found[i] =
        Descend(a, Evaluate(a, starts[i], rotation, oblique), rotation, kLooseTolerance, kMaxSteps);
  });
  size_t best = 0;
  for (size_t i = 1; i < found.size(); ++i) {
    const double least = found[best].at.value;
    if (found[i].at.value < least - kEqualValue * std::abs(least)) best = i;
  }
  ThrowIfStopped(search.stop);
  Descent end = Descend(a, std::move(found[best].at), rotation, kGradientTolerance, kMaxSteps);
  Matrix correlations = Product(Transposed(end.at.transformation), end.at.transformation);
  return {.loadings = std::move(end.at.loadings),
          .correlations = std::move(correlations),
          .criterion = end.at.value,
          .converged = end.converged};
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
  return {.loadings = Product(x, u),
          .correlations = InvertSymmetric(Product(Transposed(u), u)).inverse,
          .criterion = varimax.criterion,
          .converged = varimax.converged};
}

}  // namespace

Rotated RotateFactors(const Matrix& loadings, Rotation rotation, bool kaiser_normalize,
                      const RotationSearch& search) {
  if (rotation == Rotation::kNone || loadings.columns == 1)
    return {.loadings = loadings, .correlations = Matrix::Identity(loadings.columns)};
  Matrix scaled = loadings;
  std::vector<double> lengths(loadings.rows, 1);
  for (size_t i = 0; i < loadings.rows && kaiser_normalize; ++i) {
    double square = 0;
    for (size_t j = 0; j < loadings.columns; ++j) square += loadings(i, j) * loadings(i, j);
    if (square > 0) lengths[i] = std::sqrt(square);
    for (size_t j = 0; j < loadings.columns; ++j) scaled(i, j) /= lengths[i];
  }
  Rotated rotated = LeastCriterion(scaled, rotation, search);
  for (size_t i = 0; i < loadings.rows; ++i)
    for (size_t j = 0; j < loadings.columns; ++j) rotated.loadings(i, j) *= lengths[i];
  return rotation == Rotation::kPromax ? Promax(std::move(rotated)) : rotated;
}

}  // namespace braid::ml
