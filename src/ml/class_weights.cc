// SPDX-License-Identifier: Apache-2.0
#include "ml/class_weights.h"

#include <cmath>
#include <optional>
#include <string_view>

namespace braid::ml {

namespace {

std::string LabelText(const Option& option, const OptionValue& label, std::string_view wanted) {
  if (const auto* string = std::get_if<std::string>(&label.value)) return *string;
  if (const auto* integer = std::get_if<int64_t>(&label.value)) return std::to_string(*integer);
  if (const auto* boolean = std::get_if<bool>(&label.value)) return *boolean ? "true" : "false";
  OptionReader::Refuse(option, wanted);
}

}  // namespace

std::vector<std::pair<std::string, double>> ReadClassWeights(const OptionReader& reader) {
  const Option* given = reader.Find("class_weights");
  if (given == nullptr) return {};
  const Option& option = *given;
  const std::string_view wanted = "a list as [STRUCT('no', 0.2), STRUCT('yes', 0.8)]";
  const auto* list = std::get_if<OptionValue::List>(&option.value.value);
  if (list == nullptr || list->empty()) OptionReader::Refuse(option, wanted);
  std::vector<std::pair<std::string, double>> weights;
  for (const OptionValue& item : *list) {
    const auto* pair = std::get_if<OptionValue::Struct>(&item.value);
    if (pair == nullptr || pair->size() != 2) OptionReader::Refuse(option, wanted);
    const std::optional<double> weight = AsNumber((*pair)[1].second);
    if (!weight || !std::isfinite(*weight) || *weight < 0) OptionReader::Refuse(option, wanted);
    weights.emplace_back(LabelText(option, (*pair)[0].second, wanted), *weight);
  }
  return weights;
}

}  // namespace braid::ml
