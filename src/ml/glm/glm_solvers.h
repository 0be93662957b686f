// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "ml/glm/glm_problem.h"
#include "ml/training.h"

namespace braid::ml {

// How a minimisation went; the problem is left at the point reached.
struct SolverRun {
  std::vector<TrainingInfoRow> info;
  bool converged = false;
  // The steps did not shrink although the slope did: some coefficients grow without bound.
  bool diverging = false;
};

// Newton's method with step halving until the gradient is below 1e-8 of its start, and then as far
// as rounding allows. Many parameters: steps by conjugate gradients, in memory for one row of them.
// `start`: the parameters to begin at; what of them changes no score is left out.
SolverRun MinimiseByNewton(GlmProblem& problem, std::vector<double> start,
                           const TrainingControl& control);

// Gradient descent under BigQuery ML's rules: MAX_ITERATIONS, EARLY_STOP, MIN_REL_PROGRESS and the
// learn-rate options. L1_REG by soft thresholds.
SolverRun MinimiseByDescent(GlmProblem& problem, std::vector<double> start,
                            const GlmOptions& options, const TrainingControl& control);

}  // namespace braid::ml
