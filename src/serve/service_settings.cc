// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "serve/service_binding_internal.h"
#include "serve/service_schema.h"
#include "serve/struct_type.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

const std::string& TextOf(const Option& option) {
  const auto& value = option.value.value;
  if (std::holds_alternative<std::string>(value)) return std::get<std::string>(value);
  throw Error(ErrorCode::kInvalidOption, fmt::format("Option takes a string: {}", option.name),
              option.name == "capture" ? "capture = 'durable', 'async' or 'off'"
                                       : "such as outcome = 'late BOOLEAN, delay DOUBLE'");
}

CaptureMode CaptureOf(const Option& option) {
  const std::string mode = ToLower(TextOf(option));
  if (mode == "durable") return CaptureMode::kDurable;
  if (mode == "off") return CaptureMode::kOff;
  if (mode == "async") return CaptureMode::kAsync;
  throw Error(ErrorCode::kInvalidOption, "Unknown capture mode: " + mode,
              "the modes are 'durable', 'async' and 'off'");
}

std::vector<FieldType> OutcomeOf(const Option& option) {
  std::vector<FieldType> fields = FieldsOf(TextOf(option));
  const char* hint = "write names and types: outcome = 'late BOOLEAN, delay DOUBLE'";
  if (fields.empty()) throw Error(ErrorCode::kInvalidOption, "The outcome has no fields", hint);
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name.empty() || fields[i].sql_type.empty())
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("A field of the outcome lacks its name or type: {}", fields[i].name),
                  hint);
    for (size_t k = 0; k < i; ++k)
      if (EqualsIgnoringCase(fields[k].name, fields[i].name))
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("A field of the outcome is declared twice: {}", fields[i].name));
  }
  return fields;
}

}  // namespace

void ApplyOption(const Option& option, ServiceSettings& settings) {
  if (option.name == "capture") {
    settings.capture = CaptureOf(option);
  } else if (option.name == "outcome") {
    settings.outcome = OutcomeOf(option);
  } else {
    const auto close = ClosestMatch(option.name, {"capture", "outcome"});
    throw Error(
        ErrorCode::kInvalidOption, "Unknown option of a service: " + option.name,
        close ? fmt::format("did you mean {}?", *close) : "the options are capture and outcome");
  }
}

ServiceSettings ParseServiceSettings(const syntax::CreateService& service) {
  ServiceSettings settings;
  for (const Option& option : service.options) ApplyOption(option, settings);
  return settings;
}

}  // namespace braid::serve
