// SPDX-License-Identifier: Apache-2.0
#include "ml/factorization/alternating_squares.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "ml/kernels.h"
#include "ml/linear_solver.h"
#include "ml/parallel.h"
#include "ml/random_stream.h"

namespace braid::ml {

namespace {

// Rows that a thread takes at a time.
constexpr size_t kBlockRows = 64;

// lower += weight · x·x', of which only the lower triangle is kept.
void AddProduct(std::vector<double>& lower, const double* x, size_t size, double weight) {
  for (size_t i = 0; i < size; ++i) {
    double* row = &lower[i * size];
    const double scaled = weight * x[i];
    for (size_t j = 0; j <= i; ++j) row[j] += scaled * x[j];
  }
}

void MirrorLower(std::vector<double>& lower, size_t size) {
  for (size_t i = 0; i < size; ++i)
    for (size_t j = 0; j < i; ++j) lower[j * size + i] = lower[i * size + j];
}

double SquaredNorm(const std::vector<double>& values) {
  return Dot(values.data(), values.data(), values.size());
}

FactorSide MakeSide(size_t rows, size_t width, bool has_biases) {
  return {width, std::vector<double>(rows * width), std::vector<double>(has_biases ? rows : 0)};
}

}  // namespace

AlternatingSquares::AlternatingSquares(const Ratings& ratings, const FactorizationOptions& options,
                                       size_t factors, int64_t seed, size_t threads,
                                       std::stop_token stop)
    : ratings_(ratings),
      options_(options),
      threads_(threads),
      stop_(std::move(stop)),
      users_(MakeSide(ratings.users.size(), factors, is_explicit())),
      items_(MakeSide(ratings.items.size(), factors, is_explicit())) {
  if (is_explicit()) {
    for (const SparseRows::Entry& entry : ratings.by_user.entries) mean_ += entry.value;
    mean_ /= static_cast<double>(ratings.count());
  }
  RandomStream random(seed);
  const double scale = 1 / std::sqrt(static_cast<double>(factors));
  for (double& factor : users_.factors) factor = scale * (2 * random.Uniform() - 1);
}

void AlternatingSquares::ForEachRow(size_t rows, const std::function<void(size_t)>& visit) const {
  ForEachPart((rows + kBlockRows - 1) / kBlockRows, threads_, [&](size_t block) {
    ThrowIfStopped(stop_);
    const size_t end = std::min(rows, (block + 1) * kBlockRows);
    for (size_t row = block * kBlockRows; row < end; ++row) visit(row);
  });
}

void AlternatingSquares::Iterate() {
  Solve(ratings_.by_item, users_, items_);
  Solve(ratings_.by_user, items_, users_);
}

double AlternatingSquares::Predict(size_t user, size_t item) const {
  return mean_ + users_.Bias(user) + items_.Bias(item) +
         Dot(users_.Row(user), items_.Row(item), users_.width);
}

std::vector<double> AlternatingSquares::Products(const FactorSide& side) const {
  const size_t width = side.width;
  const size_t rows = side.factors.size() / width;
  // Sums of blocks, added up in order.
  std::vector<std::vector<double>> sums((rows + kBlockRows - 1) / kBlockRows,
                                        std::vector<double>(width * width));
  ForEachRow(rows,
             [&](size_t row) { AddProduct(sums[row / kBlockRows], side.Row(row), width, 1); });
  std::vector<double> total(width * width, 0);
  for (const std::vector<double>& sum : sums)
    for (size_t i = 0; i < total.size(); ++i) total[i] += sum[i];
  return total;
}

void AlternatingSquares::Solve(const SparseRows& ratings, const FactorSide& fixed,
                               FactorSide& solved) {
  const std::vector<double> products = is_explicit() ? std::vector<double>() : Products(fixed);
  ForEachRow(ratings.size(), [&](size_t row) { SolveRow(ratings, fixed, products, row, solved); });
}

void AlternatingSquares::SolveRow(const SparseRows& ratings, const FactorSide& fixed,
                                  const std::vector<double>& products, size_t row,
                                  FactorSide& solved) const {
  const size_t width = fixed.width;
  const size_t size = width + (is_explicit() ? 1 : 0);
  std::vector<double> gram = is_explicit() ? std::vector<double>(size * size) : products;
  std::vector<double> right(size);
  std::vector<double> regressors(size, 1.0);  // the last one is the bias's
  for (size_t at = ratings.begin[row]; at < ratings.begin[row + 1]; ++at) {
    const auto& [column, value] = ratings.entries[at];
    std::copy_n(fixed.Row(column), width, regressors.begin());
    const double confidence = 1 + options_.wals_alpha * value;
    AddProduct(gram, regressors.data(), size, is_explicit() ? 1 : confidence - 1);
    const double target = is_explicit() ? value - mean_ - fixed.Bias(column) : confidence;
    for (size_t i = 0; i < size; ++i) right[i] += target * regressors[i];
  }
  for (size_t i = 0; i < size; ++i) gram[i * size + i] += options_.l2_reg;
  MirrorLower(gram, size);
  const std::vector<double> solution = SolvePositive(gram, right);
  std::copy_n(solution.begin(), width, solved.Row(row));
  if (is_explicit()) solved.biases[row] = solution.back();
}

double AlternatingSquares::SquaredErrors() const {
  const SparseRows& rows = ratings_.by_user;
  std::vector<double> sums(rows.size());
  ForEachRow(rows.size(), [&](size_t user) {
    for (size_t at = rows.begin[user]; at < rows.begin[user + 1]; ++at) {
      const auto& [item, value] = rows.entries[at];
      const double score = Predict(user, item);
      if (is_explicit())
        sums[user] += (value - score) * (value - score);
      else  // beyond what the pair adds to the sum over all pairs, below
        sums[user] += (1 + options_.wals_alpha * value) * (1 - score) * (1 - score) - score * score;
    }
  });
  double total = std::accumulate(sums.begin(), sums.end(), 0.0);
  if (is_explicit()) return total;
  // Σ (x·y)² of all pairs is the trace of the product of both sides' products.
  const std::vector<double> users = Products(users_);
  const std::vector<double> items = Products(items_);
  const size_t width = users_.width;
  for (size_t i = 0; i < width; ++i)
    for (size_t j = 0; j <= i; ++j)
      total += (i == j ? 1 : 2) * users[i * width + j] * items[i * width + j];
  return total;
}

double AlternatingSquares::Objective() const {
  return SquaredErrors() +
         options_.l2_reg * (SquaredNorm(users_.factors) + SquaredNorm(users_.biases) +
                            SquaredNorm(items_.factors) + SquaredNorm(items_.biases));
}

double AlternatingSquares::Loss() const {
  return SquaredErrors() / (is_explicit() ? static_cast<double>(ratings_.count())
                                          : static_cast<double>(ratings_.users.size()) *
                                                static_cast<double>(ratings_.items.size()));
}

double AlternatingSquares::MeanSquaredError(const std::vector<Rating>& ratings) const {
  double sum = 0;
  for (const Rating& rating : ratings) {
    const double error = rating.value - Predict(rating.user, rating.item);
    sum += error * error;
  }
  return sum / static_cast<double>(ratings.size());
}

}  // namespace braid::ml
