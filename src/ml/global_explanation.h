// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stop_token>
#include <vector>

#include "ml/model.h"

namespace braid::ml {

// What ML.GLOBAL_EXPLAIN says of a model over these rows: of each input the mean absolute
// contribution to the explained output; where there are several, to that of the likeliest class.
// The model must explain. Without rows all are 0. Throws kInterrupted.
std::vector<double> GlobalExplanation(const Model& model, RowSource& rows,
                                      const std::stop_token& stop);

}  // namespace braid::ml
