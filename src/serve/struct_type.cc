// SPDX-License-Identifier: Apache-2.0
#include "serve/struct_type.h"

#include <fmt/format.h>

#include "base/text.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::serve {

std::string StructType(const std::vector<FieldType>& fields) {
  std::string type = "STRUCT(";
  for (const FieldType& field : fields)
    type += fmt::format("{}{} {}", type.ends_with('(') ? "" : ", ",
                        syntax::QuoteIdentifier(field.name), field.sql_type);
  return type + ")";
}

std::vector<std::string_view> SplitList(std::string_view list) {
  const std::vector<syntax::Token> tokens = syntax::Lex(list, "");
  std::vector<std::string_view> parts;
  if (tokens.size() == 1) return parts;
  size_t depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const syntax::Token& token = tokens[i];
    const bool is_end = token.kind == syntax::TokenKind::kEnd;
    if (token.Is("(") || token.Is("[")) ++depth;
    if ((token.Is(")") || token.Is("]")) && depth > 0) --depth;
    if (!is_end && (depth > 0 || !token.Is(","))) continue;
    parts.push_back(
        begin == i ? std::string_view()
                   : list.substr(tokens[begin].begin, tokens[i - 1].end - tokens[begin].begin));
    begin = i + 1;
  }
  return parts;
}

std::vector<FieldType> FieldsOf(std::string_view list) {
  std::vector<FieldType> fields;
  for (const std::string_view part : SplitList(list)) {
    const std::vector<syntax::Token> tokens = syntax::Lex(part, "");
    FieldType field;
    if (tokens.front().IsName()) {
      field.name = syntax::NameOf(tokens.front());
      if (tokens.size() > 2) field.sql_type = part.substr(tokens[1].begin);
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

std::vector<FieldType> StructFields(std::string_view struct_type) {
  const size_t open = struct_type.find('(');
  if (open == std::string_view::npos || !struct_type.ends_with(')') ||
      !EqualsIgnoringCase(struct_type.substr(0, open), "STRUCT"))
    return {};
  return FieldsOf(struct_type.substr(open + 1, struct_type.size() - open - 2));
}

}  // namespace braid::serve
