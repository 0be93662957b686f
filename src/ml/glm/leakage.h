// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "ml/glm/design.h"

namespace braid::ml {

// Too few rows make any input look like the label.
constexpr size_t kLeastRowsForLeakage = 10;

std::string CopyNotice(const std::string& input);

// Inputs that give the label away: a number equal to it in every row, or a category, in at least
// two rows each on average, that fixes it.
std::vector<std::string> LeakageNotices(const Design& design);

}  // namespace braid::ml
