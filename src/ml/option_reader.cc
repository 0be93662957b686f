// SPDX-License-Identifier: Apache-2.0
#include "ml/option_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace braid::ml {

namespace {

template <typename Value>
const Value* As(const OptionValue& value) {
  return std::get_if<Value>(&value.value);
}

std::optional<double> Finite(const Option& option) {
  const std::optional<double> number = AsNumber(option.value);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

}  // namespace

std::optional<double> AsNumber(const OptionValue& value) {
  if (const auto* number = As<double>(value)) return *number;
  if (const auto* integer = As<int64_t>(value)) return static_cast<double>(*integer);
  return std::nullopt;
}

void OptionReader::Refuse(const Option& option, std::string_view what) {
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("The option {} takes {}", ToUpper(option.name), what));
}

const Option* OptionReader::Find(std::string_view name) const {
  for (const Option& option : options_)
    if (ToLower(option.name) == name) return &option;
  return nullptr;
}

bool OptionReader::Boolean(std::string_view name, bool otherwise) const {
  const Option* option = Find(name);
  if (option == nullptr) return otherwise;
  if (const auto* value = As<bool>(option->value)) return *value;
  Refuse(*option, "TRUE or FALSE");
}

double OptionReader::AtLeast(std::string_view name, double least, double otherwise) const {
  const Option* option = Find(name);
  if (option == nullptr) return otherwise;
  const std::optional<double> number = Finite(*option);
  if (!number || *number < least) Refuse(*option, fmt::format("a number of at least {}", least));
  return *number;
}

double OptionReader::Above(std::string_view name, double bound, double otherwise) const {
  const Option* option = Find(name);
  if (option == nullptr) return otherwise;
  const std::optional<double> number = Finite(*option);
  if (!number || *number <= bound) Refuse(*option, fmt::format("a number above {}", bound));
  return *number;
}

double OptionReader::Between(std::string_view name, double least, double most, double otherwise,
                             bool above) const {
  const Option* option = Find(name);
  if (option == nullptr) return otherwise;
  const std::optional<double> number = Finite(*option);
  if (!number || *number < least || *number > most || (above && *number == least))
    Refuse(*option,
           fmt::format("a number {} {} to {}", above ? "from above" : "from", least, most));
  return *number;
}

int64_t OptionReader::Integer(std::string_view name, int64_t least, int64_t otherwise) const {
  const Option* option = Find(name);
  if (option == nullptr) return otherwise;
  const auto* integer = As<int64_t>(option->value);
  if (integer == nullptr || *integer < least)
    Refuse(*option, fmt::format("a whole number of at least {}", least));
  return *integer;
}

std::optional<std::string> OptionReader::Text(std::string_view name) const {
  const Option* option = Find(name);
  if (option == nullptr) return std::nullopt;
  if (const auto* text = As<std::string>(option->value)) return *text;
  Refuse(*option, "a string");
}

std::optional<std::vector<std::string>> OptionReader::Texts(std::string_view name) const {
  const Option* option = Find(name);
  if (option == nullptr) return std::nullopt;
  const auto* list = As<OptionValue::List>(option->value);
  std::vector<std::string> texts;
  if (list != nullptr)
    for (const OptionValue& item : *list)
      if (const auto* text = As<std::string>(item); text && !text->empty()) texts.push_back(*text);
  if (list == nullptr || texts.size() != list->size() || texts.empty())
    Refuse(*option, "a list of strings, as ['price']");
  return texts;
}

bool OptionReader::IsWord(const Option& option, std::string_view word) {
  const auto* text = As<std::string>(option.value);
  return text != nullptr && ToLower(*text) == ToLower(word);
}

void OptionReader::RefuseWord(const Option& option, const std::vector<std::string_view>& words) {
  std::string list;
  for (const std::string_view word : words)
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", word);
  Refuse(option, "one of " + list);
}

}  // namespace braid::ml
