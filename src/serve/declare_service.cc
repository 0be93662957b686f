// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "lake/tables.h"
#include "serve/service_binding_internal.h"
#include "serve/service_schema.h"
#include "serve/struct_type.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

using Fields = std::vector<FieldType>;

Fields InferenceColumns(const ServiceSchema& schema) {
  return {{"inference_id", "UUID"},
          {"client_request_id", "VARCHAR"},
          {"arrived_at", "TIMESTAMPTZ"},
          {"answered_at", "TIMESTAMPTZ"},
          {"status", "VARCHAR"},
          {"error", "VARCHAR"},
          {"service_version", "BIGINT"},
          {"model_versions", "MAP(VARCHAR, BIGINT)"},
          {"lake_snapshot", "BIGINT"},
          {"principal", "VARCHAR"},
          {"input", StructType(schema.parameters)},
          {"output", StructType(schema.outputs)}};
}

Fields LabelColumns(const ServiceSchema& schema) {
  return {{"origin", "VARCHAR"},          {"observed_at", "TIMESTAMPTZ"},
          {"recorded_at", "TIMESTAMPTZ"}, {"annotator", "VARCHAR"},
          {"supersedes", "UUID"},         {"outcome", StructType(schema.settings.outcome)}};
}

Fields FeedbackColumns(const ServiceSchema& schema) {
  Fields columns = {
      {"feedback_id", "UUID"}, {"inference_id", "UUID"}, {"client_request_id", "VARCHAR"}};
  for (FieldType& column : LabelColumns(schema)) columns.push_back(std::move(column));
  return columns;
}

Fields LabelledColumns(const ServiceSchema& schema) {
  Fields columns = InferenceColumns(schema);
  columns.push_back({"feedback_id", "UUID"});
  for (FieldType& column : LabelColumns(schema)) columns.push_back(std::move(column));
  return columns;
}

// One of a service's tables: made when it is not there, else widened by the fields that are new.
class ServiceTable {
 public:
  ServiceTable(const catalog::Object& object, session::Change& change, std::string schema,
               std::string name)
      : object_(object), change_(change), schema_(std::move(schema)), name_(std::move(name)) {}

  void Declare(const Fields& columns) {
    const std::vector<lake::Column> existing =
        lake::TableColumns(change_.connection, schema_, name_);
    if (existing.empty()) {
      Create(columns);
      return;
    }
    for (const FieldType& column : columns) {
      const auto found =
          std::find_if(existing.begin(), existing.end(),
                       [&](const lake::Column& other) { return other.name == column.name; });
      if (found == existing.end()) {
        Alter(syntax::QuoteIdentifier(column.name), column.sql_type);
      } else if (column.sql_type.starts_with("STRUCT")) {
        Widen(column.name, StructFields(found->type), StructFields(column.sql_type));
      }
    }
  }

 private:
  std::string Quoted() const {
    return fmt::format("lake.{}.{}", syntax::QuoteIdentifier(schema_),
                       syntax::QuoteIdentifier(name_));
  }

  void Create(const Fields& columns) {
    std::string list;
    for (const FieldType& column : columns)
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ", syntax::QuoteIdentifier(column.name),
                          column.sql_type);
    change_.connection.Execute(fmt::format("CREATE TABLE {} ({})", Quoted(), list));
  }

  void Alter(const std::string& path, const std::string& type) {
    change_.connection.Execute(
        fmt::format("ALTER TABLE {} ADD COLUMN {} {}", Quoted(), path, type));
  }

  void Widen(const std::string& column, const Fields& existing, const Fields& wanted) {
    for (const FieldType& field : wanted) {
      const auto found = std::find_if(
          existing.begin(), existing.end(),
          [&](const FieldType& other) { return EqualsIgnoringCase(other.name, field.name); });
      if (found == existing.end()) {
        Alter(fmt::format("{}.{}", syntax::QuoteIdentifier(column),
                          syntax::QuoteIdentifier(field.name)),
              field.sql_type);
      } else if (found->sql_type != field.sql_type) {
        throw PlacedAt(
            Error(
                ErrorCode::kAlreadyExists,
                fmt::format("{}.{} holds rows whose {} has the type {}, not {}: {}", schema_, name_,
                            column, found->sql_type, field.sql_type, field.name),
                "what is captured keeps its type: use a new name for the field or for the service"),
            object_, DeclarationOf(object_).name.offset);
      }
    }
  }

  const catalog::Object& object_;
  session::Change& change_;
  std::string schema_;
  std::string name_;
};

// The newest version's number and text.
struct KnownVersion {
  int64_t version = 0;
  std::string definition;
};

KnownVersion NewestVersion(const std::string& service, engine::Connection& connection) {
  const auto rows = connection.Rows(
      "SELECT version, definition FROM lake.braid.service_version WHERE service = $1 ORDER BY "
      "version DESC LIMIT 1",
      std::vector<engine::Value>{service});
  if (rows.empty()) return {};
  return {rows[0][0].get<int64_t>(), rows[0][1].get<std::string>()};
}

}  // namespace

session::ChangeOutcome DeclareService(const catalog::Object& object, session::Change& change,
                                      session::ModelStore& models) {
  const ServiceSchema schema = BindService(object, change.state, models, change.connection);
  ServiceTable(object, change, "inference", schema.name).Declare(InferenceColumns(schema));
  ServiceTable(object, change, "feedback", schema.name).Declare(FeedbackColumns(schema));
  ServiceTable(object, change, "inference", schema.name + "_labelled")
      .Declare(LabelledColumns(schema));
  const KnownVersion known = NewestVersion(schema.name, change.connection);
  if (known.version > 0 && known.definition == object.definition)
    return {"declared", fmt::format("version {}, unchanged", known.version), std::nullopt};
  change.connection.Execute(
      "INSERT INTO lake.braid.service_version SELECT $1, $2, CAST($3 AS TIMESTAMPTZ), $4, $5",
      std::vector<engine::Value>{schema.name, known.version + 1, change.now, change.run_id,
                                 object.definition});
  return {"declared", fmt::format("version {}", known.version + 1), std::nullopt};
}

}  // namespace braid::serve
