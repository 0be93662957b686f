// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace braid::ml {

// Shares of values in buckets of one width between two finite numbers; one bucket where they are
// the same, none without values.
struct Histogram {
  double low = 0;
  double high = 0;
  std::vector<double> counts;
};

struct NumberStatistics {
  int64_t rows = 0;      // of a list: its elements
  int64_t nulls = 0;     // and NaN
  int64_t infinite = 0;  // left out of what follows
  std::optional<double> minimum = {};
  std::optional<double> maximum = {};
  std::optional<double> mean = {};
  std::optional<double> median = {};
  std::optional<double> standard_deviation = {};  // of a sample
  Histogram histogram = {};
};

struct CategoryStatistics {
  int64_t rows = 0;  // of a list: its elements
  int64_t nulls = 0;
  int64_t categories = 0;  // different ones
  std::vector<std::pair<std::string, int64_t>> most =
      {};  // the most frequent ones, by falling count
};

// What one column of some rows looks like.
struct FeatureStatistics {
  std::string name;
  std::variant<NumberStatistics, CategoryStatistics> values;
  std::optional<int64_t> dimension =
      {};  // of a list of STRUCT(index, value): the highest index + 1

  bool is_category() const { return std::holds_alternative<CategoryStatistics>(values); }
};

// {"name", "rows", "nulls", …}: a category has "most", a number "histogram". Reading throws
// nlohmann's exceptions.
nlohmann::ordered_json ToJson(const FeatureStatistics& statistics);
FeatureStatistics ReadFeatureStatistics(const nlohmann::ordered_json& json);

}  // namespace braid::ml
