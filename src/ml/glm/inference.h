// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

#include "ml/glm/design.h"
#include "ml/glm/glm_problem.h"

namespace braid::ml {

// What CALCULATE_P_VALUES allows. Throws kInvalidOption.
void CheckInferenceOptions(const GlmOptions& options);

// Throws kTrainingData for more weights than inference is made for.
void CheckWeightCount(size_t weights);

// Inference for least squares. `gram`: the features' products about `centre`, features² row by row;
// `mean_loss`: the mean squared residual. `beta` (features, then the intercept) is for the robust
// errors, which need the design's rows. Throws kTrainingData when the weights have no standard
// errors: dependent inputs, too few rows.
GlmInference InferLeastSquares(const GlmRequest& request, const Design& design,
                               std::span<const double> gram, std::span<const double> centre,
                               std::span<const double> beta, double weight_sum, double mean_loss);

// Inference for the log loss at its minimum, from the Fisher information there.
GlmInference InferLogistic(const GlmProblem& problem);

}  // namespace braid::ml
