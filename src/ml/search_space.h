// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/option.h"
#include "ml/hyperparameter.h"

namespace braid::ml {

struct ModelKind;

// The values that one option may take in trials: a range, or candidates in the order given.
struct SearchDimension {
  Hyperparameter hyperparameter;
  double low = 0;
  double high = 0;
  std::vector<OptionValue> candidates;  // empty: the range

  // What a share of the dimension stands for, 0 ≤ share < 1: the value so far along the range, on
  // its scale, or the candidate so far down the list.
  OptionValue At(double share) const;
  // Without tuning, or the nearest value that the dimension has; none: the rows decide.
  std::optional<OptionValue> Standard() const;
  // All values in their order; empty: there are more than can be counted.
  std::vector<OptionValue> Values() const;
};

// A value for each dimension, in their order.
using SearchPoint = std::vector<Option>;

enum class SearchAlgorithm : uint8_t { kRandom, kGrid };

// What NUM_TRIALS searches. A pure value: the same space and seed give the same points everywhere.
class SearchSpace {
 public:
  // The options among `options` whose value is HPARAM_RANGE(a, b) or HPARAM_CANDIDATES([…]), in
  // their order; without any, all options of the kind that have a range to search and are not
  // given. Throws kInvalidOption.
  SearchSpace(const ModelKind& kind, const std::vector<Option>& options);

  // Up to `count` different points. Random: first the values that hold without tuning, or those
  // nearest to them, then draws. Grid: all combinations, those of the last dimension first; throws
  // kInvalidOption when a dimension has more values than can be counted.
  std::vector<SearchPoint> Points(SearchAlgorithm algorithm, size_t count, int64_t seed) const;

  const std::vector<SearchDimension>& dimensions() const { return dimensions_; }

 private:
  std::vector<SearchPoint> Grid(size_t count) const;
  std::vector<SearchPoint> Draws(size_t count, int64_t seed) const;
  std::optional<size_t> size() const;  // none: more than can be counted

  std::vector<SearchDimension> dimensions_;
};

// Whether an option's value is a set of values for tuning.
bool IsSearched(const OptionValue& value);

}  // namespace braid::ml
