// SPDX-License-Identifier: Apache-2.0
#include "syntax/source_map.h"

#include <algorithm>

namespace braid::syntax {

void MappedText::Append(std::string_view literal) {
  size_t anchor = 0;
  if (!pieces_.empty()) {
    const Piece& last = pieces_.back();
    anchor = last.original + (last.verbatim ? text_.size() - last.begin : 0);
  }
  Append(literal, anchor);
}

void MappedText::Append(std::string_view literal, size_t anchor) {
  pieces_.push_back({text_.size(), anchor, false});
  text_ += literal;
}

void MappedText::AppendOriginal(std::string_view text, size_t offset) {
  pieces_.push_back({text_.size(), offset, true});
  text_ += text;
}

void MappedText::Append(const MappedText& other) {
  for (Piece piece : other.pieces_) {
    piece.begin += text_.size();
    pieces_.push_back(piece);
  }
  text_ += other.text_;
}

void MappedText::Insert(size_t position, std::string_view literal) {
  const size_t anchor = OriginalOffset(position);
  auto after = std::upper_bound(pieces_.begin(), pieces_.end(), position,
                                [](size_t at, const Piece& piece) { return at < piece.begin; });
  const bool verbatim = after != pieces_.begin() && std::prev(after)->verbatim;
  for (auto piece = after; piece != pieces_.end(); ++piece) piece->begin += literal.size();
  pieces_.insert(
      after, {Piece{position, anchor, false}, Piece{position + literal.size(), anchor, verbatim}});
  text_.insert(position, literal);
}

size_t MappedText::OriginalOffset(size_t position) const {
  auto after = std::upper_bound(pieces_.begin(), pieces_.end(), position,
                                [](size_t at, const Piece& piece) { return at < piece.begin; });
  if (after == pieces_.begin()) return 0;
  const Piece& piece = *std::prev(after);
  return piece.verbatim ? piece.original + (position - piece.begin) : piece.original;
}

MappedText FillIn(std::string_view pattern, const std::vector<MappedText>& parts) {
  MappedText result;
  while (!pattern.empty()) {
    size_t mark = pattern.find('$');
    while (mark != std::string_view::npos &&
           (mark + 1 == pattern.size() || pattern[mark + 1] < '1' || pattern[mark + 1] > '9'))
      mark = pattern.find('$', mark + 1);
    result.Append(pattern.substr(0, mark));
    if (mark == std::string_view::npos) break;
    result.Append(parts.at(static_cast<size_t>(pattern[mark + 1] - '1')));
    pattern.remove_prefix(mark + 2);
  }
  return result;
}

}  // namespace braid::syntax
