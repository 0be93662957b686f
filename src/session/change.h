// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "engine/connection.h"

namespace braid::session {

// Why an object is worked on.
enum class Occasion : uint8_t {
  kAsked,    // it is new, its definition changed, or somebody said so
  kChanged,  // what it reads has changed
  kTime,     // nothing has but the time
};

// A change of the lake under way: one write transaction, and the state that is published once it
// has committed. Those who work in it write rows through `connection` (unqualified schemas mean the
// lake as the transaction sees it) and keep `state` in step. Nothing of it outlives a rollback.
struct Change {
  engine::Connection& connection;
  catalog::State& state;
  std::string run_id;
  int64_t base_snapshot = 0;  // what the transaction reads; its own commit becomes the next one
  std::string now;            // ISO 8601: when the change began, for the rows that it writes
  Occasion occasion = Occasion::kAsked;  // of the object at work
  std::stop_token stop;
  // Fraction done (0…1) of the node at work, and a word on it ("loss 0.41"). May be empty.
  std::function<void(double fraction, std::string_view detail)> progress;
  std::function<void(std::string_view text)> notice;  // a line for people; may be empty
};

// What became of one object in a change.
struct ChangeOutcome {
  std::string action;           // "trained", "declared", …; "kept": its rule says that it stays;
                                // "waiting": it cannot be made yet
  std::string reason;           // why, in a few words; may be empty
  std::optional<int64_t> rows;  // trained on, written, …
};

// Brings one declared object about inside a change.
using ObjectWork = std::function<ChangeOutcome(const catalog::Object&, Change&)>;

}  // namespace braid::session
