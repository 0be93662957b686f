// SPDX-License-Identifier: Apache-2.0
#include "ml/partitioned/partition_keys.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace braid::ml {

namespace {

constexpr uint64_t kNullHash = 0x9ae16a3b2f90404fULL;

uint64_t Mix(uint64_t hash, uint64_t of_text) {
  hash = (hash ^ of_text) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 32);
}

uint64_t HashOf(std::string_view text) { return TextHash{}(text); }

uint64_t HashOf(const PartitionKey& key) {
  uint64_t hash = 0;
  for (const std::optional<std::string>& text : key)
    hash = Mix(hash, text ? HashOf(*text) : kNullHash);
  return hash;
}

uint64_t HashOf(const Batch& rows, size_t row, size_t columns) {
  uint64_t hash = 0;
  for (size_t c = 0; c < columns; ++c) {
    const ColumnView& column = rows.columns[c];
    hash = Mix(hash, column.IsValid(row) ? HashOf(column.strings()[row]) : kNullHash);
  }
  return hash;
}

bool IsWhole(const std::string& type) { return type.ends_with("INT") || type.ends_with("INTEGER"); }

// Of texts of whole numbers without leading zeros.
bool NumberIsLess(std::string_view a, std::string_view b) {
  const bool negative = a.starts_with('-');
  if (negative != b.starts_with('-')) return negative;
  if (negative) std::swap(a, b);
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

bool KeyIsLess(const std::vector<KeyColumn>& columns, const PartitionKey& a,
               const PartitionKey& b) {
  for (size_t c = 0; c < columns.size(); ++c) {
    if (a[c] == b[c]) continue;
    if (!a[c] || !b[c]) return a[c].has_value();
    return IsWhole(columns[c].type) ? NumberIsLess(*a[c], *b[c]) : *a[c] < *b[c];
  }
  return false;
}

void PartitionKeys::Insert(uint64_t hash, uint32_t number) {
  size_t slot = hash & (slots_.size() - 1);
  while (slots_[slot] != kNone) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = number;
}

uint32_t PartitionKeys::NumberWithHash(const PartitionKey& key, uint64_t hash) const {
  if (slots_.empty()) return kNone;
  for (size_t slot = hash & (slots_.size() - 1); slots_[slot] != kNone;
       slot = (slot + 1) & (slots_.size() - 1))
    if (hashes_[slots_[slot]] == hash && keys_[slots_[slot]] == key) return slots_[slot];
  return kNone;
}

std::optional<uint32_t> PartitionKeys::NumberOf(const PartitionKey& key) const {
  const uint32_t number = NumberWithHash(key, HashOf(key));
  return number == kNone ? std::nullopt : std::optional(number);
}

bool PartitionKeys::Add(PartitionKey key) {
  BRAID_CHECK(key.size() == columns_ && keys_.size() < kNone);
  const uint64_t hash = HashOf(key);
  if (NumberWithHash(key, hash) != kNone) return false;
  keys_.push_back(std::move(key));
  hashes_.push_back(hash);
  if (keys_.size() * 2 > slots_.size()) {
    slots_.assign(std::max<size_t>(64, slots_.size() * 2), kNone);
    for (uint32_t number = 0; number < keys_.size(); ++number) Insert(hashes_[number], number);
  } else {
    Insert(hash, static_cast<uint32_t>(keys_.size() - 1));
  }
  return true;
}

bool PartitionKeys::IsKeyOf(const PartitionKey& key, const Batch& rows, size_t row) const {
  for (size_t c = 0; c < columns_; ++c) {
    const ColumnView& column = rows.columns[c];
    if (key[c].has_value() != column.IsValid(row)) return false;
    if (key[c] && *key[c] != column.strings()[row]) return false;
  }
  return true;
}

uint32_t PartitionKeys::NumberAt(const Batch& rows, size_t row, uint64_t hash) const {
  if (slots_.empty()) return kNone;
  for (size_t slot = hash & (slots_.size() - 1); slots_[slot] != kNone;
       slot = (slot + 1) & (slots_.size() - 1)) {
    const uint32_t number = slots_[slot];
    if (hashes_[number] == hash && IsKeyOf(keys_[number], rows, row)) return number;
  }
  return kNone;
}

void PartitionKeys::Find(const Batch& rows, std::span<uint32_t> numbers) const {
  for (size_t row = 0; row < rows.rows; ++row)
    numbers[row] = NumberAt(rows, row, HashOf(rows, row, columns_));
}

void PartitionKeys::FindOrAdd(const Batch& rows, std::span<uint32_t> numbers) {
  for (size_t row = 0; row < rows.rows; ++row) {
    numbers[row] = NumberAt(rows, row, HashOf(rows, row, columns_));
    if (numbers[row] != kNone) continue;
    PartitionKey key;
    for (size_t c = 0; c < columns_; ++c) {
      const ColumnView& column = rows.columns[c];
      key.push_back(column.IsValid(row) ? std::optional<std::string>(column.strings()[row])
                                        : std::nullopt);
    }
    numbers[row] = static_cast<uint32_t>(keys_.size());
    Add(std::move(key));
  }
}

}  // namespace braid::ml
