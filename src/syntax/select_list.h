// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/option.h"
#include "syntax/statement.h"

namespace braid::syntax {

// expression [AS name]; or * [{EXCEPT | EXCLUDE} (name, …)] [REPLACE (expression AS name, …)].
struct SelectItem {
  SourceText expression;
  std::string name;  // of a bare column its own; else empty when it is not given
  bool is_star = false;
  std::vector<Name> excluded;
  std::vector<SelectItem> replaced;
};

// Offsets count in `text`. Throws kSyntax with a position in it.
std::vector<SelectItem> ParseSelectList(std::string_view text);

// The items of STRUCT(expression [AS name], …); empty when the text is anything else.
std::vector<SelectItem> ParseStruct(std::string_view text);

// A literal of its own: NULL, boolean, number, string, [list]. Throws kSyntax.
OptionValue ParseLiteral(std::string_view text);

}  // namespace braid::syntax
