// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace braid::serve {

// A date and time of day in ISO 8601 as requests may write it (IsIsoTimestamp), in the form that
// DuckDB reads: 'T', seconds, 'Z'. Text without a time of day stays as it is.
std::string CanonicalTimestamp(std::string_view text);

// Likewise a time of day ("12:30Z" is "12:30:00+00:00").
std::string CanonicalTime(std::string_view text);

}  // namespace braid::serve
