// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace braid {

// SHA-256 (FIPS 180-4) as 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

// Base64 with padding (RFC 4648, section 4).
std::string Base64(std::string_view bytes);

}  // namespace braid
