// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "ml/option_reader.h"

namespace braid::ml {

// CLASS_WEIGHTS = [STRUCT('no', 0.2), …]; names of the fields do not matter. Empty when not given.
std::vector<std::pair<std::string, double>> ReadClassWeights(const OptionReader& reader);

}  // namespace braid::ml
