// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "ml/tree/tree_rows.h"

namespace braid::ml {

// Part of a row in the cross fitting of target encoding, 0 to kTargetFolds - 1.
constexpr size_t kTargetFolds = 5;
std::vector<uint8_t> DealFolds(const TreeRows& rows, int64_t seed);

// What labels of rows say of a category's levels: as scikit-learn's TargetEncoder with smooth
// "auto", which is the empirical Bayes estimate of Micci-Barreca (2001). `codes`: of each row, the
// number of levels for NULL. `fold`: of each row; those of `left_out` do not count (kTargetFolds:
// all do). Gives `targets` numbers for each level, for NULL and for unseen texts: a regression's
// labels less `base`, the share of the higher of two classes, or of each class.
std::vector<double> TargetValues(const TreeRows& rows, const std::vector<size_t>& codes,
                                 size_t levels, double base, const std::vector<uint8_t>& fold,
                                 size_t left_out);

// Rows with label encoding take on the encoding that the request asks for. Target encoding of a row
// comes from the other folds' rows, so that no label reaches its own row. Throws kTrainingData for
// too many indicators.
void EncodeCategories(const TreeRequest& request, TreeRows& rows);

}  // namespace braid::ml
