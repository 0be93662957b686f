// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "ml/tree/tree_ensemble.h"

namespace braid::ml {

// The `learner` of XGBoost's model as trees of ours, DART's factors multiplied in. Throws
// kModelImport, or nlohmann's exceptions, when it is not what is expected: a split of an input that
// is not among `inputs`, a tree that adds to none of `outputs`, children that are no tree.
std::vector<Tree> TreesOfXgboost(const nlohmann::json& learner, size_t inputs, size_t outputs);

}  // namespace braid::ml
