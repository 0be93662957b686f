// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "ml/factorization/factorization_options.h"
#include "ml/training.h"

namespace braid::ml {

// Texts in ascending order, each known by its place.
class IdIndex {
 public:
  IdIndex() = default;
  // Throws kInternal unless they rise.
  explicit IdIndex(std::vector<std::string> ids);
  const std::vector<std::string>& ids() const { return ids_; }
  size_t size() const { return ids_.size(); }
  std::optional<uint32_t> Find(std::string_view id) const;

 private:
  std::vector<std::string> ids_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> place_;
};

// A sparse matrix by rows: entries of row r lie from begin[r] to begin[r + 1].
struct SparseRows {
  struct Entry {
    uint32_t column = 0;
    double value = 0;
  };
  std::vector<size_t> begin;
  std::vector<Entry> entries;

  size_t size() const { return begin.size() - 1; }
};

struct Rating {
  uint32_t user = 0;
  uint32_t item = 0;
  double value = 0;
};

struct Ratings {
  IdIndex users;
  IdIndex items;
  SparseRows by_user;
  SparseRows by_item;
  int64_t rows = 0;     // that have all three
  int64_t skipped = 0;  // rows without a user, an item or a rating

  size_t count() const { return by_user.entries.size(); }
};

// Explicit: each row is a rating, in the rows' order. Implicit: those of a user and an item are
// added up, and zeros, which say nothing, are left out. Throws kTrainingData for infinite ratings,
// implicit ones below zero, and where nothing remains; kInterrupted.
Ratings ReadRatings(RowSource& rows, Feedback feedback, const TrainingControl& control);

// Those of users and items that are known.
std::vector<Rating> ReadKnownRatings(RowSource& rows, const Ratings& known);

}  // namespace braid::ml
