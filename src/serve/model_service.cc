// SPDX-License-Identifier: Apache-2.0
#include "serve/model_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "serve/service_binding_internal.h"
#include "syntax/format.h"
#include "syntax/parse.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

using syntax::QuoteIdentifier;

// The columns that an SQL expression over __braid_row reads, in the order of the text.
std::vector<std::string> ColumnsOf(const std::string& expression) {
  std::vector<std::string> columns;
  const std::vector<syntax::Token> tokens = syntax::Lex(expression, "");
  for (size_t i = 0; i + 2 < tokens.size(); ++i) {
    if (!tokens[i].IsName() || syntax::NameOf(tokens[i]) != "__braid_row") continue;
    if (!tokens[i + 1].Is(".") || !tokens[i + 2].IsName()) continue;
    std::string name = syntax::NameOf(tokens[i + 2]);
    if (std::find(columns.begin(), columns.end(), name) == columns.end())
      columns.push_back(std::move(name));
  }
  return columns;
}

class InputColumns {
 public:
  InputColumns(const session::StoredModel& model, engine::Connection& connection)
      : model_(model), connection_(connection) {}

  std::vector<FieldType> Find() {
    for (const session::ProjectedInput& input : model_.projection.inputs) {
      for (const std::string& column : ColumnsOf(input.expression)) {
        const bool is_known =
            std::any_of(columns_.begin(), columns_.end(),
                        [&](const FieldType& known) { return known.name == column; });
        if (!is_known) columns_.push_back({column, TypeOf(column)});
      }
    }
    return std::move(columns_);
  }

 private:
  std::string TypeOf(const std::string& column) {
    for (const std::string& type : Candidates(column))
      if (Computes(column, type)) return type;
    throw Error(ErrorCode::kNotSupported,
                "The type of a model's input column is not known: " + column,
                "declare a service whose parameters have the types that the model takes");
  }

  // Most likely first. A number that training saw never was text, a category may have been.
  std::vector<std::string> Candidates(const std::string& column) const {
    for (const ml::FeatureStatistics& feature : model_.features)
      if (feature.name == column) return Candidates(feature.is_category());
    for (const session::ProjectedInput& input : model_.projection.inputs) {
      const std::vector<std::string> read = ColumnsOf(input.expression);
      if (std::find(read.begin(), read.end(), column) != read.end())
        return Candidates(input.is_category);
    }
    return {};
  }

  static std::vector<std::string> Candidates(bool is_category) {
    if (is_category) return {"VARCHAR", "TIMESTAMP", "DATE", "BOOLEAN", "VARCHAR[]"};
    return {"DOUBLE", "BIGINT", "DOUBLE[]", "BOOLEAN", "TIMESTAMP", "DATE"};
  }

  // Whether the inputs that read that column alone can be computed from such a type.
  bool Computes(const std::string& column, const std::string& type) const {
    std::string list;
    for (const session::ProjectedInput& input : model_.projection.inputs)
      if (ColumnsOf(input.expression) == std::vector<std::string>{column})
        list += fmt::format(", CAST(({}) AS {})", input.expression,
                            input.is_category ? "VARCHAR" : "DOUBLE");
    try {
      connection_.DescribeStatement(
          fmt::format("SELECT 1{} FROM (SELECT CAST(NULL AS {}) AS {}) AS __braid_row", list, type,
                      QuoteIdentifier(column)));
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  const session::StoredModel& model_;
  engine::Connection& connection_;
  std::vector<FieldType> columns_;
};

const catalog::ModelVersion& VersionOf(const std::string& key, const catalog::State& state) {
  const size_t at = key.rfind('@');
  int64_t number = 0;
  if (at != std::string::npos)
    std::from_chars(key.data() + at + 1, key.data() + key.size(), number);
  const auto versions = state.versions.find(key.substr(0, at));
  if (versions != state.versions.end())
    for (const catalog::ModelVersion& version : versions->second)
      if (version.version == number) return version;
  throw Error(ErrorCode::kModelNotFound, "Request for unknown model: " + key,
              "SHOW MODELS lists the models");
}

std::string StatementFor(const catalog::ModelVersion& version,
                         const std::vector<FieldType>& columns) {
  std::string parameters;
  for (const FieldType& column : columns)
    parameters += fmt::format("{}{} {}", parameters.empty() ? "" : ", ",
                              QuoteIdentifier(column.name), column.sql_type);
  return fmt::format(
      "CREATE SERVICE {} ({}) OPTIONS (capture = 'off') AS SELECT * FROM ML.PREDICT(MODEL {}@{}, "
      "TABLE request, STRUCT(FALSE AS keep_original_columns))",
      QuoteIdentifier(version.model), parameters, QuoteIdentifier(version.model), version.version);
}

}  // namespace

ModelService BindModelService(const std::string& key, const catalog::State& state,
                              session::ModelStore& models, engine::Connection& connection) {
  const catalog::ModelVersion& version = VersionOf(key, state);
  const auto stored = models.Get(version.artefact_sha256);
  const std::vector<FieldType> columns = InputColumns(*stored, connection).Find();
  ModelService service;
  service.declaration = {.kind = catalog::ObjectKind::kService,
                         .key = key,
                         .owner = "sql",
                         .file = "",
                         .definition = StatementFor(version, columns)};
  service.declaration.statement =
      std::make_shared<const syntax::Statement>(syntax::Parse(service.declaration.definition, ""));
  service.schema = BindServiceTo({}, service.declaration, state, models, connection);
  service.schema.version = version.version;
  service.schema.is_model = true;
  return service;
}

}  // namespace braid::serve
