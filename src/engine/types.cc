// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string_view>

#include "engine/duckdb_internal.h"

namespace braid::engine {

std::string TakeText(char* text) {
  std::string copy = text == nullptr ? "" : text;
  duckdb_free(text);
  return copy;
}

namespace {

// Words that DuckDB 1.5 does not take as a field's name without quotes (duckdb_keywords(), the
// categories reserved and type_function), sorted. Its own text of a type leaves some of them bare.
constexpr std::string_view kReserved[] = {"all",
                                          "analyse",
                                          "analyze",
                                          "and",
                                          "anti",
                                          "any",
                                          "array",
                                          "as",
                                          "asc",
                                          "asof",
                                          "asymmetric",
                                          "at",
                                          "authorization",
                                          "binary",
                                          "both",
                                          "by",
                                          "case",
                                          "cast",
                                          "check",
                                          "collate",
                                          "collation",
                                          "column",
                                          "columns",
                                          "concurrently",
                                          "constraint",
                                          "create",
                                          "cross",
                                          "default",
                                          "deferrable",
                                          "desc",
                                          "describe",
                                          "distinct",
                                          "do",
                                          "else",
                                          "end",
                                          "except",
                                          "false",
                                          "fetch",
                                          "for",
                                          "foreign",
                                          "freeze",
                                          "from",
                                          "full",
                                          "generated",
                                          "glob",
                                          "group",
                                          "having",
                                          "ilike",
                                          "in",
                                          "initially",
                                          "inner",
                                          "intersect",
                                          "into",
                                          "is",
                                          "isnull",
                                          "join",
                                          "lambda",
                                          "lateral",
                                          "leading",
                                          "left",
                                          "like",
                                          "limit",
                                          "map",
                                          "natural",
                                          "not",
                                          "notnull",
                                          "null",
                                          "offset",
                                          "on",
                                          "only",
                                          "or",
                                          "order",
                                          "outer",
                                          "overlaps",
                                          "pivot",
                                          "pivot_longer",
                                          "pivot_wider",
                                          "placing",
                                          "positional",
                                          "primary",
                                          "qualify",
                                          "references",
                                          "returning",
                                          "right",
                                          "select",
                                          "semi",
                                          "show",
                                          "similar",
                                          "some",
                                          "struct",
                                          "summarize",
                                          "symmetric",
                                          "table",
                                          "tablesample",
                                          "then",
                                          "to",
                                          "trailing",
                                          "true",
                                          "try_cast",
                                          "union",
                                          "unique",
                                          "unpack",
                                          "unpivot",
                                          "using",
                                          "variadic",
                                          "verbose",
                                          "when",
                                          "where",
                                          "window",
                                          "with"};

bool IsReserved(const std::string& name) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::binary_search(std::begin(kReserved), std::end(kReserved), lower);
}

std::string FieldName(const std::string& name) {
  bool plain =
      !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 && !IsReserved(name);
  for (const char c : name)
    plain = plain && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  if (plain) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string StructName(duckdb_logical_type type) {
  std::string fields;
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    const OwnedType child(duckdb_struct_type_child_type(type, i));
    fields += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                          FieldName(TakeText(duckdb_struct_type_child_name(type, i))),
                          TypeName(child.get()));
  }
  return "STRUCT(" + fields + ")";
}

std::string UnionName(duckdb_logical_type type) {
  std::string members;
  for (idx_t i = 0; i < duckdb_union_type_member_count(type); ++i) {
    const OwnedType member(duckdb_union_type_member_type(type, i));
    members += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                           FieldName(TakeText(duckdb_union_type_member_name(type, i))),
                           TypeName(member.get()));
  }
  return "UNION(" + members + ")";
}

std::string EnumName(duckdb_logical_type type) {
  std::string values;
  for (idx_t i = 0; i < duckdb_enum_dictionary_size(type); ++i)
    values +=
        fmt::format("{}'{}'", i == 0 ? "" : ", ", TakeText(duckdb_enum_dictionary_value(type, i)));
  return "ENUM(" + values + ")";
}

std::string MapName(duckdb_logical_type type) {
  const OwnedType key(duckdb_map_type_key_type(type));
  const OwnedType value(duckdb_map_type_value_type(type));
  return fmt::format("MAP({}, {})", TypeName(key.get()), TypeName(value.get()));
}

const char* SimpleName(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_VARCHAR:
      return "VARCHAR";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_BIT:
      return "BIT";
    case DUCKDB_TYPE_TIME_TZ:
      return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_SQLNULL:
      return "\"NULL\"";
    default:
      return "UNKNOWN";
  }
}

}  // namespace

std::string TypeName(duckdb_logical_type type) {
  std::string alias = TakeText(duckdb_logical_type_get_alias(type));
  if (!alias.empty()) return alias;
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_LIST: {
      const OwnedType child(duckdb_list_type_child_type(type));
      return TypeName(child.get()) + "[]";
    }
    case DUCKDB_TYPE_ARRAY: {
      const OwnedType child(duckdb_array_type_child_type(type));
      return fmt::format("{}[{}]", TypeName(child.get()), duckdb_array_type_array_size(type));
    }
    case DUCKDB_TYPE_STRUCT:
      return StructName(type);
    case DUCKDB_TYPE_MAP:
      return MapName(type);
    case DUCKDB_TYPE_UNION:
      return UnionName(type);
    case DUCKDB_TYPE_ENUM:
      return EnumName(type);
    default:
      return SimpleName(duckdb_get_type_id(type));
  }
}

OwnedType TypeFromSql(duckdb_connection connection, const std::string& sql_type) {
  if (sql_type == "ANY") return OwnedType(duckdb_create_logical_type(DUCKDB_TYPE_ANY));
  const std::string sql = "SELECT CAST(NULL AS " + sql_type + ")";
  OwnedPrepared prepared;
  if (duckdb_prepare(connection, sql.c_str(), prepared.out()) != DuckDBSuccess)
    throw Error(ErrorCode::kInternal, "Not an SQL type: " + sql_type);
  return OwnedType(duckdb_prepared_statement_column_logical_type(prepared.get(), 0));
}

}  // namespace braid::engine
