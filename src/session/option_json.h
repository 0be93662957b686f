// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/option.h"

namespace braid::session {

// Options as a JSON object, and back; without their places in a text.
std::string OptionsToJson(const std::vector<Option>& options);
// Throws kLakeDamaged for a text that is no such object.
std::vector<Option> OptionsFromJson(std::string_view text);

}  // namespace braid::session
