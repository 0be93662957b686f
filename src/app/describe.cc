// SPDX-License-Identifier: Apache-2.0
#include "app/describe.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/error.h"
#include "ml/remote/remote_model.h"
#include "serve/service_schema.h"
#include "syntax/format.h"

namespace braid::app {

namespace {

using catalog::ObjectKind;
using syntax::QuoteString;
using Properties = std::vector<std::pair<std::string, std::string>>;

std::string ToQuery(const Properties& properties) {
  std::string rows;
  for (const auto& [property, value] : properties)
    rows += fmt::format("{}({}, {})", rows.empty() ? "" : ", ", QuoteString(property),
                        QuoteString(value));
  return fmt::format("SELECT * FROM (VALUES {}) AS described(property, value)", rows);
}

const catalog::Object* FindObject(const catalog::State& state, ObjectKind kind,
                                  const std::string& key) {
  return state.Find(kind, key);
}

void AddDeclaration(const catalog::Object* object, Properties& properties) {
  if (object == nullptr) return;
  properties.emplace_back("declared by", object->owner == "project"
                                             ? fmt::format("{}:{}", object->file, object->line)
                                             : "a statement");
  properties.emplace_back("definition", object->definition);
}

// Where a remote model is answered.
void AddServer(const catalog::ModelVersion& version, session::ModelStore& models,
               Properties& properties) {
  if (version.type != ml::RemoteKind().name) return;
  const auto stored = models.Get(version.artefact_sha256);
  const auto& model = dynamic_cast<const ml::RemoteModel&>(*stored->core);
  std::string url;
  try {
    url = models.FindServer(model.parts().connection).url() + model.Path();
  } catch (const Error&) {
    url = "not in braid.yaml";
  }
  properties.emplace_back("answered by",
                          fmt::format("connection {}, {}", model.parts().connection, url));
  for (const ml::RemotePort& port : model.parts().signature.inputs)
    properties.emplace_back("input " + port.column, port.type);
  for (const ml::RemotePort& port : model.parts().signature.outputs)
    properties.emplace_back("output " + port.column, port.type);
}

Properties DescribeModel(const syntax::ModelReference& reference, const catalog::State& state,
                         session::ModelStore& models) {
  const catalog::ModelVersion& version = state.Resolve(reference);
  const std::string& key = version.model;
  Properties properties = {
      {"model", key}, {"type", version.type}, {"version", std::to_string(version.version)}};
  std::string aliases;
  const auto of_model = state.aliases.find(key);
  if (of_model != state.aliases.end())
    for (const auto& [alias, target] : of_model->second)
      aliases += fmt::format("{}{} → {}", aliases.empty() ? "" : ", ", alias, target);
  properties.emplace_back("aliases", aliases);
  AddServer(version, models, properties);
  properties.emplace_back("created at", version.created_at);
  properties.emplace_back("rows", std::to_string(version.rows));
  for (const auto& [metric, value] : version.metrics)
    properties.emplace_back(metric, fmt::format("{:.6g}", value));
  // A tuned version was chosen by other rows than those that judge it.
  for (const catalog::ModelTrial& trial : version.trials)
    if (trial.is_optimal && trial.evaluation_metrics != trial.test_metrics)
      for (const auto& [metric, value] : trial.evaluation_metrics)
        properties.emplace_back(metric + " of the rows that chose it",
                                fmt::format("{:.6g}", value));
  properties.emplace_back("snapshot", std::to_string(version.snapshot_id));
  properties.emplace_back("run", version.run_id);
  properties.emplace_back("options", version.options);
  properties.emplace_back("query", version.query);
  properties.emplace_back("artefact", version.artefact_sha256);
  AddDeclaration(state.Find(ObjectKind::kModel, key), properties);
  return properties;
}

// What people noted of the model or of this version, and how its aliases moved.
std::string NotesQuery(const catalog::ModelVersion& version) {
  return fmt::format(
      " UNION ALL SELECT name, \"value\" FROM (SELECT name, arg_max(\"value\", \"at\") AS "
      "\"value\" FROM braid.model_note WHERE model = {0} AND (version IS NULL OR version = {1}) "
      "GROUP BY name ORDER BY name) WHERE \"value\" <> '' UNION ALL SELECT 'history', "
      "strftime(\"at\", '%Y-%m-%d %H:%M:%S') || ' ' || alias || coalesce(' → ' || version, ' "
      "unset') || ': ' || reason FROM (FROM braid.alias_event WHERE model = {0} ORDER BY \"at\" "
      "DESC LIMIT 10)",
      QuoteString(version.model), version.version);
}

Properties DescribeService(const catalog::Object& object, const catalog::State& state,
                           session::Session& session) {
  Properties properties = {{"service", object.key}};
  const auto connection = session.workspace().lake.Connect(lake::Scope::kSession);
  const serve::ServiceSchema schema =
      serve::BindService(object, state, session.workspace().models, *connection);
  properties.emplace_back("version", std::to_string(schema.version));
  for (const serve::FieldType& field : schema.parameters)
    properties.emplace_back("parameter " + field.name, field.sql_type);
  for (const serve::FieldType& field : schema.outputs)
    properties.emplace_back("output " + field.name, field.sql_type);
  for (const serve::FieldType& field : schema.settings.outcome)
    properties.emplace_back("outcome " + field.name, field.sql_type);
  properties.emplace_back(
      "capture", schema.settings.capture == serve::CaptureMode::kDurable ? "durable" : "off");
  for (const auto& [model, version] : schema.model_versions)
    properties.emplace_back("model " + model, "version " + std::to_string(version));
  for (const std::string& table : schema.tables) properties.emplace_back("reads", table);
  AddDeclaration(&object, properties);
  return properties;
}

std::string ObjectsQuery(std::string_view kind) {
  return fmt::format(
      "SELECT name, owner, CASE WHEN owner = 'project' THEN file || ':' || line END AS "
      "declared_in, created_at FROM "
      "braid.object WHERE kind = {} ORDER BY name",
      QuoteString(kind));
}

}  // namespace

std::string ShowQuery(syntax::ShowKind kind) {
  switch (kind) {
    case syntax::ShowKind::kStreamingTables:
      return ObjectsQuery("streaming table");
    case syntax::ShowKind::kMaterializedViews:
      return ObjectsQuery("materialized view");
    case syntax::ShowKind::kFlows:
      return ObjectsQuery("flow");
    case syntax::ShowKind::kServices:
      return ObjectsQuery("service");
    case syntax::ShowKind::kRuns:
      return "SELECT * FROM braid.run ORDER BY started_at DESC";
    case syntax::ShowKind::kModels:
      break;
  }
  return "SELECT v.model, v.version, CASE v.type WHEN 'remote' THEN 'remote (' || (v.options ->> "
         "'$.connection') || ': ' || (v.options ->> '$.endpoint') || ')' ELSE v.type END AS type, "
         "(SELECT string_agg(alias, ', ') FROM (SELECT alias, "
         "arg_max_null(version, "
         "\"at\") AS version FROM braid.alias_event e WHERE e.model = v.model GROUP BY alias) a "
         "WHERE a.version = "
         "v.version) AS aliases, v.rows, v.metrics, v.created_at FROM braid.model_version v ORDER "
         "BY v.model, "
         "v.version";
}

std::string DescribeQuery(const syntax::Describe& describe, session::Session& session) {
  const auto state = session.workspace().catalog.Get();
  const auto kind = static_cast<ObjectKind>(describe.kind);
  if (kind == ObjectKind::kModel)
    return ToQuery(DescribeModel(describe.object, *state, session.workspace().models)) +
           NotesQuery(state->Resolve(describe.object));
  const std::string key = catalog::ObjectKey(describe.object.name, kind);
  const catalog::Object* object = FindObject(*state, kind, key);
  if (object == nullptr) {
    std::vector<std::string> known;
    for (const auto& entry : state->objects[static_cast<size_t>(kind)])
      known.push_back(entry.first);
    const auto close = ClosestMatch(key, known);
    throw Error(kind == ObjectKind::kService ? ErrorCode::kServiceNotFound : ErrorCode::kNotFound,
                fmt::format("There is no such {}: {}", catalog::KindName(kind), key),
                close ? fmt::format("did you mean {}?", *close) : "SHOW lists what there is");
  }
  if (kind == ObjectKind::kService) return ToQuery(DescribeService(*object, *state, session));
  Properties properties = {{std::string(catalog::KindName(kind)), key}};
  AddDeclaration(object, properties);
  return ToQuery(properties);
}

}  // namespace braid::app
