// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <stop_token>
#include <vector>

#include "ml/factorization/factor_side.h"
#include "ml/factorization/ratings.h"

namespace braid::ml {

// Alternating least squares: with the users fixed the best items are least squares problems of
// their own, and the other way round.
//   Explicit: Σ (r - μ - b_u - c_i - x_u·y_i)² + λ·Σ (‖x_u‖² + b_u²) + λ·Σ (‖y_i‖² + c_i²), over
//   the ratings; μ is their mean (Koren, Bell and Volinsky 2009).
//   Implicit: Σ (1 + α·r)·([r > 0] - x_u·y_i)² + λ·Σ ‖x_u‖² + λ·Σ ‖y_i‖², over all pairs, r = 0
//   where there is none (Hu, Koren and Volinsky 2008).
// The outcome does not depend on the number of threads.
class AlternatingSquares {
 public:
  // `ratings` outlive this. The users start at random, by `seed`.
  AlternatingSquares(const Ratings& ratings, const FactorizationOptions& options, size_t factors,
                     int64_t seed, size_t threads, std::stop_token stop);

  // Solves the items, then the users. Throws kInterrupted.
  void Iterate();

  double mean() const { return mean_; }
  const FactorSide& users() const { return users_; }
  const FactorSide& items() const { return items_; }
  // What is minimised.
  double Objective() const;
  // Explicit: the mean squared error of the ratings. Implicit: the mean over all pairs of the
  // squared error times the confidence.
  double Loss() const;
  double MeanSquaredError(const std::vector<Rating>& ratings) const;

 private:
  bool is_explicit() const { return options_.feedback == Feedback::kExplicit; }
  double Predict(size_t user, size_t item) const;
  // By all threads, in no order; throws kInterrupted.
  void ForEachRow(size_t rows, const std::function<void(size_t)>& visit) const;
  void Solve(const SparseRows& ratings, const FactorSide& fixed, FactorSide& solved);
  void SolveRow(const SparseRows& ratings, const FactorSide& fixed,
                const std::vector<double>& products, size_t row, FactorSide& solved) const;
  // Σ y·y' of all rows.
  std::vector<double> Products(const FactorSide& side) const;
  double SquaredErrors() const;

  const Ratings& ratings_;
  FactorizationOptions options_;
  size_t threads_;
  std::stop_token stop_;
  double mean_ = 0;
  FactorSide users_;
  FactorSide items_;
};

}  // namespace braid::ml
