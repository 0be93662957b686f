// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <vector>

namespace braid::ml {

// A small dense matrix, row by row: p inputs by k factors, or square.
struct Matrix {
  Matrix() = default;
  Matrix(size_t row_count, size_t column_count)
      : rows(row_count), columns(column_count), cells(row_count * column_count) {}
  static Matrix Identity(size_t size);

  double& operator()(size_t i, size_t j) { return cells[i * columns + j]; }
  double operator()(size_t i, size_t j) const { return cells[i * columns + j]; }

  size_t rows = 0;
  size_t columns = 0;
  std::vector<double> cells;
};

Matrix Product(const Matrix& left, const Matrix& right);
Matrix Transposed(const Matrix& matrix);
// By elimination with pivots; throws kInternal for a singular matrix.
Matrix Inverse(const Matrix& matrix);
// The orthogonal matrix nearest to a square, regular one.
Matrix NearestOrthogonal(const Matrix& matrix);
double SumOfSquares(const Matrix& matrix);

// What a symmetric matrix's eigenvalues tell: its rank, and while it is positive its determinant.
struct SymmetricInverse {
  Matrix inverse;  // of Moore and Penrose: directions without variance are left out
  size_t rank = 0;
  bool is_positive = false;  // of full rank
  double log_determinant = 0;
};
SymmetricInverse InvertSymmetric(const Matrix& matrix);

}  // namespace braid::ml
