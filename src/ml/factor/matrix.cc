// SPDX-License-Identifier: Apache-2.0
#include "ml/factor/matrix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "ml/linear_solver.h"

namespace braid::ml {

namespace {

// Eigenvalues below this share of the largest are rounding.
constexpr double kRankTolerance = 1e-12;

}  // namespace

Matrix Matrix::Identity(size_t size) {
  Matrix identity(size, size);
  for (size_t i = 0; i < size; ++i) identity(i, i) = 1;
  return identity;
}

Matrix Product(const Matrix& left, const Matrix& right) {
  BRAID_CHECK(left.columns == right.rows);
  Matrix product(left.rows, right.columns);
  for (size_t i = 0; i < left.rows; ++i)
    for (size_t k = 0; k < left.columns; ++k)
      for (size_t j = 0; j < right.columns; ++j) product(i, j) += left(i, k) * right(k, j);
  return product;
}

Matrix Transposed(const Matrix& matrix) {
  Matrix transposed(matrix.columns, matrix.rows);
  for (size_t i = 0; i < matrix.rows; ++i)
    for (size_t j = 0; j < matrix.columns; ++j) transposed(j, i) = matrix(i, j);
  return transposed;
}

Matrix Inverse(const Matrix& matrix) {
  const size_t n = matrix.rows;
  BRAID_CHECK(n == matrix.columns);
  Matrix left = matrix;
  Matrix right = Matrix::Identity(n);
  for (size_t c = 0; c < n; ++c) {
    size_t pivot = c;
    for (size_t i = c + 1; i < n; ++i)
      if (std::abs(left(i, c)) > std::abs(left(pivot, c))) pivot = i;
    BRAID_CHECK(left(pivot, c) != 0);
    for (size_t j = 0; j < n; ++j) {
      std::swap(left(c, j), left(pivot, j));
      std::swap(right(c, j), right(pivot, j));
    }
    const double scale = 1 / left(c, c);
    for (size_t j = 0; j < n; ++j) {
      left(c, j) *= scale;
      right(c, j) *= scale;
    }
    for (size_t i = 0; i < n; ++i) {
      const double factor = left(i, c);
      if (i == c || factor == 0) continue;
      for (size_t j = 0; j < n; ++j) {
        left(i, j) -= factor * left(c, j);
        right(i, j) -= factor * right(c, j);
      }
    }
  }
  return right;
}

Matrix NearestOrthogonal(const Matrix& matrix) {
  const size_t n = matrix.rows;
  const EigenPairs pairs = DecomposeSymmetric(Product(Transposed(matrix), matrix).cells, n);
  Matrix root(n, n);  // (matrix'·matrix)^-½
  for (size_t k = 0; k < n; ++k)
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j)
        root(i, j) += pairs.vectors[k * n + i] * pairs.vectors[k * n + j] /
                      std::sqrt(std::max(pairs.values[k], 1e-300));
  return Product(matrix, root);
}

double SumOfSquares(const Matrix& matrix) {
  double sum = 0;
  for (const double cell : matrix.cells) sum += cell * cell;
  return sum;
}

SymmetricInverse InvertSymmetric(const Matrix& matrix) {
  const size_t n = matrix.rows;
  const EigenPairs pairs = DecomposeSymmetric(matrix.cells, n);
  SymmetricInverse result{.inverse = Matrix(n, n)};
  for (size_t k = 0; k < n; ++k) {
    if (!(pairs.values[k] > kRankTolerance * pairs.values[0])) continue;
    ++result.rank;
    result.log_determinant += std::log(pairs.values[k]);
    const double* vector = &pairs.vectors[k * n];
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j)
        result.inverse(i, j) += vector[i] * vector[j] / pairs.values[k];
  }
  result.is_positive = result.rank == n;
  return result;
}

}  // namespace braid::ml
