// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "base/hash.h"
#include "engine/duckdb_internal.h"

namespace braid::engine {

namespace {

using Json = nlohmann::ordered_json;

template <typename T>
T Read(duckdb_vector vector, idx_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

std::string_view ReadText(duckdb_vector vector, idx_t row) {
  auto* text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector)) + row;
  return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
}

std::string WideText(unsigned __int128 magnitude, bool negative, size_t scale) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(magnitude % 10)));
    magnitude /= 10;
  } while (magnitude != 0);
  if (scale > 0) {
    if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
    digits.insert(digits.size() - scale, ".");
  }
  return (negative ? "-" : "") + digits;
}

std::string SignedText(__int128 value, size_t scale) {
  const bool negative = value < 0;
  const auto magnitude = static_cast<unsigned __int128>(value);
  return WideText(negative ? 0 - magnitude : magnitude, negative, scale);
}

__int128 Wide(const duckdb_hugeint& value) {
  return static_cast<__int128>(
      static_cast<unsigned __int128>(static_cast<uint64_t>(value.upper)) << 64 | value.lower);
}

Json DecimalValue(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const size_t scale = duckdb_decimal_scale(type);
  switch (duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT:
      return SignedText(Read<int16_t>(vector, row), scale);
    case DUCKDB_TYPE_INTEGER:
      return SignedText(Read<int32_t>(vector, row), scale);
    case DUCKDB_TYPE_BIGINT:
      return SignedText(Read<int64_t>(vector, row), scale);
    default:
      return SignedText(Wide(Read<duckdb_hugeint>(vector, row)), scale);
  }
}

Json FloatValue(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json DateValue(duckdb_date date) {
  if (date.days == INT32_MAX) return "infinity";
  if (date.days == -INT32_MAX) return "-infinity";
  const duckdb_date_struct parts = duckdb_from_date(date);
  return fmt::format("{:04}-{:02}-{:02}", parts.year, parts.month, parts.day);
}

std::string TimeText(const duckdb_time_struct& time) {
  std::string text = fmt::format("{:02}:{:02}:{:02}", time.hour, time.min, time.sec);
  if (time.micros != 0) {
    text += fmt::format(".{:06}", time.micros);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

Json TimestampValue(int64_t micros, bool utc) {
  if (micros == INT64_MAX) return "infinity";
  if (micros == -INT64_MAX) return "-infinity";
  const duckdb_timestamp_struct parts = duckdb_from_timestamp({micros});
  return fmt::format("{:04}-{:02}-{:02}T{}{}", parts.date.year, parts.date.month, parts.date.day,
                     TimeText(parts.time), utc ? "Z" : "");
}

Json NanosValue(int64_t nanos) {
  int64_t micros = nanos / 1000;
  int64_t rest = nanos % 1000;
  if (rest < 0) {
    rest += 1000;
    --micros;
  }
  if (rest == 0) return TimestampValue(micros, false);
  const duckdb_timestamp_struct parts = duckdb_from_timestamp({micros});
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}{:03}", parts.date.year,
                     parts.date.month, parts.date.day, parts.time.hour, parts.time.min,
                     parts.time.sec, parts.time.micros, rest);
}

Json TimeTzValue(duckdb_time_tz value) {
  const duckdb_time_tz_struct parts = duckdb_from_time_tz(value);
  const int offset = std::abs(parts.offset);
  return fmt::format("{}{}{:02}:{:02}", TimeText(parts.time), parts.offset < 0 ? '-' : '+',
                     offset / 3600, offset / 60 % 60);
}

// ISO 8601: P1Y2M3DT4H5M6.5S; each part keeps its own sign.
Json IntervalValue(const duckdb_interval& value) {
  std::string text = "P";
  if (value.months / 12 != 0) text += fmt::format("{}Y", value.months / 12);
  if (value.months % 12 != 0) text += fmt::format("{}M", value.months % 12);
  if (value.days != 0) text += fmt::format("{}D", value.days);
  if (value.micros != 0) {
    text += "T";
    const int64_t seconds = value.micros / 1'000'000;
    if (seconds / 3600 != 0) text += fmt::format("{}H", seconds / 3600);
    if (seconds / 60 % 60 != 0) text += fmt::format("{}M", seconds / 60 % 60);
    const double rest = static_cast<double>(value.micros % 60'000'000) / 1e6;
    if (rest != 0) text += fmt::format("{}S", rest);
  }
  return text == "P" ? "PT0S" : text;
}

Json UuidValue(const duckdb_hugeint& value) {
  // DuckDB flips the highest bit so that UUIDs sort as integers.
  const uint64_t high = static_cast<uint64_t>(value.upper) ^ (1ULL << 63);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xFFFF,
                     high & 0xFFFF, value.lower >> 48, value.lower & 0xFFFF'FFFF'FFFFULL);
}

