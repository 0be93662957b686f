// SPDX-License-Identifier: Apache-2.0
#include "serve/json_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/base64.h"
#include "base/uuid.h"

namespace braid::serve {

namespace {

constexpr std::string_view kHugeMax = "170141183460469231731687303715884105727";
constexpr std::string_view kUnsignedHugeMax = "340282366920938463463374607431768211455";
constexpr std::string_view kUnsignedBigMax = "18446744073709551615";
constexpr double kExactDouble = 9007199254740992.0;  // 2^53: whole doubles below are exact
constexpr long kMaxExponent = 1000;

struct IntegerType {
  std::string_view name;
  int64_t minimum;
  int64_t maximum;
};

template <typename T>
constexpr IntegerType Integer(std::string_view name) {
  return {name, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

constexpr std::array kIntegers = {
    Integer<int8_t>("TINYINT"),   Integer<int8_t>("INT1"),        Integer<int16_t>("SMALLINT"),
    Integer<int16_t>("INT2"),     Integer<int16_t>("SHORT"),      Integer<int32_t>("INTEGER"),
    Integer<int32_t>("INT"),      Integer<int32_t>("INT4"),       Integer<int32_t>("SIGNED"),
    Integer<int64_t>("BIGINT"),   Integer<int64_t>("INT8"),       Integer<int64_t>("LONG"),
    Integer<uint8_t>("UTINYINT"), Integer<uint16_t>("USMALLINT"), Integer<uint32_t>("UINTEGER"),
};

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

template <size_t N>
bool IsOneOf(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes exactly `count` digits off the front, as a number; -1 when they are not there.
int TakeDigits(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDigit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view& text) {
  const int year = TakeDigits(text, 4);
  if (year < 0 || !Take(text, '-')) return false;
  const int month = TakeDigits(text, 2);
  if (month < 1 || month > 12 || !Take(text, '-')) return false;
  const int day = TakeDigits(text, 2);
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int days = kDays[static_cast<size_t>(month - 1)] + (month == 2 && is_leap ? 1 : 0);
  return day >= 1 && day <= days;
}

bool TakeBelow(std::string_view& text, int limit) {
  const int value = TakeDigits(text, 2);
  return value >= 0 && value < limit;
}

bool TakeTime(std::string_view& text) {
  if (!TakeBelow(text, 24) || !Take(text, ':') || !TakeBelow(text, 60)) return false;
  if (!Take(text, ':')) return true;
  if (!TakeBelow(text, 60)) return false;
  if (!Take(text, '.')) return true;
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  text.remove_prefix(digits);
  return digits >= 1 && digits <= 9;
}

bool TakeOffset(std::string_view& text) {
  if (text.empty() || Take(text, 'Z') || Take(text, 'z')) return true;
  if (!Take(text, '+') && !Take(text, '-')) return false;
  if (!TakeBelow(text, 16)) return false;
  if (text.empty()) return true;
  Take(text, ':');
  return TakeBelow(text, 60);
}

bool IsDate(std::string_view text) { return TakeDate(text) && text.empty(); }
bool IsTime(std::string_view text) { return TakeTime(text) && TakeOffset(text) && text.empty(); }

// A decimal number taken apart: 0.<digits> * 10^point, without zeros in front.
struct Decimal {
  bool is_negative = false;
  std::string digits;
  long point = 0;
};

std::optional<Decimal> ParseDecimal(std::string_view text) {
  Decimal decimal;
  decimal.is_negative = Take(text, '-');
  if (!decimal.is_negative) Take(text, '+');
  bool is_fraction = false;
  bool has_digits = false;
  while (!text.empty() && (IsDigit(text[0]) || (text[0] == '.' && !is_fraction))) {
    if (text[0] == '.') {
      is_fraction = true;
    } else {
      has_digits = true;
      if (text[0] != '0' || !decimal.digits.empty()) {
        decimal.digits += text[0];
        if (!is_fraction) ++decimal.point;
      } else if (is_fraction) {
        --decimal.point;
      }
    }
    text.remove_prefix(1);
  }
  if (!has_digits) return std::nullopt;
  if (Take(text, 'e') || Take(text, 'E')) {
    Take(text, '+');
    long exponent = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (ec != std::errc() || std::labs(exponent) > kMaxExponent) return std::nullopt;
    decimal.point += exponent;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  if (!text.empty()) return std::nullopt;
  return decimal;
}

// Adds one unit in the last place; the digits may grow by one.
void RoundUp(std::string& digits) {
  for (size_t i = digits.size(); i-- > 0;) {
    if (digits[i] != '9') {
      ++digits[i];
      return;
    }
    digits[i] = '0';
  }
  digits.insert(digits.begin(), '1');
}

// The number in plain digits with `scale` decimals, halves rounded away from zero as DuckDB does;
// nothing when it has more than `width` digits.
std::optional<std::string> FormatDecimal(const Decimal& decimal, size_t width, size_t scale) {
  const long kept = decimal.point + static_cast<long>(scale);
  std::string digits;
  if (decimal.digits.empty() || kept < 0) {
    digits.clear();
  } else if (kept > static_cast<long>(width)) {
    return std::nullopt;
  } else {
    const auto size = static_cast<size_t>(kept);
    digits = decimal.digits.substr(0, size);
    digits.resize(size, '0');
    if (size < decimal.digits.size() && decimal.digits[size] >= '5') RoundUp(digits);
  }
  if (digits.size() > width) return std::nullopt;
  const bool is_zero = digits.find_first_not_of('0') == std::string_view::npos;
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, 1, '.');
  return (decimal.is_negative && !is_zero ? "-" : "") + digits;
}

}  // namespace

bool IsIsoTimestamp(std::string_view text) {
  if (!TakeDate(text)) return false;
  if (text.empty()) return true;
  if (!Take(text, 'T') && !Take(text, 't') && !Take(text, ' ')) return false;
  return TakeTime(text) && TakeOffset(text) && text.empty();
}

FieldReader::FieldReader(std::string_view sql_type) {
  const std::string upper = Upper(Trim(sql_type));
  if (upper.ends_with(']')) {
    form_ = Form::kArray;
    return;
  }
  const size_t open = upper.find('(');
  const std::string_view name = Trim(std::string_view(upper).substr(0, open));
  for (const IntegerType& type : kIntegers) {
    if (type.name != name) continue;
    form_ = Form::kInteger;
    minimum_ = type.minimum;
    maximum_ = type.maximum;
    return;
  }
  using Names = std::string_view;
  if (name == "HUGEINT" || name == "INT128" || name == "UHUGEINT" || name == "UBIGINT") {
    form_ = Form::kWideInteger;
    is_signed_ = name == "HUGEINT" || name == "INT128";
    widest_ = is_signed_ ? kHugeMax : name == "UBIGINT" ? kUnsignedBigMax : kUnsignedHugeMax;
  } else if (IsOneOf(name, std::array<Names, 3>{"BOOLEAN", "BOOL", "LOGICAL"})) {
    form_ = Form::kBoolean;
  } else if (IsOneOf(name, std::array<Names, 2>{"DOUBLE", "FLOAT8"})) {
    form_ = Form::kDouble;
  } else if (IsOneOf(name, std::array<Names, 3>{"FLOAT", "FLOAT4", "REAL"})) {
    form_ = Form::kFloat;
  } else if (IsOneOf(name, std::array<Names, 3>{"DECIMAL", "NUMERIC", "DEC"})) {
    form_ = Form::kDecimal;
    if (open != std::string::npos) ReadArguments(std::string_view(upper).substr(open + 1));
  } else if (name == "DATE") {
    form_ = Form::kDate;
  } else if (name.starts_with("TIMESTAMP") || name == "DATETIME") {
    form_ = Form::kTimestamp;
  } else if (name.starts_with("TIME")) {
    form_ = Form::kTime;
  } else if (name == "UUID") {
    form_ = Form::kUuid;
  } else if (IsOneOf(name, std::array<Names, 4>{"BLOB", "BYTEA", "BINARY", "VARBINARY"})) {
    form_ = Form::kBlob;
  } else if (name == "JSON" || name == "UNION") {
    form_ = Form::kJson;
  } else if (name == "STRUCT" || name == "ROW" || name == "MAP") {
    form_ = Form::kObject;
  }
}

// "10,2)" or "10)"; what is no such thing keeps the default, which is DuckDB's.
void FieldReader::ReadArguments(std::string_view arguments) {
  const char* end = arguments.data() + arguments.size();
  size_t width = 0;
  auto [stop, ec] = std::from_chars(arguments.data(), end, width);
  if (ec != std::errc() || width < 1 || width > 38) return;
  size_t scale = 0;
  while (stop != end && (*stop == ',' || *stop == ' ')) ++stop;
  std::from_chars(stop, end, scale);
  if (scale > width) return;
  width_ = width;
  scale_ = scale;
}

std::optional<JsonValue> FieldReader::Read(const JsonTape& tape, JsonTape::Index node) const {
  using Kind = JsonTape::Kind;
  const Kind kind = tape.kind(node);
  if (kind == Kind::kNull) return JsonValue();
  if (form_ == Form::kJson || (form_ == Form::kArray && kind == Kind::kArray) ||
      (form_ == Form::kObject && kind == Kind::kObject)) {
    std::string text;
    tape.Render(node, text);
    return text;
  }
  switch (kind) {
    case Kind::kTrue:
    case Kind::kFalse:
      return ReadBoolean(kind == Kind::kTrue);
    case Kind::kString:
      return ReadText(tape.text(node));
    case Kind::kInteger:
    case Kind::kFloat:
      return ReadNumber(kind, tape.text(node));
    default:
      return std::nullopt;
  }
}

std::optional<JsonValue> FieldReader::ReadBoolean(bool value) const {
  if (form_ == Form::kBoolean) return value;
  return std::nullopt;
}

std::optional<JsonValue> FieldReader::ReadText(std::string_view text) const {
  bool fits = true;
  switch (form_) {
    case Form::kDouble:
    case Form::kFloat:
      if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
      if (text == "Infinity") return std::numeric_limits<double>::infinity();
      if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
      return std::nullopt;
    case Form::kDecimal:
    case Form::kWideInteger:
      return ReadNumber(JsonTape::Kind::kFloat, text);
    case Form::kDate:
      fits = IsDate(text);
      break;
    case Form::kTime:
      fits = IsTime(text);
      break;
    case Form::kTimestamp:
      fits = IsIsoTimestamp(text);
      break;
    case Form::kUuid:
      fits = IsUuid(text);
      break;
    case Form::kBlob:
      if (std::optional<std::string> bytes = DecodeBase64(text)) return *std::move(bytes);
      return std::nullopt;
    case Form::kText:
      break;
    default:
      return std::nullopt;
  }
  if (!fits) return std::nullopt;
  return std::string(text);
}

std::optional<JsonValue> FieldReader::ReadNumber(JsonTape::Kind kind, std::string_view text) const {
  const char* end = text.data() + text.size();
  if (form_ == Form::kInteger && kind == JsonTape::Kind::kInteger) {
    int64_t value = 0;
    if (std::from_chars(text.data(), end, value).ec != std::errc()) return std::nullopt;
    if (value < minimum_ || value > maximum_) return std::nullopt;
    return value;
  }
  if (form_ == Form::kDecimal || form_ == Form::kWideInteger) {
    const std::optional<Decimal> decimal = ParseDecimal(text);
    if (!decimal) return std::nullopt;
    if (form_ == Form::kDecimal) {
      auto digits = FormatDecimal(*decimal, width_, scale_);
      if (!digits) return std::nullopt;
      return *std::move(digits);
    }
    const bool is_whole = decimal->digits.find_last_not_of('0') + 1 <=
                          static_cast<size_t>(std::max(0L, decimal->point));
    auto digits = FormatDecimal(*decimal, widest_.size(), 0);
    if (!is_whole || !digits) return std::nullopt;
    std::string_view magnitude = *digits;
    const bool is_negative = Take(magnitude, '-');
    if (is_negative && !is_signed_) return std::nullopt;
    if (magnitude.size() == widest_.size() && magnitude > widest_) return std::nullopt;
    return *std::move(digits);
  }
  if (form_ != Form::kInteger && form_ != Form::kDouble && form_ != Form::kFloat)
    return std::nullopt;
  double value = 0;
  // Out of range here means too near to zero: the parser has refused what is too large.
  if (std::from_chars(text.data(), end, value).ec == std::errc::result_out_of_range) value = 0;
  if (form_ == Form::kInteger) {
    // A whole number in another dress (3.0, 1e3) loses nothing.
    if (std::trunc(value) != value || std::abs(value) > kExactDouble) return std::nullopt;
    const auto whole = static_cast<int64_t>(value);
    if (whole < minimum_ || whole > maximum_) return std::nullopt;
    return whole;
  }
  if (form_ == Form::kFloat && std::abs(value) > std::numeric_limits<float>::max())
    return std::nullopt;
  return value;
}

std::string FieldReader::Expectation() const {
  switch (form_) {
    case Form::kBoolean:
      return "true or false";
    case Form::kInteger:
      return fmt::format("a whole number from {} to {}", minimum_, maximum_);
    case Form::kWideInteger:
      return fmt::format("a whole number up to {}, as number or string", widest_);
    case Form::kDouble:
    case Form::kFloat:
      return "a number, \"NaN\", \"Infinity\" or \"-Infinity\"";
    case Form::kDecimal:
      return fmt::format("a number of at most {} digits before the point, as number or string",
                         width_ - scale_);
    case Form::kDate:
      return "a string like \"2013-01-31\"";
    case Form::kTime:
      return "a string like \"23:59:59.5\"";
    case Form::kTimestamp:
      return "a string like \"2013-01-31T23:59:59Z\"";
    case Form::kUuid:
      return "a string like \"0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b\"";
    case Form::kBlob:
      return "a string in base64 with padding";
    case Form::kArray:
      return "an array";
    case Form::kObject:
      return "an object";
    case Form::kText:
      return "a string";
    case Form::kJson:
      break;
  }
  return "any value";
}

}  // namespace braid::serve
