// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.h"
#include "ml/import.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

constexpr std::string_view kWhat = "a list of two or more different labels, all of one type";

std::string TextOf(const Option& option, const OptionValue& item, std::string& type) {
  const auto one_type = [&](std::string_view its) {
    if (!type.empty() && type != its) OptionReader::Refuse(option, kWhat);
    type = its;
  };
  if (const auto* text = std::get_if<std::string>(&item.value)) {
    one_type("VARCHAR");
    return *text;
  }
  if (const auto* number = std::get_if<int64_t>(&item.value)) {
    one_type("BIGINT");
    return std::to_string(*number);
  }
  if (const auto* truth = std::get_if<bool>(&item.value)) {
    one_type("BOOLEAN");
    return *truth ? "true" : "false";
  }
  OptionReader::Refuse(option, kWhat);
}

}  // namespace

std::vector<size_t> ClassLabels::Ascending() const {
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [this](size_t a, size_t b) {
    return type == "BIGINT" ? std::stoll(texts[a]) < std::stoll(texts[b]) : texts[a] < texts[b];
  });
  return order;
}

ClassLabels ReadClassLabels(const std::vector<Option>& settings) {
  ClassLabels labels;
  const Option* option = OptionReader(settings).Find("class_labels");
  if (option == nullptr) return labels;
  const auto* list = std::get_if<OptionValue::List>(&option->value.value);
  if (list == nullptr) OptionReader::Refuse(*option, kWhat);
  labels.type.clear();
  for (const OptionValue& item : *list) labels.texts.push_back(TextOf(*option, item, labels.type));
  const std::set<std::string> different(labels.texts.begin(), labels.texts.end());
  if (labels.texts.size() < 2 || different.size() != labels.texts.size())
    OptionReader::Refuse(*option, kWhat);
  return labels;
}

}  // namespace braid::ml
