// SPDX-License-Identifier: Apache-2.0
#include "ml/factorization/ratings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/text.h"

namespace braid::ml {

namespace {

// Texts, numbered as they first come.
class Arrivals {
 public:
  uint32_t Number(std::string_view text) {
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return found->second;
    if (texts_.size() == UINT32_MAX)
      throw Error(ErrorCode::kTrainingData, "There are more than 4 billion users or items");
    texts_.emplace_back(text);
    return numbers_.emplace(texts_.back(), static_cast<uint32_t>(texts_.size() - 1)).first->second;
  }

  // The texts in order; `place` receives where each number went.
  IdIndex Sort(std::vector<uint32_t>& place) {
    std::vector<uint32_t> order(texts_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [this](uint32_t a, uint32_t b) { return texts_[a] < texts_[b]; });
    place.resize(texts_.size());
    std::vector<std::string> sorted;
    for (uint32_t k = 0; k < order.size(); ++k) {
      place[order[k]] = k;
      sorted.push_back(std::move(texts_[order[k]]));
    }
    return IdIndex(std::move(sorted));
  }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> numbers_;
};

// Entries of a row keep the order of `ratings`.
SparseRows Group(const std::vector<Rating>& ratings, size_t rows, uint32_t Rating::* row,
                 uint32_t Rating::* column) {
  SparseRows sparse;
  sparse.begin.assign(rows + 1, 0);
  for (const Rating& rating : ratings) ++sparse.begin[rating.*row + 1];
  std::partial_sum(sparse.begin.begin(), sparse.begin.end(), sparse.begin.begin());
  std::vector<size_t> next(sparse.begin.begin(), sparse.begin.end() - 1);
  sparse.entries.resize(ratings.size());
  for (const Rating& rating : ratings)
    sparse.entries[next[rating.*row]++] = {rating.*column, rating.value};
  return sparse;
}

void AddUp(std::vector<Rating>& ratings) {
  std::stable_sort(ratings.begin(), ratings.end(), [](const Rating& a, const Rating& b) {
    return a.user != b.user ? a.user < b.user : a.item < b.item;
  });
  size_t kept = 0;
  for (const Rating& rating : ratings) {
    if (rating.value == 0) continue;
    if (kept > 0 && ratings[kept - 1].user == rating.user && ratings[kept - 1].item == rating.item)
      ratings[kept - 1].value += rating.value;
    else
      ratings[kept++] = rating;
  }
  ratings.resize(kept);
}

void Check(double rating, Feedback feedback) {
  if (std::isinf(rating))
    throw Error(ErrorCode::kTrainingData, "A rating is infinite",
                "leave such rows out of the training query");
  if (feedback == Feedback::kImplicit && rating < 0)
    throw Error(ErrorCode::kTrainingData,
                fmt::format("An implicit rating is below zero: {}", rating),
                "implicit ratings say how often or how long; leave such rows out, or set "
                "FEEDBACK_TYPE = 'EXPLICIT'");
}

// Calls visit(user, item, rating) for rows that have all three; returns how many have not.
int64_t ForEachRating(
    RowSource& rows, const std::function<void(std::string_view, std::string_view, double)>& visit) {
  int64_t skipped = 0;
  rows.Scan([&](const Batch& batch) {
    BRAID_CHECK(batch.columns.size() == 3);
    const ColumnView& user = batch.columns[0];
    const ColumnView& item = batch.columns[1];
    const ColumnView& rating = batch.columns[2];
    for (size_t row = 0; row < batch.rows; ++row) {
      if (user.IsValid(row) && item.IsValid(row) && rating.IsValid(row) &&
          !std::isnan(rating.doubles()[row]))
        visit(user.strings()[row], item.strings()[row], rating.doubles()[row]);
      else
        ++skipped;
    }
  });
  return skipped;
}

}  // namespace

IdIndex::IdIndex(std::vector<std::string> ids) : ids_(std::move(ids)) {
  BRAID_CHECK(std::adjacent_find(ids_.begin(), ids_.end(), std::greater_equal<>()) == ids_.end());
  place_.reserve(ids_.size());
  for (size_t k = 0; k < ids_.size(); ++k) place_.emplace(ids_[k], static_cast<uint32_t>(k));
}

std::optional<uint32_t> IdIndex::Find(std::string_view id) const {
  const auto found = place_.find(id);
  return found == place_.end() ? std::nullopt : std::optional(found->second);
}

Ratings ReadRatings(RowSource& rows, Feedback feedback, const TrainingControl& control) {
  Ratings read;
  Arrivals users;
  Arrivals items;
  std::vector<Rating> ratings;
  read.skipped =
      ForEachRating(rows, [&](std::string_view user, std::string_view item, double value) {
        if (control.stop.stop_requested())
          throw Error(ErrorCode::kInterrupted, "The training was cancelled");
        Check(value, feedback);
        ratings.push_back({users.Number(user), items.Number(item), value});
      });
  read.rows = static_cast<int64_t>(ratings.size());
  std::vector<uint32_t> user_place;
  std::vector<uint32_t> item_place;
  read.users = users.Sort(user_place);
  read.items = items.Sort(item_place);
  for (Rating& rating : ratings)
    rating = {user_place[rating.user], item_place[rating.item], rating.value};
  if (feedback == Feedback::kImplicit) AddUp(ratings);
  if (ratings.empty())
    throw Error(ErrorCode::kTrainingData,
                feedback == Feedback::kImplicit
                    ? "No row of the training query has a user, an item and a rating above zero"
                    : "No row of the training query has a user, an item and a rating",
                "check USER_COL, ITEM_COL and RATING_COL");
  read.by_user = Group(ratings, read.users.size(), &Rating::user, &Rating::item);
  read.by_item = Group(ratings, read.items.size(), &Rating::item, &Rating::user);
  return read;
}

std::vector<Rating> ReadKnownRatings(RowSource& rows, const Ratings& known) {
  std::vector<Rating> ratings;
  ForEachRating(rows, [&](std::string_view user, std::string_view item, double value) {
    const std::optional<uint32_t> u = known.users.Find(user);
    const std::optional<uint32_t> i = known.items.Find(item);
    if (u && i) ratings.push_back({*u, *i, value});
  });
  return ratings;
}

}  // namespace braid::ml
