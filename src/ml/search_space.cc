// SPDX-License-Identifier: Apache-2.0
#include "ml/search_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "ml/model_kind.h"
#include "ml/option_reader.h"
#include "ml/random_stream.h"

namespace braid::ml {

namespace {

// What stands for 0 on a logarithmic scale (BigQuery ML).
constexpr double kLogOfZero = 1e-14;
constexpr size_t kMostValues = 1'000'000;  // of a dimension that is counted
constexpr size_t kMostDraws = 1'000;       // for a point that was not drawn before

[[noreturn]] void Refuse(const std::string& option, const std::string& what, std::string hint) {
  throw Error(ErrorCode::kInvalidOption, fmt::format("{} {}", ToUpper(option), what),
              std::move(hint));
}

OptionValue NumberOf(const Hyperparameter& hyperparameter, double number) {
  if (hyperparameter.type == HyperparameterType::kWhole)
    return {static_cast<int64_t>(std::llround(number))};
  return {number};
}

bool Fits(const Hyperparameter& hyperparameter, double number) {
  return std::isfinite(number) && number >= hyperparameter.least && number <= hyperparameter.most &&
         (hyperparameter.type != HyperparameterType::kWhole || number == std::floor(number));
}

std::string Taken(const Hyperparameter& hyperparameter) {
  const std::string_view what =
      hyperparameter.type == HyperparameterType::kWhole ? "whole numbers" : "numbers";
  return std::isinf(hyperparameter.most)
             ? fmt::format("takes {} from {}", what, hyperparameter.least)
             : fmt::format("takes {} from {} to {}", what, hyperparameter.least,
                           hyperparameter.most);
}

bool AreEqual(const OptionValue& a, const OptionValue& b) {
  const std::optional<double> number = AsNumber(a);
  if (number) return number == AsNumber(b);
  const auto* text = std::get_if<std::string>(&a.value);
  const auto* other = std::get_if<std::string>(&b.value);
  return text != nullptr && other != nullptr && ToUpper(*text) == ToUpper(*other);
}

void ReadRange(const OptionValue::List& arguments, SearchDimension& dimension) {
  const std::string option(dimension.hyperparameter.option);
  if (dimension.hyperparameter.type == HyperparameterType::kWord)
    Refuse(option, "is no number: it has no HPARAM_RANGE",
           fmt::format("write HPARAM_CANDIDATES(['{}'])",
                       fmt::join(dimension.hyperparameter.words, "', '")));
  const bool two = arguments.size() == 2;
  const std::optional<double> low = two ? AsNumber(arguments[0]) : std::nullopt;
  const std::optional<double> high = two ? AsNumber(arguments[1]) : std::nullopt;
  if (!low || !high)
    Refuse(option, "has no range: HPARAM_RANGE takes the least and the greatest value",
           "as HPARAM_RANGE(0.1, 10)");
  for (const double end : {*low, *high})
    if (!Fits(dimension.hyperparameter, end))
      Refuse(option, fmt::format("{}, not {}", Taken(dimension.hyperparameter), end), "");
  if (*low >= *high)
    Refuse(option, fmt::format("has a reversed or empty HPARAM_RANGE: {} to {}", *low, *high),
           "write the smaller number first");
  dimension.low = *low;
  dimension.high = *high;
}

void CheckCandidate(const Hyperparameter& hyperparameter, const OptionValue& candidate) {
  const std::string option(hyperparameter.option);
  if (hyperparameter.type == HyperparameterType::kWord) {
    const auto* text = std::get_if<std::string>(&candidate.value);
    if (text == nullptr || std::find(hyperparameter.words.begin(), hyperparameter.words.end(),
                                     ToUpper(*text)) == hyperparameter.words.end())
      Refuse(option,
             fmt::format("takes candidates among '{}'", fmt::join(hyperparameter.words, "', '")),
             "");
    return;
  }
  const std::optional<double> number = AsNumber(candidate);
  if (!number || !Fits(hyperparameter, *number)) Refuse(option, Taken(hyperparameter), "");
}

void ReadCandidates(const OptionValue::List& arguments, SearchDimension& dimension) {
  const std::string option(dimension.hyperparameter.option);
  const auto* list =
      arguments.size() == 1 ? std::get_if<OptionValue::List>(&arguments.front().value) : nullptr;
  if (list == nullptr || list->empty())
    Refuse(option, "has no candidates: HPARAM_CANDIDATES takes a list of at least one value",
           "as HPARAM_CANDIDATES([1, 2, 4])");
  for (const OptionValue& candidate : *list) {
    CheckCandidate(dimension.hyperparameter, candidate);
    for (const OptionValue& earlier : dimension.candidates)
      if (AreEqual(earlier, candidate)) Refuse(option, "has a candidate twice", "keep one of them");
    // 2.0 is a whole number too.
    const std::optional<double> number = AsNumber(candidate);
    dimension.candidates.push_back(number ? NumberOf(dimension.hyperparameter, *number)
                                          : candidate);
  }
}

const Hyperparameter& Tunable(const ModelKind& kind, const std::string& option) {
  std::vector<std::string> names;
  for (const Hyperparameter& hyperparameter : kind.hyperparameters) {
    if (hyperparameter.option == option) return hyperparameter;
    names.push_back(ToUpper(hyperparameter.option));
  }
  Refuse(option, fmt::format("cannot be tuned for {}", kind.name),
         fmt::format("these can: {}", fmt::join(names, ", ")));
}

SearchDimension Read(const ModelKind& kind, const std::string& option,
                     const OptionValue::Call& call) {
  SearchDimension dimension{.hyperparameter = Tunable(kind, option)};
  if (call.function == "hparam_range")
    ReadRange(call.arguments, dimension);
  else if (call.function == "hparam_candidates")
    ReadCandidates(call.arguments, dimension);
  else
    Refuse(option, fmt::format("calls an unknown function: {}", ToUpper(call.function)),
           "tuning knows HPARAM_RANGE(least, greatest) and HPARAM_CANDIDATES([…])");
  return dimension;
}

}  // namespace

bool IsSearched(const OptionValue& value) {
  return std::holds_alternative<OptionValue::Call>(value.value);
}

OptionValue SearchDimension::At(double share) const {
  if (!candidates.empty())
    return candidates[std::min(
        candidates.size() - 1,
        static_cast<size_t>(share * static_cast<double>(candidates.size())))];
  if (hyperparameter.type == HyperparameterType::kWhole)
    return NumberOf(hyperparameter, std::min(high, low + std::floor(share * (high - low + 1))));
  if (hyperparameter.log_scale) {
    const double least = std::log(low > 0 ? low : kLogOfZero);
    return {std::clamp(std::exp(least + (1 - share) * (std::log(high) - least)),
                       low > 0 ? low : kLogOfZero, high)};
  }
  // The lower end, which some options do not take, is never drawn.
  return {low + (1 - share) * (high - low)};
}

std::optional<OptionValue> SearchDimension::Standard() const {
  if (hyperparameter.type == HyperparameterType::kWord) {
    const OptionValue word{std::string(hyperparameter.words.front())};
    for (const OptionValue& candidate : candidates)
      if (AreEqual(candidate, word)) return candidate;
    return candidates.front();
  }
  if (!hyperparameter.standard) return std::nullopt;
  const double standard = *hyperparameter.standard;
  if (candidates.empty()) return NumberOf(hyperparameter, std::clamp(standard, low, high));
  return *std::min_element(
      candidates.begin(), candidates.end(), [&](const OptionValue& a, const OptionValue& b) {
        return std::abs(*AsNumber(a) - standard) < std::abs(*AsNumber(b) - standard);
      });
}

std::vector<OptionValue> SearchDimension::Values() const {
  if (!candidates.empty()) return candidates;
  std::vector<OptionValue> values;
  if (hyperparameter.type != HyperparameterType::kWhole) return values;
  if (high - low >= static_cast<double>(kMostValues)) return values;
  for (double number = low; number <= high; ++number)
    values.push_back(NumberOf(hyperparameter, number));
  return values;
}

SearchSpace::SearchSpace(const ModelKind& kind, const std::vector<Option>& options) {
  for (const Option& option : options)
    if (const auto* call = std::get_if<OptionValue::Call>(&option.value.value))
      dimensions_.push_back(Read(kind, option.name, *call));
  if (!dimensions_.empty()) return;
  const OptionReader given(options);
  for (const Hyperparameter& hyperparameter : kind.hyperparameters)
    if (hyperparameter.searched && !given.Has(hyperparameter.option))
      dimensions_.push_back({.hyperparameter = hyperparameter,
                             .low = hyperparameter.searched->first,
                             .high = hyperparameter.searched->second,
                             .candidates = {}});
  if (dimensions_.empty())
    throw Error(ErrorCode::kInvalidOption, "NUM_TRIALS has nothing to tune",
                "give an option a set of values, as l2_reg = HPARAM_RANGE(0, 10)");
}

std::optional<size_t> SearchSpace::size() const {
  size_t size = 1;
  for (const SearchDimension& dimension : dimensions_) {
    const size_t values = dimension.Values().size();
    if (values == 0) return std::nullopt;
    if (__builtin_mul_overflow(size, values, &size)) return std::nullopt;
  }
  return size;
}

std::vector<SearchPoint> SearchSpace::Points(SearchAlgorithm algorithm, size_t count,
                                             int64_t seed) const {
  return algorithm == SearchAlgorithm::kGrid ? Grid(count) : Draws(count, seed);
}

std::vector<SearchPoint> SearchSpace::Grid(size_t count) const {
  std::vector<std::vector<OptionValue>> values;
  for (const SearchDimension& dimension : dimensions_) {
    values.push_back(dimension.Values());
    if (values.back().empty())
      Refuse(std::string(dimension.hyperparameter.option),
             "has a continuous range, which no grid can search",
             "write HPARAM_CANDIDATES([…]), or hparam_tuning_algorithm = 'RANDOM_SEARCH'");
  }
  std::vector<SearchPoint> points;
  std::vector<size_t> at(values.size(), 0);
  while (points.size() < count) {
    SearchPoint& point = points.emplace_back();
    for (size_t i = 0; i < values.size(); ++i)
      point.push_back({std::string(dimensions_[i].hyperparameter.option), values[i][at[i]]});
    size_t last = values.size();
    while (last > 0 && ++at[last - 1] == values[last - 1].size()) at[--last] = 0;
    if (last == 0) break;
  }
  return points;
}

std::vector<SearchPoint> SearchSpace::Draws(size_t count, int64_t seed) const {
  RandomStream random(seed);
  std::vector<SearchPoint> points;
  const auto is_new = [&points](const SearchPoint& point) {
    return std::none_of(points.begin(), points.end(), [&](const SearchPoint& earlier) {
      return std::equal(
          point.begin(), point.end(), earlier.begin(),
          [](const Option& a, const Option& b) { return AreEqual(a.value, b.value); });
    });
  };
  count = std::min(count, size().value_or(count));
  while (points.size() < count) {
    SearchPoint point;
    for (size_t draw = 0; point.empty() || (!is_new(point) && draw < kMostDraws); ++draw) {
      point.clear();
      for (const SearchDimension& dimension : dimensions_) {
        const std::optional<OptionValue> standard =
            points.empty() ? dimension.Standard() : std::nullopt;
        point.push_back({std::string(dimension.hyperparameter.option),
                         standard ? *standard : dimension.At(random.Uniform())});
      }
    }
    if (!is_new(point)) break;
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace braid::ml
