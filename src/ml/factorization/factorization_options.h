// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ml/model_kind.h"

namespace braid::ml {

enum class Feedback : uint8_t {
  kExplicit,  // ratings that users gave
  kImplicit,  // how often, or how long, a user had to do with an item
};

constexpr int64_t kMostFactors = 1000;
constexpr int64_t kMostFactorizationStarts = 1000;

struct FactorizationOptions {
  Feedback feedback = Feedback::kExplicit;
  std::optional<size_t> num_factors;  // else log2 of the number of rows
  int64_t num_starts = 0;             // 0: by the number of ratings
  double l2_reg = 1;
  double wals_alpha = 40;
  int64_t max_iterations = 20;
  bool early_stop = true;
  double min_rel_progress = 0.01;
};

std::vector<std::string_view> FactorizationOptionNames();
// Throws kInvalidOption.
FactorizationOptions ParseFactorizationOptions(const std::vector<Option>& options);
NamedColumns FactorizationColumns(const std::vector<Option>& options);

}  // namespace braid::ml
