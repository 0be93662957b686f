// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "serve/service_binding_internal.h"
#include "syntax/token.h"

namespace braid::serve {

bool IsLiveSchema(std::string_view schema) {
  return schema == "inference" || schema == "feedback" || schema == "braid";
}

std::vector<std::string> TablesIn(std::string_view query, const TableStates& tables) {
  const std::vector<syntax::Token> tokens = syntax::Lex(query, "");
  std::set<std::string> found;
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (!tokens[i].IsName()) continue;
    const std::string name = syntax::NameOf(tokens[i]);
    const bool is_pair = tokens[i + 1].Is(".") && tokens[i + 2].IsName();
    const bool is_table =
        i > 0 && (tokens[i - 1].Is("from") || tokens[i - 1].Is("join") || tokens[i - 1].Is(","));
    std::string key;
    if (is_pair) {
      key = lake::MakeTableKey(name, syntax::NameOf(tokens[i + 2]));
    } else if (is_table) {
      key = lake::MakeTableKey("main", name);
    }
    if (tables.contains(key)) found.insert(key);
  }
  return {found.begin(), found.end()};
}

}  // namespace braid::serve
