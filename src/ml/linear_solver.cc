// SPDX-License-Identifier: Apache-2.0
#include "ml/linear_solver.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace braid::ml {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMatrix = Eigen::Map<const Matrix>;
using ConstVector = Eigen::Map<const Eigen::VectorXd>;

// Products of columns carry relative errors of some units in the last place, so eigenvalues below
// this share of the largest tell nothing.
constexpr double kGramTolerance = 1e-12;
// The same for the singular values of rows.
constexpr double kRowTolerance = 1e-13;
constexpr Eigen::Index kBlockRows = 512;

Eigen::Index Signed(size_t n) { return static_cast<Eigen::Index>(n); }

std::vector<double> ToVector(const Eigen::VectorXd& x) { return {x.data(), x.data() + x.size()}; }

// The condition after every column got the same length: a rare category is short, not
// ill-conditioned.
double ScaledCondition(Matrix gram, size_t structural_zeros) {
  Eigen::VectorXd scale = gram.diagonal().cwiseMax(0).cwiseSqrt();
  for (double& value : scale) value = value > 0 ? 1 / value : 0;
  gram = scale.asDiagonal() * gram * scale.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(gram, Eigen::EigenvaluesOnly);
  const Eigen::Index last = gram.rows() - 1;
  const double least = eigen.eigenvalues()[std::min(Signed(structural_zeros), last)];
  return least > 0 ? eigen.eigenvalues()[last] / least : std::numeric_limits<double>::infinity();
}

}  // namespace

LinearSolution SolveGram(std::span<const double> gram, std::span<const double> right, double ridge,
                         size_t structural_zeros) {
  const size_t n = right.size();
  const ConstMatrix matrix(gram.data(), Signed(n), Signed(n));
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(matrix);
  if (eigen.info() != Eigen::Success)
    throw Error(ErrorCode::kTrainingData, "The least-squares equations have no numeric solution");
  const Eigen::VectorXd values = eigen.eigenvalues().array() + ridge;
  const double largest = values[Signed(n) - 1];
  LinearSolution solution{.x = std::vector<double>(n)};
  if (!(largest > 0)) return solution;
  Eigen::VectorXd projected =
      eigen.eigenvectors().transpose() * ConstVector(right.data(), Signed(n));
  for (Eigen::Index i = 0; i < Signed(n); ++i) {
    const bool kept = values[i] > kGramTolerance * largest;
    solution.rank += kept ? 1 : 0;
    projected[i] = kept ? projected[i] / values[i] : 0;
  }
  Matrix penalised = matrix;
  penalised.diagonal().array() += ridge;
  solution.condition = ScaledCondition(std::move(penalised), ridge > 0 ? 0 : structural_zeros);
  solution.x = ToVector(eigen.eigenvectors() * projected);
  return solution;
}

std::vector<double> SolveLasso(std::span<const double> gram, std::span<const double> right,
                               double lasso, double ridge, size_t free, std::vector<double> start) {
  const size_t n = right.size();
  std::vector<double>& x = start;
  std::vector<double> slope(right.begin(), right.end());  // right - gram·x
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) slope[i] -= gram[i * n + j] * x[j];
  constexpr int kMostSweeps = 100'000;
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double moved = 0;
    double size = 0;
    for (size_t j = 0; j < n; ++j) {
      const bool penalised = j + free < n;
      const double curvature = gram[j * n + j] + (penalised ? ridge : 0);
      if (!(curvature > 0)) continue;
      const double pull = slope[j] + gram[j * n + j] * x[j];
      const double threshold = penalised ? lasso : 0;
      const double next =
          std::abs(pull) <= threshold ? 0 : (pull - std::copysign(threshold, pull)) / curvature;
      const double step = next - x[j];
      if (step != 0)
        for (size_t i = 0; i < n; ++i) slope[i] -= gram[j * n + i] * step;
      x[j] = next;
      moved = std::max(moved, std::abs(step) * std::sqrt(curvature));
      size = std::max(size, std::abs(next) * std::sqrt(curvature));
    }
    if (moved <= 1e-13 * size) break;
  }
  return start;
}

std::vector<std::vector<double>> NullSpace(std::span<const double> gram, size_t size) {
  std::vector<std::vector<double>> directions;
  if (size == 0) return directions;
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(
      ConstMatrix(gram.data(), Signed(size), Signed(size)));
  if (eigen.info() != Eigen::Success)
    throw Error(ErrorCode::kTrainingData, "The inputs' products cannot be decomposed");
  const double largest = eigen.eigenvalues()[Signed(size) - 1];
  for (Eigen::Index i = 0; i < Signed(size); ++i)
    if (eigen.eigenvalues()[i] <= kGramTolerance * largest)
      directions.push_back(ToVector(eigen.eigenvectors().col(i)));
  return directions;
}

