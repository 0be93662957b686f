// SPDX-License-Identifier: Apache-2.0
#include "serve/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "serve/json_tape.h"
#include "serve/model_service.h"
#include "serve/service_binding_internal.h"
#include "session/service_sql.h"
#include "syntax/format.h"

namespace braid::serve {

namespace {

std::vector<ValueForm> FormsOf(const std::vector<FieldType>& fields) {
  std::vector<ValueForm> forms;
  for (const FieldType& field : fields) forms.push_back(FormOf(field.sql_type));
  return forms;
}

bool IsCurrent(const HeldLake& held, const TableStates& tables, int64_t snapshot) {
  return std::all_of(held.tables.begin(), held.tables.end(), [&](const auto& entry) {
    const auto found = tables.find(entry.first);
    return found != tables.end() && found->second.table_id == entry.second->state.table_id &&
           std::min(found->second.version, snapshot) == entry.second->state.version;
  });
}

}  // namespace

std::string BoundService::ParameterList(const ParameterSource& source) const {
  std::string row;
  for (size_t i = 0; i < schema.parameters.size(); ++i) {
    const FieldType& parameter = schema.parameters[i];
    const ValueForm form = parameter_forms[i];
    row += fmt::format("{}{} AS {}", row.empty() ? "" : ", ",
                       TypedSql(form, parameter.sql_type, source(form, i)),
                       syntax::QuoteIdentifier(parameter.name));
  }
  return row;
}

std::string BoundService::Sql(const ParameterSource& source) const {
  return "SELECT * FROM " +
         session::ServiceOverOneRowSql(std::get<syntax::CreateService>(*statement), schema.body,
                                       "(SELECT " + ParameterList(source) + ")");
}

std::string BoundService::SlotSql(size_t slot) const {
  return Sql(
      [slot](ValueForm form, size_t index) { return RequestSlots::Source(form, slot, index); });
}

std::string BoundService::BatchSql(size_t slot) const {
  const std::string parameters = ParameterList([slot](ValueForm form, size_t index) {
    return RequestSlots::Source(form, slot, index, "__braid_row");
  });
  return session::ServiceOverRowsSql(
      std::get<syntax::CreateService>(*statement), schema.body,
      fmt::format("(SELECT __braid_row, {} FROM range({}) AS __braid_range(__braid_row) WHERE "
                  "__braid_row < {})",
                  parameters, kMaxBatchRows, RequestSlots::CountSource(slot)));
}

std::shared_ptr<const BoundService> BoundModels::Find(const std::string& key) const {
  MutexLock lock(mutex_);
  const auto found = models_.find(key);
  return found == models_.end() ? nullptr : found->second;
}

void BoundModels::Add(std::shared_ptr<const BoundService> model) {
  MutexLock lock(mutex_);
  models_.insert_or_assign(model->schema.name, std::move(model));
}

std::shared_ptr<const BoundService> Generation::Find(const std::string& key) const {
  const auto found = services.find(key);
  return found == services.end() ? models->Find(key) : found->second;
}

GenerationBuilder::GenerationBuilder(const session::Workspace& workspace, ServingStore& store,
                                     int64_t max_held_rows)
    : workspace_(workspace),
      store_(store),
      max_held_rows_(max_held_rows),
      connection_(workspace_.lake.Connect(lake::Scope::kSession)),
      independence_(*connection_) {}

std::shared_ptr<const Generation> GenerationBuilder::Build(
    const std::shared_ptr<const Generation>& before) {
  auto generation = std::make_shared<Generation>();
  // The state first: what it declares is committed, so the snapshot has it.
  generation->state = workspace_.catalog.Get();
  generation->snapshot = workspace_.lake.CurrentSnapshot();
  const bool same_state = before != nullptr && before->state == generation->state;
  if (same_state && before->snapshot == generation->snapshot) return before;
  const TableStates tables = lake::LoadTableStates(*connection_);
  if (same_state && before->unavailable.empty() &&
      IsCurrent(*before->held, tables, generation->snapshot)) {
    generation->services = before->services;
    generation->held = before->held;
    generation->models = before->models;
    return generation;
  }
  std::map<std::string, ServiceSchema> schemas = BindAll(tables, *generation);
  std::set<std::string> held_services;
  std::map<lake::TableKey, lake::TableState> wanted;
  for (const auto& [name, schema] : schemas) {
    if (!CanHold(tables, schema, generation->snapshot)) continue;
    held_services.insert(name);
    for (const std::string& key : schema.tables) wanted.emplace(key, tables.at(key));
  }
  std::vector<lake::TableState> list;
  for (const auto& [key, table] : wanted) list.push_back(table);
  generation->held = store_.Hold(*connection_, list, generation->snapshot,
                                 before == nullptr ? nullptr : before->held);
  for (auto& [name, schema] : schemas) {
    const catalog::Object& object =
        *generation->state->Find(catalog::ObjectKind::kService, schema.name);
    generation->services.emplace(
        name, Finish(std::move(schema), *generation, object, held_services.contains(name)));
  }
  return generation;
}

std::map<std::string, ServiceSchema> GenerationBuilder::BindAll(const TableStates& tables,
                                                                Generation& generation) {
  std::map<std::string, ServiceSchema> schemas;
  const auto kind = static_cast<size_t>(catalog::ObjectKind::kService);
  for (const auto& [name, object] : generation.state->objects[kind]) {
    try {
      schemas.emplace(
          name, BindServiceTo(tables, object, *generation.state, workspace_.models, *connection_));
    } catch (const Error& error) {
      generation.unavailable.emplace(name, error);
    }
  }
  return schemas;
}

bool GenerationBuilder::CanHold(const TableStates& tables, const ServiceSchema& schema,
                                int64_t snapshot) {
  return std::all_of(schema.tables.begin(), schema.tables.end(), [&](const std::string& key) {
    const lake::TableState& table = tables.at(key);
    return !table.is_view && !IsLiveSchema(table.schema) && IsSmall(table, snapshot);
  });
}

bool GenerationBuilder::IsSmall(const lake::TableState& table, int64_t snapshot) {
  const auto rows = connection_->Scalar(fmt::format(
      "SELECT count(*) FROM lake.{}.{} AT (VERSION => {})", syntax::QuoteIdentifier(table.schema),
      syntax::QuoteIdentifier(table.name), snapshot));
  return rows.get<int64_t>() <= max_held_rows_;
}

std::shared_ptr<const BoundService> GenerationBuilder::BindModel(const Generation& generation,
                                                                 const std::string& key) {
  const ModelService model =
      BindModelService(key, *generation.state, workspace_.models, *connection_);
  std::shared_ptr<const BoundService> bound =
      Finish(model.schema, generation, model.declaration, true);
  generation.models->Add(bound);
  return bound;
}

std::shared_ptr<const BoundService> GenerationBuilder::Finish(ServiceSchema schema,
                                                              const Generation& generation,
                                                              const catalog::Object& object,
                                                              bool is_held) {
  auto service = std::make_shared<BoundService>();
  service->statement = object.statement;
  service->schema = std::move(schema);
  service->parameter_forms = FormsOf(service->schema.parameters);
  service->outcome_forms = FormsOf(service->schema.settings.outcome);
  for (const FieldType& output : service->schema.outputs) {
    std::string key;
    AppendJsonString(output.name, key);
    service->output_keys.push_back(key + ":");
  }
  service->held = is_held ? generation.held : nullptr;
  ChooseHow(*service);
  return service;
}

void GenerationBuilder::ChooseHow(BoundService& service) {
  if (service.held != nullptr && !Runs(*service.held, service.SlotSql(0))) service.held = nullptr;
  service.obstacle = service.held == nullptr ? "it reads the lake at each request"
                                             : independence_.Obstacle(service.schema.body);
  if (service.obstacle.empty() && !Runs(*service.held, service.BatchSql(0)))
    service.obstacle = "DuckDB cannot run it for several rows";
  service.is_batched = service.obstacle.empty();
}

// A query may name what its text did not show (another database, a view, the live tables): those
// are asked live.
bool GenerationBuilder::Runs(const HeldLake& held, const std::string& sql) {
  try {
    store_.Connect(held)->DescribeStatement(sql);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace braid::serve
