// SPDX-License-Identifier: Apache-2.0
#include "serve/tensor.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

#include "base/error.h"

namespace braid::serve {

namespace {

static_assert(std::endian::native == std::endian::little, "tensors are little-endian on the wire");

struct TypeInfo {
  std::string_view name;
  size_t size;
  int64_t minimum;
  int64_t maximum;
};

template <typename T>
constexpr TypeInfo Integer(std::string_view name) {
  return {name, sizeof(T), std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

// In the order of TensorType.
constexpr std::array<TypeInfo, 13> kTypes = {{{"BOOL", 1, 0, 1},
                                              Integer<int8_t>("INT8"),
                                              Integer<int16_t>("INT16"),
                                              Integer<int32_t>("INT32"),
                                              Integer<int64_t>("INT64"),
                                              Integer<uint8_t>("UINT8"),
                                              Integer<uint16_t>("UINT16"),
                                              Integer<uint32_t>("UINT32"),
                                              {"UINT64", 8, 0, 0},
                                              {"FP16", 2, 0, 0},
                                              {"FP32", 4, 0, 0},
                                              {"FP64", 8, 0, 0},
                                              {"BYTES", 0, 0, 0}}};

const TypeInfo& InfoOf(TensorType type) { return kTypes[static_cast<size_t>(type)]; }

bool IsInteger(TensorType type) { return type >= TensorType::kInt8 && type <= TensorType::kUint64; }

// The value as int64_t where it fits, else its digits.
JsonValue Unsigned(uint64_t value) {
  if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return static_cast<int64_t>(value);
  return fmt::format("{}", value);
}

template <typename T>
T Load(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template <typename T>
void Store(T value, std::string& out) {
  std::array<char, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(T));
  out.append(bytes.data(), bytes.size());
}

// IEEE 754 binary16: a sign bit, five of the exponent, ten of the fraction.
double FromHalf(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  double value = 0;
  if (exponent == 0x1F) {
    value = fraction == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

JsonValue LoadFixed(TensorType type, std::string_view bytes) {
  switch (type) {
    case TensorType::kBool:
      return bytes[0] != 0;
    case TensorType::kInt8:
      return int64_t{Load<int8_t>(bytes)};
    case TensorType::kInt16:
      return int64_t{Load<int16_t>(bytes)};
    case TensorType::kInt32:
      return int64_t{Load<int32_t>(bytes)};
    case TensorType::kInt64:
      return Load<int64_t>(bytes);
    case TensorType::kUint8:
      return int64_t{Load<uint8_t>(bytes)};
    case TensorType::kUint16:
      return int64_t{Load<uint16_t>(bytes)};
    case TensorType::kUint32:
      return int64_t{Load<uint32_t>(bytes)};
    case TensorType::kUint64:
      return Unsigned(Load<uint64_t>(bytes));
    case TensorType::kFp16:
      return FromHalf(Load<uint16_t>(bytes));
    case TensorType::kFp32:
      return double{Load<float>(bytes)};
    case TensorType::kFp64:
      return Load<double>(bytes);
    case TensorType::kBytes:
      break;
  }
  return {};
}

std::optional<JsonValue> ReadInteger(TensorType type, JsonTape::Kind kind, std::string_view text) {
  const char* end = text.data() + text.size();
  if (kind == JsonTape::Kind::kInteger && type == TensorType::kUint64) {
    uint64_t value = 0;
    const auto [stop, ec] = std::from_chars(text.data(), end, value);
    if (ec != std::errc() || stop != end) return std::nullopt;
    return Unsigned(value);
  }
  int64_t value = 0;
  if (kind == JsonTape::Kind::kInteger) {
    if (std::from_chars(text.data(), end, value).ec != std::errc()) return std::nullopt;
  } else {
    // A whole number in another dress (3.0, 1e3) loses nothing below 2^53.
    double number = 0;
    if (std::from_chars(text.data(), end, number).ec != std::errc()) return std::nullopt;
    if (std::trunc(number) != number || std::abs(number) > 9007199254740992.0) return std::nullopt;
    value = static_cast<int64_t>(number);
  }
  if (type == TensorType::kUint64)
    return value >= 0 ? std::optional<JsonValue>(value) : std::nullopt;
  const TypeInfo& info = InfoOf(type);
  if (value < info.minimum || value > info.maximum) return std::nullopt;
  return value;
}

std::optional<JsonValue> ReadFloat(TensorType type, JsonTape::Kind kind, std::string_view text) {
  if (kind == JsonTape::Kind::kString) {
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
  }
  double value = 0;
  // Out of range here means too near to zero: the parser has refused what is too large.
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec ==
      std::errc::result_out_of_range)
    value = 0;
  constexpr double kLargestHalf = 65504;
  const double largest = type == TensorType::kFp16   ? kLargestHalf
                         : type == TensorType::kFp32 ? double{std::numeric_limits<float>::max()}
                                                     : std::numeric_limits<double>::max();
  if (std::abs(value) > largest) return std::nullopt;
  return value;
}

std::optional<std::vector<JsonValue>> ReadTexts(std::string_view bytes, size_t count) {
  if (count > bytes.size() / sizeof(uint32_t)) return std::nullopt;
  std::vector<JsonValue> values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    if (bytes.size() < sizeof(uint32_t)) return std::nullopt;
    const size_t size = Load<uint32_t>(bytes);
    bytes.remove_prefix(sizeof(uint32_t));
    if (bytes.size() < size) return std::nullopt;
    values.emplace_back(std::string(bytes.substr(0, size)));
    bytes.remove_prefix(size);
  }
  if (!bytes.empty()) return std::nullopt;
  return values;
}

}  // namespace

std::string_view TensorTypeName(TensorType type) { return InfoOf(type).name; }

std::optional<TensorType> FindTensorType(std::string_view name) {
  for (size_t i = 0; i < kTypes.size(); ++i)
    if (kTypes[i].name == name) return static_cast<TensorType>(i);
  return std::nullopt;
}

size_t ElementSize(TensorType type) { return InfoOf(type).size; }

bool IsFloat(TensorType type) { return type >= TensorType::kFp16 && type <= TensorType::kFp64; }

std::optional<size_t> ElementCount(const std::vector<size_t>& shape) {
  size_t count = 1;
  for (const size_t size : shape)
    if (__builtin_mul_overflow(count, size, &count)) return std::nullopt;
  return count;
}

std::optional<JsonValue> ReadElement(TensorType type, const JsonTape& tape, JsonTape::Index node) {
  using Kind = JsonTape::Kind;
  const Kind kind = tape.kind(node);
  const std::string_view text = tape.text(node);
  if (kind == Kind::kNull) return JsonValue();
  const bool is_number = kind == Kind::kInteger || kind == Kind::kFloat;
  if (type == TensorType::kBytes) {
    if (kind == Kind::kString) return std::string(text);
  } else if (type == TensorType::kBool) {
    if (kind == Kind::kTrue || kind == Kind::kFalse) return kind == Kind::kTrue;
    if (kind == Kind::kInteger && (text == "0" || text == "1")) return text == "1";
  } else if (IsFloat(type)) {
    if (is_number || kind == Kind::kString) return ReadFloat(type, kind, text);
  } else if (is_number) {
    return ReadInteger(type, kind, text);
  }
  return std::nullopt;
}

std::optional<std::vector<JsonValue>> ReadElements(TensorType type, std::string_view bytes,
                                                   size_t count) {
  if (type == TensorType::kBytes) return ReadTexts(bytes, count);
  const size_t size = ElementSize(type);
  if (bytes.size() % size != 0 || bytes.size() / size != count) return std::nullopt;
  std::vector<JsonValue> values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i)
    values.push_back(LoadFixed(type, bytes.substr(i * size, size)));
  return values;
}

void AppendBinary(TensorType type, const JsonValue& value, std::string& out) {
  if (type == TensorType::kBytes) {
    const auto& text = std::get<std::string>(value);
    Store(static_cast<uint32_t>(text.size()), out);
    out += text;
  } else if (type == TensorType::kBool) {
    out += std::get<bool>(value) ? '\1' : '\0';
  } else if (type == TensorType::kFp64) {
    Store(std::get<double>(value), out);
  } else if (IsFloat(type)) {
    BRAID_CHECK(type == TensorType::kFp32);
    Store(static_cast<float>(std::get<double>(value)), out);
  } else if (const auto* digits = std::get_if<std::string>(&value)) {
    uint64_t number = 0;
    std::from_chars(digits->data(), digits->data() + digits->size(), number);
    Store(number, out);
  } else {
    // The low bytes of a two's complement number are that number in fewer bytes.
    std::string wide;
    Store(std::get<int64_t>(value), wide);
    out.append(wide, 0, ElementSize(type));
  }
}

void AppendJson(TensorType type, const JsonValue& value, std::string& out) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (IsInteger(type)) {
      out += *text;
    } else {
      AppendJsonString(*text, out);
    }
  } else if (const bool* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), "{}", *integer);
  } else if (const auto* number = std::get_if<double>(&value);
             number != nullptr && !std::isnan(*number)) {
    if (std::isinf(*number)) {
      out += *number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
      fmt::format_to(std::back_inserter(out), "{}", *number);
    }
  } else {
    out += "null";
  }
}

}  // namespace braid::serve
