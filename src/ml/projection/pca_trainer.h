// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "ml/gram.h"
#include "ml/projection/pca_model.h"
#include "ml/projection/pca_options.h"
#include "ml/training.h"

namespace braid::ml {

// Whether sums of products are enough: numbers alone, decomposed in full.
bool MomentsSuffice(const TrainingRequest& request, const PcaOptions& options);

// Each throws kTrainingData (fewer than two rows, inputs that do not vary, fewer components than
// asked for) or kInterrupted.
std::unique_ptr<PcaModel> TrainPca(const TrainingRequest& request, const PcaOptions& options,
                                   RowSource& rows, const TrainingControl& control);
// The rows are scanned again for the errors that ML.DETECT_ANOMALIES compares with, unless all
// components are kept.
std::unique_ptr<PcaModel> TrainPcaFromMoments(const TrainingRequest& request,
                                              const PcaOptions& options,
                                              const GramAccumulator& moments, RowSource& rows,
                                              const TrainingControl& control);

}  // namespace braid::ml
