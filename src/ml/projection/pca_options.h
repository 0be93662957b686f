// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/option.h"

namespace braid::ml {

enum class PcaSolver : uint8_t { kAuto, kFull, kRandomized };

struct PcaOptions {
  int64_t num_principal_components = 0;  // 0: all, or by the ratio
  std::optional<double> explained_variance_ratio;
  bool scale_features = true;
  PcaSolver solver = PcaSolver::kAuto;
};

std::vector<std::string_view> PcaOptionNames();
// Throws kInvalidOption.
PcaOptions ParsePcaOptions(const std::vector<Option>& options);

}  // namespace braid::ml
