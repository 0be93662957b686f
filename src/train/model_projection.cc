// SPDX-License-Identifier: Apache-2.0
#include "train/model_projection.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "syntax/format.h"
#include "train/training_rows.h"
#include "train/transform.h"

namespace braid::train {

namespace {

void FindLabel(const ProjectionRequest& request, session::Projection& projection) {
  const lake::Column& column =
      FindColumn(request.columns, request.named ? request.named->label : request.options.label,
                 "label column", "name it in OPTIONS (input_label_cols = ['…'])");
  projection.label = column.name;
  projection.label_type = column.type;
  if (!request.classifies() && !IsNumeric(projection.label_type))
    throw Error(ErrorCode::kTrainingData,
                fmt::format("The label of a regression is not a number: {} {}", projection.label,
                            projection.label_type),
                "cast it, or use model_type = 'logistic_reg'");
}

void CheckMark(const ProjectionRequest& request) {
  const std::string option = ToUpper(request.options.kind->mark_option);
  const lake::Column& column =
      FindColumn(request.columns, *request.options.mark_col, option + " column");
  if (column.type != "BOOLEAN")
    throw Error(
        ErrorCode::kTrainingData,
        fmt::format("The {} column is not BOOLEAN: {} {}", option, column.name, column.type),
        "it is TRUE for the rows that it marks");
}

// The transformed columns that a kind names as its inputs.
std::vector<session::ProjectedInput> NamedColumns(
    const std::vector<session::ProjectedInput>& columns, const std::vector<std::string>& names) {
  std::vector<lake::Column> known;
  for (const session::ProjectedInput& column : columns) known.push_back({column.name, ""});
  std::vector<session::ProjectedInput> inputs = NamedInputs(known, names);
  for (session::ProjectedInput& input : inputs)
    for (const session::ProjectedInput& column : columns)
      if (column.name == input.name) input.expression = column.expression;
  return inputs;
}

// A key's text is that of its value in the type that it had in training, so that a column that came
// back wider names the same partition.
std::string KeyExpression(const lake::Column& column) {
  const std::string value = "__braid_row." + syntax::QuoteIdentifier(column.name);
  if (column.type == "VARCHAR" || column.type == "UUID" || column.type.starts_with("ENUM"))
    return value;
  for (const char* narrow :
       {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
    if (column.type == narrow) return fmt::format("CAST({} AS BIGINT)", value);
  for (const char* type :
       {"BOOLEAN", "DATE", "TIME", "TIMESTAMP", "UBIGINT", "HUGEINT", "UHUGEINT"})
    if (column.type == type) return fmt::format("CAST({} AS {})", value, column.type);
  if (column.type.starts_with("DECIMAL") && !column.type.ends_with("]"))
    return fmt::format("CAST({} AS {})", value, column.type);
  throw Error(ErrorCode::kTrainingData,
              fmt::format("A column's type cannot part the rows: {} {}", column.name, column.type),
              "cast it to text, a whole number or a date in the training query");
}

}  // namespace

session::Projection ProjectLabel(const ProjectionRequest& request) {
  session::Projection projection;
  if (request.has_label()) FindLabel(request, projection);
  if (request.options.instance_weight_col)
    FindColumn(request.columns, *request.options.instance_weight_col);
  if (request.options.mark_col) CheckMark(request);
  return projection;
}

std::vector<session::ProjectedInput> PartitionKeys(const ProjectionRequest& request) {
  std::vector<session::ProjectedInput> keys;
  for (const std::string& name : request.partition) {
    const lake::Column& column = FindColumn(request.columns, name, "partition column");
    for (const auto& [other, what] :
         {std::pair<std::optional<std::string>, std::string_view>{
              request.has_label() ? std::optional(request.options.label) : std::nullopt, "label"},
          {request.options.data_split_col, "DATA_SPLIT_COL"},
          {request.options.instance_weight_col, "INSTANCE_WEIGHT_COL"}})
      if (other && EqualsIgnoringCase(*other, name))
        throw Error(ErrorCode::kTrainingData,
                    fmt::format("A partition column is the {}: {}", what, column.name),
                    "name another column in PARTITION BY");
    keys.push_back({column.name, KeyExpression(column), true, column.type});
  }
  return keys;
}

void ProjectColumns(const ProjectionRequest& request, session::Projection& projection) {
  std::vector<lake::Column> columns = request.columns;
  std::erase_if(columns, [&](const lake::Column& column) {
    return std::any_of(
        request.partition.begin(), request.partition.end(),
        [&](const std::string& name) { return EqualsIgnoringCase(name, column.name); });
  });
  projection.inputs = request.named ? NamedInputs(columns, request.named->inputs)
                                    : MakeInputs(columns, projection.label, request.options);
}

void ProjectTransform(engine::Connection& connection, const ProjectionRequest& request,
                      const syntax::SourceText& clause, const std::string& rows,
                      session::Projection& projection) {
  const ml::ModelOptions& options = request.options;
  std::vector<std::string> untouched;
  if (!projection.label.empty()) untouched.push_back(projection.label);
  if (options.data_split_col) untouched.push_back(*options.data_split_col);
  if (options.instance_weight_col) untouched.push_back(*options.instance_weight_col);
  if (options.mark_col) untouched.push_back(*options.mark_col);
  untouched.insert(untouched.end(), request.partition.begin(), request.partition.end());
  FrozenTransform frozen = FreezeTransform(connection, clause, request.columns, rows, untouched);
  projection.transform = frozen.columns;
  projection.inputs = request.named ? NamedColumns(frozen.columns, request.named->inputs)
                                    : std::move(frozen.inputs);
}

}  // namespace braid::train
