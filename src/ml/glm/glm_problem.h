// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "ml/glm/design.h"

namespace braid::ml {

// What a GLM minimises, as a function of its parameters:
//   F = Σ v·loss(y, score) + l2/2·‖β‖² + l1·‖β‖₁,   v = row weight · class weight.
// A parameter vector holds, for each of Q free scores, the features' β and then the intercept,
// which belongs to centred features (no intercept: not centred, and that parameter stays 0).
// Squared error and two classes have one free score. For K > 2 classes the scores sum to zero over
// the classes, as they do at any penalised optimum, so K - 1 free scores span them through an
// orthonormal basis; β's norm is the same in both.
class GlmProblem {
 public:
  GlmProblem(const GlmRequest& request, const Design& design);

  size_t size() const { return free_scores_ * stride(); }
  size_t stride() const { return design_.features + 1; }
  size_t free_scores() const { return free_scores_; }
  const Design& design() const { return design_; }
  double l1() const { return l1_; }
  double l2() const { return l2_; }
  bool fit_intercept() const { return fit_intercept_; }
  double weight_sum() const { return weight_sum_; }

  // Moves to a point; the functions below are about the point last moved to. Returns F.
  double MoveTo(std::span<const double> parameters);
  // The mean loss without penalties: squared error, or log loss.
  double MeanLoss() const;
  // Of the smooth part (without l1).
  std::vector<double> Gradient() const;
  std::vector<double> Hessian() const;
  std::vector<double> HessianTimes(std::span<const double> direction) const;
  // Norm of the subgradient of F that is least, given Gradient().
  double GradientNorm(std::span<const double> gradient) const;
  // F's penalties at other parameters.
  double Penalty(std::span<const double> parameters) const;

  // The covariance of a score's [β, centred intercept], one a score of the model, from that of the
  // parameters.
  std::vector<std::vector<double>> CoefficientCovariances(std::span<const double> covariance) const;
  // One vector a score of the model: β of the features as they are, then the intercept.
  std::vector<std::vector<double>> Coefficients() const;
  // The parameters with these coefficients, one vector a class (regression: one); of their scores
  // what all classes share makes no difference and is left out.
  std::vector<double> ParametersOf(const std::vector<std::vector<double>>& coefficients) const;

 private:
  void FindScores(std::span<const double> parameters, std::vector<double>& out) const;
  double FindLogLosses();
  std::vector<double> Residuals(size_t score) const;
  std::vector<double> Curvature(size_t score, size_t other) const;
  std::vector<double> Back(std::span<const double> row_values) const;
  double Basis(size_t label, size_t score) const { return basis_[label * free_scores_ + score]; }

  const Design& design_;
  bool squared_;
  bool fit_intercept_;
  double l1_;
  double l2_;
  size_t classes_;
  size_t free_scores_;
  std::vector<double> basis_;    // classes × free scores
  std::vector<double> centre_;   // of the features
  std::vector<double> weights_;  // v
  double weight_sum_ = 0;
  double label_mean_ = 0;  // squared error: labels are centred
  std::vector<double> parameters_;
  std::vector<double> scores_;         // free scores × rows
  std::vector<double> probabilities_;  // classes × rows
  double loss_ = 0;
};

}  // namespace braid::ml
