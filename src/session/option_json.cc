// SPDX-License-Identifier: Apache-2.0
#include "session/option_json.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace braid::session {

namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const OptionValue& option) {
  return std::visit(
      [](const auto& value) -> Json {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Value, OptionValue::List>) {
          Json list = Json::array();
          for (const OptionValue& item : value) list.push_back(ToJson(item));
          return list;
        } else if constexpr (std::is_same_v<Value, OptionValue::Struct>) {
          Json fields = Json::object();
          for (const auto& [name, item] : value) fields[name] = ToJson(item);
          return fields;
        } else if constexpr (std::is_same_v<Value, OptionValue::Call>) {
          return {{value.function, ToJson({value.arguments})}};
        } else {
          return value;
        }
      },
      option.value);
}

OptionValue FromJson(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_boolean()) return {json.get<bool>()};
  if (json.is_number_integer()) return {json.get<int64_t>()};
  if (json.is_number()) return {json.get<double>()};
  if (json.is_string()) return {json.get<std::string>()};
  if (json.is_array()) {
    OptionValue::List list;
    for (const Json& item : json) list.push_back(FromJson(item));
    return {std::move(list)};
  }
  OptionValue::Struct fields;
  for (const auto& [name, item] : json.items()) fields.push_back({name, FromJson(item)});
  return {std::move(fields)};
}

}  // namespace

std::string OptionsToJson(const std::vector<Option>& options) {
  Json json = Json::object();
  for (const Option& option : options) json[option.name] = ToJson(option.value);
  return json.dump();
}

std::vector<Option> OptionsFromJson(std::string_view text) {
  std::vector<Option> options;
  try {
    const Json json = Json::parse(text);
    for (const auto& [name, value] : json.items()) options.push_back({name, FromJson(value)});
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kLakeDamaged, std::string("Options cannot be read: ") + error.what());
  }
  return options;
}

}  // namespace braid::session
