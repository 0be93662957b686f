// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/connection.h"

// Which versions of a model may go. All work inside the caller's write transaction, and keep
// `state` in step with it.
namespace braid::catalog {

// ALTER MODEL m SET OPTIONS (keep_versions = n, keep_days = d): the newest n versions stay, and
// those that are younger than d days. Kept as notes of these names.
struct RetentionPolicy {
  int64_t keep_versions = 1;
  double keep_days = 0;
};
inline constexpr const char* kKeepVersions = "keep_versions";
inline constexpr const char* kKeepDays = "keep_days";

// Nothing: all versions stay.
std::optional<RetentionPolicy> FindRetention(engine::Connection& connection,
                                             const std::string& model);

// The versions that something refers to, and what: an alias, a declaration that names m@version or
// m@alias, a view or macro of the lake that was made with it.
std::map<int64_t, std::string> HeldVersions(engine::Connection& connection, const State& state,
                                            const std::string& model);

// Removes the version's rows; the history of aliases stays.
void RemoveModelVersion(engine::Connection& connection, State& state, const std::string& model,
                        int64_t version);

// Removes the versions that the model's policy lets go and nothing refers to; returns them. `now`
// is ISO 8601.
std::vector<int64_t> ExpireVersions(engine::Connection& connection, State& state,
                                    const std::string& model, const std::string& now);

// The artefacts of all versions and their trials.
std::set<std::string> ArtefactsOf(const State& state);
// Those that views and macros of the lake were made with, of versions that may be gone.
std::set<std::string> ArtefactsOfViews(engine::Connection& connection);

}  // namespace braid::catalog
