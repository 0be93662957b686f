// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace braid {

// A new UUID version 7 (RFC 9562: 48 bits of milliseconds, then random bits), as
// "xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx". Ids made by one process rise strictly. Thread-safe.
std::string NewUuidV7(const Clock& clock);

// True for the canonical text form of a UUID of any version.
bool IsUuid(std::string_view text);

}  // namespace braid
