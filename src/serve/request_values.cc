// SPDX-License-Identifier: Apache-2.0
#include "serve/request_values.h"

#include <fmt/format.h>

#include <cmath>
#include <variant>

#include "base/hash.h"
#include "base/text.h"
#include "serve/canonical_time.h"
#include "serve/json_tape.h"
#include "syntax/token.h"

namespace braid::serve {

ValueForm FormOf(std::string_view sql_type) {
  const std::string upper = ToUpper(sql_type);
  const std::string_view name = std::string_view(upper).substr(0, upper.find('('));
  if (upper.ends_with(']') || name == "STRUCT" || name == "MAP" || name == "JSON" ||
      name == "UNION")
    return ValueForm::kJson;
  for (const char* integer :
       {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
    if (name == integer) return ValueForm::kInteger;
  if (name == "BOOLEAN") return ValueForm::kBoolean;
  if (name == "DOUBLE" || name == "FLOAT") return ValueForm::kDouble;
  if (name == "BLOB") return ValueForm::kBlob;
  if (name.starts_with("TIMESTAMP")) return ValueForm::kTimestamp;
  if (name.starts_with("TIME")) return ValueForm::kTime;
  return ValueForm::kText;
}

engine::Value SqlValue(ValueForm form, const JsonValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) {
    if (const bool* flag = std::get_if<bool>(&value)) return *flag;
    if (const auto* integer = std::get_if<int64_t>(&value)) return *integer;
    if (const auto* number = std::get_if<double>(&value)) return *number;
    return std::monostate();
  }
  switch (form) {
    case ValueForm::kBlob:
      return Base64(*text);
    case ValueForm::kTimestamp:
      return CanonicalTimestamp(*text);
    case ValueForm::kTime:
      return CanonicalTime(*text);
    default:
      return *text;
  }
}

std::string TypedSql(ValueForm form, const std::string& sql_type, const std::string& source) {
  if (form == ValueForm::kBlob) return fmt::format("from_base64({})", source);
  if (form == ValueForm::kJson && sql_type != "JSON")
    return fmt::format("CAST(CAST({} AS JSON) AS {})", source, sql_type);
  return fmt::format("CAST({} AS {})", source, sql_type);
}

void AppendCaptured(ValueForm form, const JsonValue& value, std::string& out) {
  const engine::Value sql = SqlValue(form, value);
  if (const auto* text = std::get_if<std::string>(&sql)) {
    if (form == ValueForm::kJson) {
      out += *text;
    } else {
      AppendJsonString(*text, out);
    }
  } else if (const bool* flag = std::get_if<bool>(&sql)) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = std::get_if<int64_t>(&sql)) {
    fmt::format_to(std::back_inserter(out), "{}", *integer);
  } else if (const auto* number = std::get_if<double>(&sql)) {
    if (std::isfinite(*number)) {
      fmt::format_to(std::back_inserter(out), "{}", *number);
    } else {
      out += std::isnan(*number) ? "\"NaN\"" : *number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    }
  } else {
    out += "null";
  }
}

std::string CapturedObject(const std::vector<FieldType>& fields,
                           const std::vector<ValueForm>& forms,
                           const std::vector<JsonValue>& values) {
  std::string out = "{";
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonString(fields[i].name, out);
    out += ':';
    AppendCaptured(forms[i], values[i], out);
  }
  return out + "}";
}

}  // namespace braid::serve
