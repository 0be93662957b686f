// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_solvers.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "ml/linear_solver.h"

namespace braid::ml {

namespace {

constexpr double kConverged = 1e-8;  // of the gradient at the start
constexpr double kPolished = 1e-13;
constexpr int kMostNewtonSteps = 100;
constexpr size_t kMostDenseParameters = 1200;
// A Newton step that is still this large against the parameters when the slope is all but gone.
constexpr double kDivergingStep = 1e-3;

using Clock = std::chrono::steady_clock;

double Product(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double Norm(std::span<const double> a) { return std::sqrt(Product(a, a)); }

std::vector<double> Along(std::span<const double> from, std::span<const double> direction,
                          double step) {
  std::vector<double> point(from.begin(), from.end());
  for (size_t i = 0; i < point.size(); ++i) point[i] += step * direction[i];
  return point;
}

class Newton {
 public:
  Newton(GlmProblem& problem, std::vector<double> start, const TrainingControl& control)
      : problem_(problem), control_(control), parameters_(std::move(start)) {
    dense_ = problem.size() <= kMostDenseParameters;
    if (problem.l1() > 0 && (!dense_ || problem.free_scores() > 1))
      throw Error(ErrorCode::kNotSupported,
                  "L1_REG is not available for several classes or very many categories",
                  "use L2_REG");
    if (dense_ && problem.l1() == 0 && problem.l2() == 0) FindNullSpace();
    LeaveNullSpace();
  }

  SolverRun Run() {
    SolverRun run;
    // What counts as flat is the same wherever the run begins.
    double value = problem_.MoveTo(std::vector<double>(problem_.size()));
    std::vector<double> gradient = problem_.Gradient();
    double norm = problem_.GradientNorm(gradient);
    // Rounding alone gives a slope of this size.
    const double floor = 1e-15 * std::sqrt(value * problem_.weight_sum());
    const double start = std::max(norm, floor);
    if (Norm(parameters_) > 0) {
      value = problem_.MoveTo(parameters_);
      gradient = problem_.Gradient();
      norm = problem_.GradientNorm(gradient);
    }
    for (int iteration = 0; iteration < kMostNewtonSteps && norm > floor; ++iteration) {
      const auto began = Clock::now();
      ThrowIfStopped(control_);
      const std::vector<double> direction = Direction(gradient, norm / start);
      const std::optional<double> step = Search(gradient, direction, value);
      if (!step) break;
      gradient = problem_.Gradient();
      const double previous = std::exchange(norm, problem_.GradientNorm(gradient));
      const std::chrono::duration<double, std::milli> elapsed = Clock::now() - began;
      run.info.push_back({.iteration = iteration,
                          .loss = problem_.MeanLoss(),
                          .learning_rate = step,
                          .duration_ms = elapsed.count()});
      if (control_.progress)
        control_.progress(std::clamp(std::log(start / norm) / std::log(1 / kPolished), 0.0, 1.0),
                          problem_.MeanLoss());
      if (norm > kConverged * start) continue;
      run.diverging =
          *step * Norm(direction) > kDivergingStep * (1 + Norm(parameters_)) && iteration > 5;
      if (run.diverging || norm <= kPolished * start || norm > previous / 2) break;
    }
    run.converged = norm <= std::max(kConverged * start, floor);
    return run;
  }

 private:
  // Without a penalty the loss does not change along these directions, whatever the scores; a step
  // with a part along them would leave the least norm.
  void FindNullSpace() {
    const Design& design = problem_.design();
    const size_t n = design.features;
    std::vector<double> products = WeightedProducts(design, design.weights, {});
    if (problem_.fit_intercept()) Centre(products, design.means);
    std::vector<double> gram(n * n);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) gram[i * n + j] = products[i * (n + 2) + j];
    null_space_ = NullSpace(gram, n);
  }

  void LeaveNullSpace() {
    for (const std::vector<double>& null : null_space_)
      for (size_t q = 0; q < problem_.free_scores(); ++q) {
        const auto beta = std::span(parameters_).subspan(q * problem_.stride(), null.size());
        const double along = Product(beta, null);
        for (size_t j = 0; j < null.size(); ++j) beta[j] -= along * null[j];
      }
  }

  std::vector<double> Direction(const std::vector<double>& gradient, double progress) {
    std::vector<double> right(gradient);
    for (double& value : right) value = -value;
    if (!dense_) return ConjugateGradients(right, std::min(0.1, std::sqrt(progress)));
    std::vector<double> hessian = problem_.Hessian();
    if (problem_.l1() > 0) return LassoDirection(hessian, gradient);
    const size_t n = problem_.size();
    double scale = 0;
    for (size_t i = 0; i < n; ++i) scale = std::max(scale, hessian[i * n + i]);
    for (const std::vector<double>& null : null_space_)
      for (size_t q = 0; q < problem_.free_scores(); ++q)
        for (size_t i = 0; i < null.size(); ++i)
          for (size_t j = 0; j < null.size(); ++j)
            hessian[(q * problem_.stride() + i) * n + q * problem_.stride() + j] +=
                scale * null[i] * null[j];
    return SolvePositive(hessian, right);
  }

  // The model's quadratic part is penalised as a whole: the lasso of H with right-hand side H·β -
  // g.
  std::vector<double> LassoDirection(const std::vector<double>& hessian,
                                     const std::vector<double>& gradient) const {
    std::vector<double> right(problem_.size());
    for (size_t i = 0; i < right.size(); ++i)
      right[i] = Product(std::span(hessian).subspan(i * right.size(), right.size()), parameters_) -
                 gradient[i];
    std::vector<double> next = SolveLasso(hessian, right, problem_.l1(), 0, 1, parameters_);
    for (size_t i = 0; i < next.size(); ++i) next[i] -= parameters_[i];
    return next;
  }

  std::vector<double> ConjugateGradients(const std::vector<double>& right, double tolerance) const {
    std::vector<double> x(right.size());
    std::vector<double> residual = right;
    std::vector<double> direction = right;
    double squares = Product(residual, residual);
    const double target = tolerance * tolerance * squares;
    for (size_t k = 0; k < 10 * right.size() && squares > target; ++k) {
      ThrowIfStopped(control_);
      const std::vector<double> product = problem_.HessianTimes(direction);
      const double curvature = Product(direction, product);
      if (!(curvature > 0)) break;
      const double step = squares / curvature;
      for (size_t i = 0; i < x.size(); ++i) {
        x[i] += step * direction[i];
        residual[i] -= step * product[i];
      }
      const double before = std::exchange(squares, Product(residual, residual));
      for (size_t i = 0; i < x.size(); ++i)
        direction[i] = residual[i] + squares / before * direction[i];
    }
    return x;
  }

  // Halves the step until F falls as its slope promises, but for rounding.
  std::optional<double> Search(const std::vector<double>& gradient,
                               const std::vector<double>& direction, double& value) {
    double promised = Product(gradient, direction);
    if (problem_.l1() > 0)
      promised += problem_.Penalty(Along(parameters_, direction, 1)) -
                  problem_.Penalty(parameters_) - L2Change(direction);
    const double rounding = 1e-14 * (std::abs(value) + 1e-300);
    for (double step = 1; step > 1e-10; step /= 2) {
      std::vector<double> next = Along(parameters_, direction, step);
      const double reached = problem_.MoveTo(next);
      if (reached <= value + 1e-4 * step * std::min(promised, 0.0) + rounding) {
        parameters_ = std::move(next);
        value = reached;
        return step;
      }
    }
    problem_.MoveTo(parameters_);
    return std::nullopt;
  }

  // What a full step adds to the quadratic penalty, whose slope the gradient holds already.
  double L2Change(const std::vector<double>& direction) const {
    double change = 0;
    for (size_t i = 0; i < direction.size(); ++i) {
      if (i % problem_.stride() == problem_.stride() - 1) continue;
      const double next = parameters_[i] + direction[i];
      change += problem_.l2() / 2 * (next * next - parameters_[i] * parameters_[i]);
    }
    return change;
  }

  GlmProblem& problem_;
  const TrainingControl& control_;
  std::vector<double> parameters_;
  std::vector<std::vector<double>> null_space_;
  bool dense_ = true;
};

// A step against the gradient of F's mean, then the soft threshold.
std::vector<double> DescentStep(const GlmProblem& problem, std::span<const double> from,
                                std::span<const double> gradient, double rate) {
  std::vector<double> next = Along(from, gradient, -rate / problem.weight_sum());
  const double threshold = rate * problem.l1() / problem.weight_sum();
  for (size_t i = 0; i < next.size() && threshold > 0; ++i)
    if (i % problem.stride() != problem.stride() - 1)
      next[i] = std::copysign(std::max(std::abs(next[i]) - threshold, 0.0), next[i]);
  return next;
}

}  // namespace

SolverRun MinimiseByNewton(GlmProblem& problem, std::vector<double> start,
                           const TrainingControl& control) {
  return Newton(problem, std::move(start), control).Run();
}

SolverRun MinimiseByDescent(GlmProblem& problem, std::vector<double> start,
                            const GlmOptions& options, const TrainingControl& control) {
  if (problem.l1() > 0 && problem.free_scores() > 1)
    throw Error(ErrorCode::kNotSupported, "L1_REG is not available for several classes",
                "use L2_REG");
  SolverRun run;
  std::vector<double> parameters = std::move(start);
  double value = problem.MoveTo(parameters);
  const bool search = options.learn_rate_strategy == LearnRateStrategy::kLineSearch;
  double rate = search ? options.ls_init_learn_rate : options.learn_rate;
  for (int64_t iteration = 0; iteration < options.max_iterations; ++iteration) {
    const auto began = Clock::now();
    ThrowIfStopped(control);
    const std::vector<double> gradient = problem.Gradient();
    std::vector<double> next = DescentStep(problem, parameters, gradient, rate);
    double reached = problem.MoveTo(next);
    while (search && !(reached < value) && rate > 1e-12) {
      rate /= 2;
      next = DescentStep(problem, parameters, gradient, rate);
      reached = problem.MoveTo(next);
    }
    if (!std::isfinite(reached))
      throw Error(ErrorCode::kTrainingData, "The loss grew without bound",
                  "lower LEARN_RATE, or leave it out to train to convergence");
    const std::chrono::duration<double, std::milli> elapsed = Clock::now() - began;
    run.info.push_back({.iteration = iteration,
                        .loss = problem.MeanLoss(),
                        .learning_rate = rate,
                        .duration_ms = elapsed.count()});
    if (control.progress)
      control.progress(
          static_cast<double>(iteration + 1) / static_cast<double>(options.max_iterations),
          problem.MeanLoss());
    const double gained = (value - reached) / std::max(std::abs(value), 1e-300);
    value = reached;
    parameters = std::move(next);
    if (options.early_stop && gained < options.min_rel_progress) {
      run.converged = true;
      break;
    }
    if (search) rate *= 2;
  }
  return run;
}

}  // namespace braid::ml
