// SPDX-License-Identifier: Apache-2.0
#include "catalog/place.h"

#include <algorithm>

namespace braid::catalog {

size_t OffsetOf(std::string_view text, const SourceSpot& spot) {
  size_t at = 0;
  for (int line = 1; line < spot.line; ++line) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return text.size();
    at = end + 1;
  }
  const size_t line_end = std::min(text.find('\n', at), text.size());
  for (int column = 1; column < spot.column && at < line_end; ++column) {
    ++at;
    while (at < line_end && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

Error PlaceInFile(const Error& error, const Object& object, size_t statement_offset) {
  SourceSpot spot;
  if (object.file_text) {
    spot = SpotAt(*object.file_text, object.offset + statement_offset, object.file);
  } else {
    spot = SpotAt(object.definition, statement_offset, object.file);
    if (object.line > 1) spot.line += static_cast<int>(object.line) - 1;
  }
  return Error(error.code(), error.message(), error.hint(), std::move(spot));
}

Error PlaceInFile(const Error& error, const Object& object, const syntax::SourceText& part) {
  if (!error.where()) return PlaceInFile(error, object, part.offset);
  if (!error.where()->file.empty()) return error;
  return PlaceInFile(error, object, part.offset + OffsetOf(part.text, *error.where()));
}

}  // namespace braid::catalog
