// SPDX-License-Identifier: Apache-2.0
#include "train/import_model.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "ml/model_kind.h"
#include "ml/option_reader.h"
#include "syntax/format.h"
#include "train/training_rows.h"

namespace braid::train {

namespace {

constexpr uintmax_t kMostBytes = uintmax_t{256} << 20;

std::string FileOf(const std::vector<Option>& options, const std::filesystem::path& root) {
  const std::optional<std::string> path = ml::OptionReader(options).Text("model_path");
  if (!path)
    throw Error(ErrorCode::kInvalidOption, "MODEL_PATH is missing",
                "write OPTIONS (model_type = '…', model_path = 'folder/file')");
  const std::filesystem::path file = root / *path;
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure))
    throw Error(ErrorCode::kIo, "MODEL_PATH names no file: " + file.string(),
                "relative paths start at the project's folder");
  if (std::filesystem::file_size(file, failure) > kMostBytes)
    throw Error(ErrorCode::kModelImport, "MODEL_PATH names a file of more than 256 MiB: " + *path);
  return ReadFile(file);
}

// Numbers and truth values are numbers to a model.
std::vector<ml::InputColumn> GivenInputs(engine::Connection& connection,
                                         const std::vector<syntax::ColumnDefinition>& columns) {
  std::vector<ml::InputColumn> inputs;
  for (const syntax::ColumnDefinition& column : columns) {
    const std::string type =
        connection.DescribeStatement(fmt::format("SELECT CAST(NULL AS {})", column.type))
            .column_types.at(0);
    const bool numeric = IsNumeric(type) || type == "BOOLEAN";
    if (!numeric && type != "VARCHAR")
      throw Error(ErrorCode::kModelImport,
                  fmt::format("INPUT takes numbers and VARCHAR: {} {}", column.name, column.type),
                  "cast the column in the query that is given to the model");
    inputs.push_back({column.name, numeric ? ml::InputKind::kNumeric : ml::InputKind::kCategory});
  }
  return inputs;
}

std::string NameOf(const ml::ImportedColumn& column) {
  return "__braid_row." + syntax::QuoteIdentifier(column.name);
}

// An element of a list that has as many as the model takes.
std::string ItemOf(const ml::ImportedColumn& column, size_t item) {
  return fmt::format(
      "CASE WHEN len({0}) = {1} THEN {0}[{2}] WHEN {0} IS NULL THEN NULL ELSE error({3}) END",
      NameOf(column), column.width, item,
      syntax::QuoteString(
          fmt::format("The model takes lists of {} numbers: {}", column.width, column.name)));
}

}  // namespace

session::StoredModel ImportModel(engine::Connection& connection,
                                 const syntax::CreateModel& statement,
                                 const ml::ModelOptions& options,
                                 const std::filesystem::path& root) {
  ml::ImportedModel imported =
      options.kind->import({.file = FileOf(statement.options, root),
                            .inputs = GivenInputs(connection, statement.inputs),
                            .label = options.label_given ? options.label : "",
                            .settings = statement.options});
  session::StoredModel stored{{.label = imported.label, .label_type = imported.label_type},
                              std::move(imported.model)};
  const std::vector<ml::InputColumn> inputs = stored.core->input_columns();
  size_t at = 0;
  for (const ml::ImportedColumn& column : imported.columns) {
    for (size_t item = 1; item <= std::max<size_t>(1, column.width); ++item, ++at)
      stored.projection.inputs.push_back({inputs.at(at).name,
                                          column.width == 0 ? NameOf(column) : ItemOf(column, item),
                                          inputs.at(at).kind == ml::InputKind::kCategory});
  }
  return stored;
}

}  // namespace braid::train
