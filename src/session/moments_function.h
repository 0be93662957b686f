// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>

#include "engine/connection.h"

namespace braid::session {

// The aggregate that gathers the moments of so many inputs and a label, all DOUBLE: its name in
// SQL. Its value is ml::GramAccumulator's serialised form. Registers it when the engine lacks it.
std::string MomentsFunction(engine::Connection& connection, size_t inputs);

}  // namespace braid::session
