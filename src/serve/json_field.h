// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serve/json_tape.h"
#include "serve/request_json.h"

namespace braid::serve {

// Turns JSON values into values of one SQL type, whose name is read once. Immutable and pure.
class FieldReader {
 public:
  explicit FieldReader(std::string_view sql_type);

  // Nothing when the value does not fit the type. null is NULL for every type.
  std::optional<JsonValue> Read(const JsonTape& tape, JsonTape::Index node) const;
  // The same for a value that is no JSON: a truth value, a text (base64 for BLOB), or a number by
  // its digits.
  std::optional<JsonValue> ReadBoolean(bool value) const;
  std::optional<JsonValue> ReadText(std::string_view text) const;
  std::optional<JsonValue> ReadNumber(JsonTape::Kind kind, std::string_view text) const;

  // What the type takes, for the hint of an error; empty when its name says enough.
  std::string Expectation() const;

 private:
  enum class Form : uint8_t {
    kBoolean,
    kInteger,
    kWideInteger,
    kDouble,
    kFloat,
    kDecimal,
    kDate,
    kTime,
    kTimestamp,
    kUuid,
    kBlob,
    kJson,
    kArray,
    kObject,
    kText
  };

  void ReadArguments(std::string_view arguments);

  Form form_ = Form::kText;
  int64_t minimum_ = 0;
  int64_t maximum_ = 0;
  std::string_view widest_;  // digits of the largest value of a kWideInteger
  bool is_signed_ = false;   // of a kWideInteger
  size_t width_ = 18;        // of a kDecimal
  size_t scale_ = 3;
};

// True for "2013-01-31", with 'T' or a space and a time of day, and an offset ("Z", "+01:00").
bool IsIsoTimestamp(std::string_view text);

}  // namespace braid::serve
