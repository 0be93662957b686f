// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace braid {

enum class ColumnKind : uint8_t { kDouble, kInt64, kBool, kString };

// One column of a Batch: `rows` values of one kind, owned by whoever made the batch. Bit i of
// `validity` (64 rows a word) is set where row i has a value; nullptr means that all have. The
// value under a NULL is unspecified.
struct ColumnView {
  ColumnKind kind = ColumnKind::kDouble;
  const void* data = nullptr;  // double, int64_t, bool or std::string_view, by kind
  const uint64_t* validity = nullptr;

  bool IsValid(size_t row) const {
    return validity == nullptr || ((validity[row / 64] >> (row % 64)) & 1) != 0;
  }
  const double* doubles() const { return static_cast<const double*>(data); }
  const int64_t* integers() const { return static_cast<const int64_t*>(data); }
  const bool* booleans() const { return static_cast<const bool*>(data); }
  const std::string_view* strings() const { return static_cast<const std::string_view*>(data); }
};

// Some rows as typed columns: what `engine` fills and `ml` reads. Valid only during the call that
// passes it.
struct Batch {
  size_t rows = 0;
  std::vector<ColumnView> columns;
};

}  // namespace braid
