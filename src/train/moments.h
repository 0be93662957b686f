// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>

#include "engine/connection.h"
#include "train/training_statistics.h"

namespace braid::train {

// Moments of `SELECT <list> FROM <from>`, the list being the inputs and the label, and what the
// inputs look like. One thread adds in one order, so that the same rows give the same bits; more
// take part of the rows each.
FinishedMoments GatherMoments(engine::Connection& connection, size_t inputs,
                              const std::string& list, const std::string& from, bool one_thread);

}  // namespace braid::train
