// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/option.h"

namespace braid::ml {

enum class Extraction : uint8_t { kMinres, kMaximumLikelihood, kPrincipalAxis };
// Varimax and quartimax keep the factors uncorrelated; promax, oblimin and geomin do not.
enum class Rotation : uint8_t { kNone, kVarimax, kPromax, kOblimin, kQuartimax, kGeomin };
enum class FactorScores : uint8_t { kRegression, kBartlett };

constexpr int64_t kMostRotationStarts = 1000;

struct FactorOptions {
  std::optional<int64_t> num_factors;  // else by parallel analysis
  Extraction extraction = Extraction::kMinres;
  Rotation rotation = Rotation::kOblimin;
  bool kaiser_normalize = false;
  int64_t num_starts = 30;
  FactorScores scores = FactorScores::kRegression;
  int64_t max_iterations = 1000;
};

constexpr bool IsOblique(Rotation rotation) {
  return rotation == Rotation::kPromax || rotation == Rotation::kOblimin ||
         rotation == Rotation::kGeomin;
}

std::vector<std::string_view> FactorOptionNames();
FactorOptions ParseFactorOptions(const std::vector<Option>& options);

}  // namespace braid::ml
