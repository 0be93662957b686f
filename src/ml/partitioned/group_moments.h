// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ml/gram.h"

namespace braid::ml {

// The moments of one group among many: rows that no sums can be made of (infinite values) spoil
// this group alone. One object is used by one thread at a time.
class GroupMoments {
 public:
  explicit GroupMoments(size_t inputs) : gram_(inputs) {}
  void Add(const Batch& rows, std::span<const uint32_t> picked);
  void Merge(const GroupMoments& other);

  const GramAccumulator& gram() const { return gram_; }
  int64_t given() const { return given_; }  // rows, with a label or not
  const std::string& failure() const {
    return failure_;
  }  // why there are no sums; empty: there are

  std::string Serialize() const;
  // Throws kInternal when the bytes are not what Serialize writes.
  static GroupMoments Deserialize(std::string_view bytes);
  // Memory of an object whose rows miss no input.
  static size_t BytesOf(size_t inputs);

 private:
  explicit GroupMoments(GramAccumulator gram) : gram_(std::move(gram)) {}

  GramAccumulator gram_;
  int64_t given_ = 0;
  std::string failure_;
};

}  // namespace braid::ml
