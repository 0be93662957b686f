// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/value.h"
#include "serve/request_json.h"

namespace braid::serve {

// How the values of one type travel from JSON to SQL and to the capture log.
enum class ValueForm : uint8_t {
  kBoolean,
  kInteger,
  kDouble,
  kText,
  kTimestamp,
  kTime,
  kBlob,
  kJson
};
ValueForm FormOf(std::string_view sql_type);

// What SQL is given for a decoded value; a BLOB as base64 text.
engine::Value SqlValue(ValueForm form, const JsonValue& value);

// An SQL expression of the type from `source`, which gives what SqlValue made.
std::string TypedSql(ValueForm form, const std::string& sql_type, const std::string& source);

// Appends the value as the capture log's JSON.
void AppendCaptured(ValueForm form, const JsonValue& value, std::string& out);

// {"a":1,…} of fields and their values.
std::string CapturedObject(const std::vector<FieldType>& fields,
                           const std::vector<ValueForm>& forms,
                           const std::vector<JsonValue>& values);

}  // namespace braid::serve
