// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "ml/glm/design.h"
#include "ml/glm/glm_model.h"

namespace braid::ml {

// What an earlier model says of a design: one vector a class of the design (a regression: one), the
// features' β and then the intercept. Inputs and categories go by their names; those that the
// earlier model lacks weigh nothing, and so do classes that it did not know. Two classes: the score
// of the lower is 0.
std::vector<std::vector<double>> WarmCoefficients(const Design& design, const GlmModel& earlier);

}  // namespace braid::ml
