// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace braid::ml {

enum class HyperparameterType : uint8_t { kReal, kWhole, kWord };

// An option of a kind that tuning may choose: BigQuery ML's list, with the range that this option
// takes at all, the one that is searched when the statement names none, and the scale on which
// ranges are searched.
struct Hyperparameter {
  std::string_view option;  // lower case
  HyperparameterType type = HyperparameterType::kReal;
  double least = 0;
  double most = std::numeric_limits<double>::infinity();
  bool log_scale = false;
  std::optional<std::pair<double, double>> searched = {};
  std::optional<double> standard = {};       // without tuning; none: the rows decide
  std::vector<std::string_view> words = {};  // of kWord, upper case; the first is the standard
};

}  // namespace braid::ml
