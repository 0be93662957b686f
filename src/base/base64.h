// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace braid {

// RFC 4648, section 4, padded.
std::string EncodeBase64(std::string_view bytes);
// nullopt for malformed text; bits beyond the last byte must be zero, so that each value has one
// form.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace braid
