// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "lake/tables.h"

namespace braid::session {

enum class FeatureKind : uint8_t {
  kNumber,
  kCategory,    // all that is no number: its text
  kNumbers,     // a list of numbers
  kCategories,  // a list of anything else
  kSparse,      // a list of STRUCT(whole number, number): an index and its value
};
constexpr bool IsList(FeatureKind kind) { return kind >= FeatureKind::kNumbers; }
constexpr bool IsCategory(FeatureKind kind) {
  return kind == FeatureKind::kCategory || kind == FeatureKind::kCategories;
}

// What a column of some rows is described as; a STRUCT as its fields, "column_field". SQL over
// __braid_row.
struct FeatureColumn {
  std::string name;
  FeatureKind kind = FeatureKind::kNumber;
  std::string expression;  // as it is
  std::string value;       // DOUBLE or VARCHAR; of a list its elements, unnested
  std::string index;       // kSparse: of the elements, unnested
};

std::vector<FeatureColumn> FeatureColumns(const std::vector<lake::Column>& columns);

}  // namespace braid::session
