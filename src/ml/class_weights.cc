// SPDX-License-Identifier: Apache-2.0
#include "ml/class_weights.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace braid::ml {

namespace {

std::string LabelText(const Option& option, const OptionValue& label, std::string_view wanted) {
  if (const auto* string = std::get_if<std::string>(&label.value)) return *string;
  if (const auto* integer = std::get_if<int64_t>(&label.value)) return std::to_string(*integer);
  if (const auto* boolean = std::get_if<bool>(&label.value)) return *boolean ? "true" : "false";
  OptionReader::Refuse(option, wanted);
}

}  // namespace

ClassWeights ReadClassWeights(const OptionReader& reader) {
  const Option* given = reader.Find("class_weights");
  if (given == nullptr) return {};
  const Option& option = *given;
  const std::string_view wanted = "a list as [STRUCT('no', 0.2), STRUCT('yes', 0.8)]";
  const auto* list = std::get_if<OptionValue::List>(&option.value.value);
  if (list == nullptr || list->empty()) OptionReader::Refuse(option, wanted);
  ClassWeights weights;
  for (const OptionValue& item : *list) {
    const auto* pair = std::get_if<OptionValue::Struct>(&item.value);
    if (pair == nullptr || pair->size() != 2) OptionReader::Refuse(option, wanted);
    const std::optional<double> weight = AsNumber((*pair)[1].second);
    if (!weight || !std::isfinite(*weight) || *weight < 0) OptionReader::Refuse(option, wanted);
    weights.emplace_back(LabelText(option, (*pair)[0].second, wanted), *weight);
  }
  if (reader.Boolean("auto_class_weights", false))
    throw Error(ErrorCode::kInvalidOption,
                "AUTO_CLASS_WEIGHTS and CLASS_WEIGHTS exclude each other");
  return weights;
}

std::vector<double> ClassFactors(const ClassWeights& given, bool automatic,
                                 const std::vector<std::string>& classes,
                                 const std::vector<double>& class_sums) {
  std::vector<double> factors(classes.size(), 1);
  for (const auto& [label, weight] : given) {
    const auto found = std::find(classes.begin(), classes.end(), label);
    if (found == classes.end())
      throw Error(ErrorCode::kInvalidOption,
                  "CLASS_WEIGHTS names a label that no row has: " + label,
                  "leave it out, or check its spelling");
    factors[static_cast<size_t>(found - classes.begin())] = weight;
  }
  if (!automatic) return factors;
  const double total = std::accumulate(class_sums.begin(), class_sums.end(), 0.0);
  for (size_t k = 0; k < classes.size(); ++k)
    factors[k] =
        class_sums[k] > 0 ? total / (class_sums[k] * static_cast<double>(classes.size())) : 0;
  return factors;
}

}  // namespace braid::ml
