// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "ml/tree/tree_model.h"
#include "ml/tree/tree_rows.h"
#include "ml/tree/xgboost_library.h"

namespace braid::ml {

// What XGBoost learns from rows. A regression's labels are learned as differences to their mean, so
// that 32 bits suffice for them.
struct BoostedTrees {
  XgboostBooster booster;
  double base = 0;
  std::vector<TrainingInfoRow> training_info;
};
BoostedTrees Boost(const TreeRequest& request, const TreeRows& rows, const TreeRows* held_out,
                   const TrainingControl& control);

TrainedModel TrainTrees(const TreeRequest& request, RowSource& rows,
                        const TrainingControl& control = {});

}  // namespace braid::ml
