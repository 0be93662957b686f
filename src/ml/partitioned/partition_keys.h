// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/batch.h"

namespace braid::ml {

// A partition column: rows hold its values as text.
struct KeyColumn {
  std::string name;
  std::string type;  // DuckDB's SQL name, for tables
};

// The values of the partition columns; none: NULL, which equals NULL.
using PartitionKey = std::vector<std::optional<std::string>>;

// Ascending column by column: whole numbers by value, other texts by their bytes, NULL last.
bool KeyIsLess(const std::vector<KeyColumn>& columns, const PartitionKey& a, const PartitionKey& b);

// Numbers keys from 0 in the order in which they come, and finds them for the rows of a batch by
// one look into a hash table a row. Reading is for any number of threads.
class PartitionKeys {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  explicit PartitionKeys(size_t columns) : columns_(columns) {}
  size_t size() const { return keys_.size(); }
  const PartitionKey& key(size_t number) const { return keys_[number]; }
  // Returns false, having changed nothing, for a key that is there already.
  bool Add(PartitionKey key);
  std::optional<uint32_t> NumberOf(const PartitionKey& key) const;
  // Of each row, whose first columns are texts; kNone for keys that are not there.
  void Find(const Batch& rows, std::span<uint32_t> numbers) const;
  // The same; unknown keys become known.
  void FindOrAdd(const Batch& rows, std::span<uint32_t> numbers);

 private:
  uint32_t NumberWithHash(const PartitionKey& key, uint64_t hash) const;
  uint32_t NumberAt(const Batch& rows, size_t row, uint64_t hash) const;
  bool IsKeyOf(const PartitionKey& key, const Batch& rows, size_t row) const;
  void Insert(uint64_t hash, uint32_t number);

  size_t columns_;
  std::vector<PartitionKey> keys_;
  std::vector<uint64_t> hashes_;  // by key
  std::vector<uint32_t> slots_;   // open addressing; a power of two, at most half full
};

}  // namespace braid::ml
