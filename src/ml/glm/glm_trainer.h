// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "ml/glm/glm_model.h"
#include "ml/gram.h"
#include "ml/training.h"

namespace braid::ml {

struct TrainedGlm {
  GlmModel model;
  std::vector<std::string> notices;
};

// Fits Σ loss + L2_REG/2·‖β‖² + L1_REG·‖β‖₁ with the intercept free; loss is (y-ŷ)²/2 or the log
// loss. Numeric inputs are standardised (only scaled, by the deviation, without an intercept);
// indicators of categories stay 0 and 1. Without a penalty and with several best β, the one of
// least norm. Deterministic: equal rows in equal order give an equal model. Throws kTrainingData
// for rows that cannot be trained on, kInterrupted when stopped.
TrainedGlm TrainGlm(const GlmRequest& request, RowSource& rows,
                    const TrainingControl& control = {});

// Least squares from moments gathered elsewhere: numeric inputs, no weights. If the inputs are so
// nearly dependent that products lose too many digits, `rows` is scanned once more for an
// orthogonal decomposition; without it the answer stands with a notice.
TrainedGlm TrainLinearFromGram(const GlmRequest& request, const GramAccumulator& gram,
                               RowSource* rows = nullptr, const TrainingControl& control = {});

// Whether TrainLinearFromGram does all that this request asks for.
bool GramSuffices(const GlmRequest& request);

}  // namespace braid::ml
