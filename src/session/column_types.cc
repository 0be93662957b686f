// SPDX-License-Identifier: Apache-2.0
#include "session/column_types.h"

#include "syntax/token.h"

namespace braid::session {

bool IsNumeric(const std::string& type) {
  for (const char* number : {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
                             "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE"})
    if (type == number) return true;
  return type.starts_with("DECIMAL") && !type.ends_with("]");
}

std::vector<lake::Column> StructFields(const std::string& type) {
  const auto tokens = syntax::Lex(type, "");
  std::vector<lake::Column> fields;
  size_t at = 2;  // STRUCT (
  while (at + 1 < tokens.size() && tokens[at].IsName()) {
    const std::string name = syntax::NameOf(tokens[at++]);
    const size_t begin = tokens[at].begin;
    int depth = 0;
    for (; at < tokens.size(); ++at) {
      if (tokens[at].Is("(")) ++depth;
      if (depth == 0 && (tokens[at].Is(",") || tokens[at].Is(")"))) break;
      if (tokens[at].Is(")")) --depth;
    }
    fields.push_back({name, type.substr(begin, tokens[at].begin - begin)});
    ++at;
  }
  return fields;
}

std::string ElementType(const std::string& type) {
  return type.ends_with("]") ? type.substr(0, type.rfind('[')) : "";
}

}  // namespace braid::session
