// SPDX-License-Identifier: Apache-2.0
#include "session/feature_columns.h"

#include <fmt/format.h>

#include "session/column_types.h"
#include "syntax/format.h"

namespace braid::session {

namespace {

bool IsWhole(const std::string& type) {
  return IsNumeric(type) && !type.starts_with("DECIMAL") && type != "FLOAT" && type != "DOUBLE";
}

FeatureColumn ListColumn(const std::string& name, const std::string& path,
                         const std::string& element) {
  if (IsNumeric(element))
    return {name, FeatureKind::kNumbers, path, fmt::format("unnest(CAST({} AS DOUBLE[]))", path),
            ""};
  const std::vector<lake::Column> fields =
      element.starts_with("STRUCT(") ? StructFields(element) : std::vector<lake::Column>();
  if (fields.size() != 2 || !IsWhole(fields[0].type) || !IsNumeric(fields[1].type))
    return {name, FeatureKind::kCategories, path,
            fmt::format("unnest(CAST({} AS VARCHAR[]))", path), ""};
  const auto field = [&](size_t i, std::string_view type) {
    return fmt::format("unnest(list_transform({}, lambda __e: CAST(__e.{} AS {})))", path,
                       syntax::QuoteIdentifier(fields[i].name), type);
  };
  return {name, FeatureKind::kSparse, path, field(1, "DOUBLE"), field(0, "HUGEINT")};
}

void AddColumn(const std::string& name, const std::string& path, const std::string& type,
               std::vector<FeatureColumn>& features) {
  if (IsNumeric(type)) {
    features.push_back(
        {name, FeatureKind::kNumber, path, fmt::format("CAST({} AS DOUBLE)", path), ""});
  } else if (const std::string element = ElementType(type); !element.empty()) {
    features.push_back(ListColumn(name, path, element));
  } else if (type.starts_with("STRUCT(")) {
    for (const lake::Column& field : StructFields(type))
      AddColumn(name + "_" + field.name, path + "." + syntax::QuoteIdentifier(field.name),
                field.type, features);
  } else {
    features.push_back(
        {name, FeatureKind::kCategory, path, fmt::format("CAST({} AS VARCHAR)", path), ""});
  }
}

}  // namespace

std::vector<FeatureColumn> FeatureColumns(const std::vector<lake::Column>& columns) {
  std::vector<FeatureColumn> features;
  for (const lake::Column& column : columns)
    AddColumn(column.name, "__braid_row." + syntax::QuoteIdentifier(column.name), column.type,
              features);
  return features;
}

}  // namespace braid::session
