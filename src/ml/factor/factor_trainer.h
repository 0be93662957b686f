// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ml/factor/factor_model.h"
#include "ml/gram.h"
#include "ml/training.h"

namespace braid::ml {

// Throws kTrainingData for rows that have no factors, kInvalidOption for too many of them.
TrainedModel TrainFactors(const TrainingRequest& request, RowSource& rows,
                          const TrainingControl& control);
TrainedModel TrainFactorsFromMoments(const TrainingRequest& request, const GramAccumulator& moments,
                                     const TrainingControl& control);

}  // namespace braid::ml
