// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "base/error.h"
#include "base/utf8.h"
#include "flow/require_utf8_internal.h"

namespace braid::flow {

void RequireUtf8(std::string_view text, std::string_view file) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text.substr(at, 4));
    if (length == 0)
      throw Error(ErrorCode::kSyntax, "Text is not UTF-8", "save the file as UTF-8",
                  SpotAt(text, at, file));
    at += length;
  }
}

}  // namespace braid::flow
