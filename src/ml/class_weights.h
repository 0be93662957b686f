// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "ml/option_reader.h"

namespace braid::ml {

using ClassWeights = std::vector<std::pair<std::string, double>>;

// CLASS_WEIGHTS = [STRUCT('no', 0.2), …]; names of the fields do not matter. Empty when not given.
// Throws kInvalidOption when AUTO_CLASS_WEIGHTS is TRUE as well.
ClassWeights ReadClassWeights(const OptionReader& reader);

// What the rows of each class are multiplied by: the weights given (else 1), or, if `automatic`,
// such that all classes weigh the same; `class_sums` are the rows' own weights by class. Throws
// kInvalidOption for a label that there is not.
std::vector<double> ClassFactors(const ClassWeights& given, bool automatic,
                                 const std::vector<std::string>& classes,
                                 const std::vector<double>& class_sums);

}  // namespace braid::ml
