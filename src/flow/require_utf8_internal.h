// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

namespace braid::flow {

// Throws Error SYNTAX at the first byte that is not UTF-8. `file` names the text.
void RequireUtf8(std::string_view text, std::string_view file);

}  // namespace braid::flow
