// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

// Dense linear algebra on plain arrays; Eigen stays in linear_solver.cc. Matrices are row by row.
namespace braid::ml {

struct LinearSolution {
  std::vector<double> x;
  size_t rank = 0;
  // Largest eigenvalue over the smallest that is not structurally zero (infinite if that is zero
  // too).
  double condition = 1;
};

// Solves (gram + ridge·I) x = right, gram symmetric and not negative: least norm when singular. Of
// its eigenvalues the `structural_zeros` smallest are known to be zero but for rounding.
LinearSolution SolveGram(std::span<const double> gram, std::span<const double> right, double ridge,
                         size_t structural_zeros);

// Minimises x'·gram·x/2 - right'·x + lasso·‖x‖₁ + ridge/2·‖x‖² by coordinate descent from `start`;
// `free` is the number of coordinates at the end that are not penalised.
std::vector<double> SolveLasso(std::span<const double> gram, std::span<const double> right,
                               double lasso, double ridge, size_t free, std::vector<double> start);

// Orthonormal directions along which a symmetric, non-negative matrix vanishes, one after the
// other.
std::vector<std::vector<double>> NullSpace(std::span<const double> gram, size_t size);

// Solves hessian·x = right for a positive matrix; if rounding made it indefinite, a multiple of the
// identity is added.
std::vector<double> SolvePositive(std::span<const double> hessian, std::span<const double> right);

// Eigenvalues of a symmetric matrix, falling, and orthonormal eigenvectors: vectors[k·size + i] is
// coordinate i of the k-th, its coordinate of greatest magnitude positive.
struct EigenPairs {
  std::vector<double> values;
  std::vector<double> vectors;
};
EigenPairs DecomposeSymmetric(std::span<const double> matrix, size_t size);

// Least squares by orthogonal decomposition of rows that arrive in blocks, in memory for one block:
// loses half as many digits as products do.
class RowDecomposition {
 public:
  explicit RowDecomposition(size_t columns);
  ~RowDecomposition();
  RowDecomposition(const RowDecomposition&) = delete;
  RowDecomposition& operator=(const RowDecomposition&) = delete;
  // A row: the columns, then the right-hand side.
  void Add(std::span<const double> row);
  // Least norm when the columns are dependent.
  LinearSolution Solve(double ridge);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::ml
