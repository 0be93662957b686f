// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/option.h"
#include "ml/search_space.h"

namespace braid::ml {

// How NUM_TRIALS and its companions search.
struct TuningOptions {
  size_t parallel_trials = 1;
  SearchAlgorithm algorithm = SearchAlgorithm::kRandom;
  std::string objective;  // a metric of ML.EVALUATE
  bool higher_is_better = true;
  size_t folds = 0;     // 0: trials are judged on the evaluation rows
  size_t patience = 0;  // trials without a better one until the search ends; 0: it goes on
  std::vector<SearchPoint> points;  // a trial each
  std::vector<Option> settings;     // all options but those that are tuned

  // The settings with a point's values.
  std::vector<Option> SettingsOf(size_t trial) const;
  // Of the first point whose values go together. Throws kInvalidOption when no point's do.
  std::vector<Option> FeasibleSettings() const;
};

// Whether an option says how many trials there are or which one is best, but nothing of what one
// trial does.
bool SaysWhichTrials(std::string_view option);

// None without NUM_TRIALS. Throws kInvalidOption, kNotSupported for kinds that cannot be tuned.
std::optional<TuningOptions> ParseTuningOptions(const std::vector<Option>& options);

}  // namespace braid::ml