std::vector<double> SolvePositive(std::span<const double> hessian, std::span<const double> right) {
  const Eigen::Index n = Signed(right.size());
  Matrix matrix = ConstMatrix(hessian.data(), n, n);
  const ConstVector b(right.data(), n);
  double added = 0;
  const double scale = std::max(matrix.diagonal().cwiseAbs().maxCoeff(), 1e-300);
  for (int attempt = 0; attempt < 20; ++attempt) {
    const Eigen::LLT<Matrix> cholesky(matrix);
    if (cholesky.info() == Eigen::Success) {
      const Eigen::VectorXd x = cholesky.solve(b);
      if (x.allFinite()) return ToVector(x);
    }
    const double next = added == 0 ? 1e-14 * scale : added * 10;
    matrix.diagonal().array() += next - added;
    added = next;
  }
  throw Error(ErrorCode::kTrainingData, "The second derivatives of the loss are not finite");
}

EigenPairs DecomposeSymmetric(std::span<const double> matrix, size_t size) {
  BRAID_CHECK(matrix.size() == size * size);
  const auto n = static_cast<Eigen::Index>(size);
  const Eigen::Map<const Eigen::MatrixXd> symmetric(matrix.data(), n, n);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  EigenPairs pairs{std::vector<double>(size), std::vector<double>(size * size)};
  for (size_t k = 0; k < size; ++k) {
    const auto from = static_cast<Eigen::Index>(size - 1 - k);
    pairs.values[k] = solver.eigenvalues()[from];
    const auto vector = solver.eigenvectors().col(from);
    Eigen::Index greatest = 0;
    vector.cwiseAbs().maxCoeff(&greatest);
    const double sign = vector[greatest] < 0 ? -1 : 1;
    for (size_t i = 0; i < size; ++i)
      pairs.vectors[k * size + i] = sign * vector[static_cast<Eigen::Index>(i)];
  }
  return pairs;
}

struct RowDecomposition::State {
  explicit State(size_t columns)
      : width(Signed(columns) + 1), block(Eigen::MatrixXd::Zero(width + kBlockRows, width)) {}

  // Leaves the triangular factor of all rows so far in the block's first rows.
  void Reduce() {
    const Eigen::Index rows = width + filled;
    Eigen::HouseholderQR<Eigen::MatrixXd> qr(block.topRows(rows));
    block.setZero();
    block.topRows(width) = qr.matrixQR().topRows(width).triangularView<Eigen::Upper>();
    filled = 0;
  }

  Eigen::Index width;
  Eigen::MatrixXd block;
  Eigen::Index filled = 0;
};

RowDecomposition::RowDecomposition(size_t columns) : state_(std::make_unique<State>(columns)) {}
RowDecomposition::~RowDecomposition() = default;

void RowDecomposition::Add(std::span<const double> row) {
  BRAID_CHECK(Signed(row.size()) == state_->width);
  if (state_->filled == kBlockRows) state_->Reduce();
  state_->block.row(state_->width + state_->filled++) =
      Eigen::Map<const Eigen::RowVectorXd>(row.data(), Signed(row.size()));
}

LinearSolution RowDecomposition::Solve(double ridge) {
  const Eigen::Index n = state_->width - 1;
  if (ridge > 0) {
    std::vector<double> row(static_cast<size_t>(n) + 1);
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
      row[i] = std::sqrt(ridge);
      Add(row);
      row[i] = 0;
    }
  }
  state_->Reduce();
  Eigen::BDCSVD<Eigen::MatrixXd> svd(state_->block.topLeftCorner(n, n),
                                     Eigen::ComputeThinU | Eigen::ComputeThinV);
  svd.setThreshold(kRowTolerance);
  LinearSolution solution{.x = std::vector<double>(static_cast<size_t>(n))};
  solution.rank = static_cast<size_t>(svd.rank());
  if (solution.rank == 0) return solution;
  solution.x = ToVector(svd.solve(state_->block.col(n).head(n)));
  const double ratio = svd.singularValues()[0] / svd.singularValues()[svd.rank() - 1];
  solution.condition = ratio * ratio;
  return solution;
}

}  // namespace braid::ml
