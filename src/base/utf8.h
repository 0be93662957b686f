// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string_view>

namespace braid {

// The length of the character at the beginning (RFC 3629); 0 when there is none: overlong forms,
// halves of pairs and what lies above U+10FFFF are none.
size_t Utf8Length(std::string_view text);

bool IsUtf8(std::string_view bytes);

}  // namespace braid