Json BitValue(std::string_view bytes) {
  if (bytes.empty()) return "";
  const auto padding = static_cast<size_t>(static_cast<unsigned char>(bytes[0]));
  std::string bits;
  for (size_t i = padding; i < (bytes.size() - 1) * 8; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[1 + i / 8]);
    bits += (byte >> (7 - i % 8) & 1) != 0 ? '1' : '0';
  }
  return bits;
}

Json EnumValue(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  idx_t index = 0;
  switch (duckdb_enum_internal_type(type)) {
    case DUCKDB_TYPE_UTINYINT:
      index = Read<uint8_t>(vector, row);
      break;
    case DUCKDB_TYPE_USMALLINT:
      index = Read<uint16_t>(vector, row);
      break;
    default:
      index = Read<uint32_t>(vector, row);
      break;
  }
  return TakeText(duckdb_enum_dictionary_value(type, index));
}

Json ListValue(duckdb_vector child, duckdb_logical_type type, idx_t begin, idx_t count) {
  Json list = Json::array();
  for (idx_t i = begin; i < begin + count; ++i) list.push_back(VectorValue(child, type, i));
  return list;
}

Json StructValue(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  Json object = Json::object();
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    const OwnedType child(duckdb_struct_type_child_type(type, i));
    object[TakeText(duckdb_struct_type_child_name(type, i))] =
        VectorValue(duckdb_struct_vector_get_child(vector, i), child.get(), row);
  }
  return object;
}

Json MapValue(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const auto entry = Read<duckdb_list_entry>(vector, row);
  const duckdb_vector entries = duckdb_list_vector_get_child(vector);
  const OwnedType key_type(duckdb_map_type_key_type(type));
  const OwnedType value_type(duckdb_map_type_value_type(type));
  const bool by_text = duckdb_get_type_id(key_type.get()) == DUCKDB_TYPE_VARCHAR;
  Json map = by_text ? Json::object() : Json::array();
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    Json key = VectorValue(duckdb_struct_vector_get_child(entries, 0), key_type.get(), i);
    Json value = VectorValue(duckdb_struct_vector_get_child(entries, 1), value_type.get(), i);
    if (by_text) {
      map[key.get<std::string>()] = std::move(value);
    } else {
      map.push_back({{"key", std::move(key)}, {"value", std::move(value)}});
    }
  }
  return map;
}

Json UnionValue(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const auto tag = Read<uint8_t>(duckdb_struct_vector_get_child(vector, 0), row);
  const OwnedType member(duckdb_union_type_member_type(type, tag));
  return VectorValue(duckdb_struct_vector_get_child(vector, tag + 1U), member.get(), row);
}

