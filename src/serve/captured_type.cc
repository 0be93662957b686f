// SPDX-License-Identifier: Apache-2.0
#include "serve/captured_type.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "serve/struct_type.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

constexpr std::pair<std::string_view, std::string_view> kRefused[] = {
    {"HUGEINT", "cast it, for example to BIGINT or DECIMAL(38, 0)"},
    {"UHUGEINT", "cast it, for example to DECIMAL(38, 0)"},
    {"BIGNUM", "cast it to VARCHAR"},
    {"INTERVAL", "cast it to VARCHAR, or to seconds with epoch(…)"},
    {"BIT", "cast it to VARCHAR"},
    {"ENUM", "cast it to VARCHAR"},
    {"UNION", "cast it to JSON"},
    {"VARIANT", "cast it to JSON"},
    {"GEOMETRY", "cast it to VARCHAR"},
    {"\"NULL\"", "give it a type: CAST(NULL AS VARCHAR)"},
    {"UNKNOWN", "cast it to another type"},
};

class Checker {
 public:
  Checker(const std::string& what, const std::string& whole, FieldRole role)
      : what_(what), whole_(whole), role_(role) {}

  void Check(std::string_view type, bool is_nested) const {
    if (type.ends_with(']')) {
      const size_t open = type.rfind('[');
      if (open + 2 != type.size())
        Refuse("cast it to a list: " + std::string(type.substr(0, open)) + "[]");
      Check(type.substr(0, open), true);
      return;
    }
    const size_t open = type.find('(');
    const std::string_view name = type.substr(0, open);
    for (const auto& [refused, hint] : kRefused)
      if (EqualsIgnoringCase(name, refused)) Refuse(std::string(hint));
    if (EqualsIgnoringCase(name, "BLOB") && is_nested)
      Refuse("give the BLOB a parameter or output of its own, or cast it with to_base64(…)");
    if (EqualsIgnoringCase(name, "STRUCT"))
      for (const FieldType& field : StructFields(type)) Check(field.sql_type, true);
    if (EqualsIgnoringCase(name, "MAP")) CheckMap(type.substr(open + 1, type.size() - open - 2));
  }

 private:
  void CheckMap(std::string_view arguments) const {
    const std::vector<std::string_view> types = SplitList(arguments);
    if (types.size() != 2) return;
    if (role_ == FieldRole::kOutput && !EqualsIgnoringCase(types[0], "VARCHAR"))
      Refuse("cast the map's keys to VARCHAR");
    Check(types[0], true);
    Check(types[1], true);
  }

  [[noreturn]] void Refuse(const std::string& hint) const {
    throw Error(ErrorCode::kTypeNotStorable,
                fmt::format("A service's {} has a type that cannot be captured without loss: {}",
                            what_, whole_),
                hint);
  }

  const std::string& what_;
  const std::string& whole_;
  FieldRole role_;
};

}  // namespace

std::string NormalisedType(engine::Connection& connection, const std::string& sql_type) {
  return connection.DescribeStatement("SELECT CAST(NULL AS " + sql_type + ")").column_types.at(0);
}

void CheckCaptured(const std::string& what, const std::string& type, FieldRole role) {
  Checker(what, type, role).Check(type, false);
}

}  // namespace braid::serve
