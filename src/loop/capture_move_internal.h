// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "engine/connection.h"

namespace braid::loop {

// Entries of one service in a stretch of the log, by kind.
struct ServiceEntries {
  int64_t inferences = 0;
  int64_t feedback = 0;
};

// Moves one service's entries with above < position <= upto into its tables, inside the
// connection's transaction. Returns how many were moved: entries whose table is missing are not.
int64_t MoveService(engine::Connection& connection, const std::string& service,
                    const ServiceEntries& entries, int64_t above, int64_t upto);

}  // namespace braid::loop
