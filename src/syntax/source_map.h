// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace braid::syntax {

// A text made from pieces of an original and pieces of our own, which remembers where each piece
// came from, so that an error's place in the made text is found in the original.
class MappedText {
 public:
  // Text of our own; an error inside is shown at `anchor` of the original, by default where the
  // piece before ended.
  void Append(std::string_view literal);
  void Append(std::string_view literal, size_t anchor);
  void AppendOriginal(std::string_view text, size_t offset);
  void Append(const MappedText& other);
  // Puts text of our own into what is there.
  void Insert(size_t position, std::string_view literal);

  const std::string& text() const { return text_; }
  size_t OriginalOffset(size_t position) const;

 private:
  struct Piece {
    size_t begin;     // in text_
    size_t original;  // where it stands, or what an error inside points at
    bool verbatim;
  };
  std::string text_;
  std::vector<Piece> pieces_;
};

// `pattern` with $1 … $9 replaced by the parts; the rest is text of our own.
MappedText FillIn(std::string_view pattern, const std::vector<MappedText>& parts);

}  // namespace braid::syntax
