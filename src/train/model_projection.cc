// SPDX-License-Identifier: Apache-2.0
#include "train/model_projection.h"

#include <fmt/format.h>

#include "base/error.h"
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

}  // namespace

session::Projection ProjectLabel(const ProjectionRequest& request) {
  session::Projection projection;
  if (request.has_label()) FindLabel(request, projection);
  if (request.options.instance_weight_col)
    FindColumn(request.columns, *request.options.instance_weight_col);
  return projection;
}

void ProjectColumns(const ProjectionRequest& request, session::Projection& projection) {
  projection.inputs = request.named
                          ? NamedInputs(request.columns, request.named->inputs)
                          : MakeInputs(request.columns, projection.label, request.options);
}

void ProjectTransform(engine::Connection& connection, const ProjectionRequest& request,
                      const syntax::SourceText& clause, const std::string& rows,
                      session::Projection& projection) {
  const ml::ModelOptions& options = request.options;
  std::vector<std::string> untouched;
  if (!projection.label.empty()) untouched.push_back(projection.label);
  if (options.data_split_col) untouched.push_back(*options.data_split_col);
  if (options.instance_weight_col) untouched.push_back(*options.instance_weight_col);
  FrozenTransform frozen = FreezeTransform(connection, clause, request.columns, rows, untouched);
  projection.transform = frozen.columns;
  projection.inputs = request.named ? NamedColumns(frozen.columns, request.named->inputs)
                                    : std::move(frozen.inputs);
}

}  // namespace braid::train