Json NestedValue(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_LIST: {
      const auto entry = Read<duckdb_list_entry>(vector, row);
      const OwnedType child(duckdb_list_type_child_type(type));
      return ListValue(duckdb_list_vector_get_child(vector), child.get(), entry.offset,
                       entry.length);
    }
    case DUCKDB_TYPE_ARRAY: {
      const idx_t size = duckdb_array_type_array_size(type);
      const OwnedType child(duckdb_array_type_child_type(type));
      return ListValue(duckdb_array_vector_get_child(vector), child.get(), row * size, size);
    }
    case DUCKDB_TYPE_STRUCT:
      return StructValue(vector, type, row);
    case DUCKDB_TYPE_MAP:
      return MapValue(vector, type, row);
    case DUCKDB_TYPE_UNION:
      return UnionValue(vector, type, row);
    default:
      throw Error(ErrorCode::kNotSupported, "A value's type cannot be shown: " + TypeName(type),
                  "cast the column to VARCHAR");
  }
}

}  // namespace

nlohmann::ordered_json VectorValue(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && (validity[row / 64] >> (row % 64) & 1) == 0) return nullptr;
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_SQLNULL:
      return nullptr;
    case DUCKDB_TYPE_BOOLEAN:
      return Read<bool>(vector, row);
    case DUCKDB_TYPE_TINYINT:
      return Read<int8_t>(vector, row);
    case DUCKDB_TYPE_SMALLINT:
      return Read<int16_t>(vector, row);
    case DUCKDB_TYPE_INTEGER:
      return Read<int32_t>(vector, row);
    case DUCKDB_TYPE_BIGINT:
      return Read<int64_t>(vector, row);
    case DUCKDB_TYPE_UTINYINT:
      return Read<uint8_t>(vector, row);
    case DUCKDB_TYPE_USMALLINT:
      return Read<uint16_t>(vector, row);
    case DUCKDB_TYPE_UINTEGER:
      return Read<uint32_t>(vector, row);
    case DUCKDB_TYPE_UBIGINT:
      return Read<uint64_t>(vector, row);
    case DUCKDB_TYPE_FLOAT: {
      const float value = Read<float>(vector, row);
      // The shortest text that gives the same float, not the digits of its double.
      return std::isfinite(value) ? Json::parse(fmt::format("{}", value)) : FloatValue(value);
    }
    case DUCKDB_TYPE_DOUBLE:
      return FloatValue(Read<double>(vector, row));
    case DUCKDB_TYPE_HUGEINT:
      return SignedText(Wide(Read<duckdb_hugeint>(vector, row)), 0);
    case DUCKDB_TYPE_UHUGEINT: {
      const auto value = Read<duckdb_uhugeint>(vector, row);
      return WideText(static_cast<unsigned __int128>(value.upper) << 64 | value.lower, false, 0);
    }
    case DUCKDB_TYPE_DECIMAL:
      return DecimalValue(vector, type, row);
    case DUCKDB_TYPE_VARCHAR:
      return std::string(ReadText(vector, row));
    case DUCKDB_TYPE_BLOB:
      return Base64(ReadText(vector, row));
    case DUCKDB_TYPE_BIT:
      return BitValue(ReadText(vector, row));
    case DUCKDB_TYPE_UUID:
      return UuidValue(Read<duckdb_hugeint>(vector, row));
    case DUCKDB_TYPE_DATE:
      return DateValue(Read<duckdb_date>(vector, row));
    case DUCKDB_TYPE_TIME:
      return TimeText(duckdb_from_time(Read<duckdb_time>(vector, row)));
    case DUCKDB_TYPE_TIME_TZ:
      return TimeTzValue(Read<duckdb_time_tz>(vector, row));
    case DUCKDB_TYPE_TIMESTAMP:
      return TimestampValue(Read<int64_t>(vector, row), false);
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return TimestampValue(Read<int64_t>(vector, row), true);
    case DUCKDB_TYPE_TIMESTAMP_S:
      return TimestampValue(Read<int64_t>(vector, row) * 1'000'000, false);
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return TimestampValue(Read<int64_t>(vector, row) * 1'000, false);
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return NanosValue(Read<int64_t>(vector, row));
    case DUCKDB_TYPE_INTERVAL:
      return IntervalValue(Read<duckdb_interval>(vector, row));
    case DUCKDB_TYPE_ENUM:
      return EnumValue(vector, type, row);
    default:
      return NestedValue(vector, type, row);
  }
}

}  // namespace braid::engine
