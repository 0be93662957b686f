// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/batch.h"

namespace braid::ml {

// Some rows of a batch, copied to a batch of their own. Picks again and again into the same memory.
class PickedBatch {
 public:
  // The columns from `first_column` on, `count` of them. Valid until the next call; texts as long
  // as `from`.
  const Batch& Pick(const Batch& from, size_t first_column, size_t count,
                    std::span<const uint32_t> rows);

 private:
  struct Column {
    std::vector<double> numbers;
    std::vector<std::string_view> texts;
    std::vector<uint64_t> validity;
  };
  std::vector<Column> columns_;
  Batch batch_;
};

}  // namespace braid::ml
