// SPDX-License-Identifier: Apache-2.0
#include "serve/row_runner.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace braid::serve {

namespace {

// The one row of an answer as a JSON object.
std::string OnlyRow(engine::Result result, const BoundService& service) {
  std::string json;
  size_t rows = 0;
  while (auto chunk = result.Next()) {
    rows += chunk->rows();
    if (rows > 1) break;
    if (chunk->rows() == 0) continue;
    json = "{";
    for (size_t i = 0; i < service.output_keys.size(); ++i) {
      if (i > 0) json += ',';
      json += service.output_keys[i];
      json += chunk->Value(i, 0).dump();
    }
    json += '}';
  }
  if (rows == 1) return json;
  throw Error(ErrorCode::kServiceRowCount,
              fmt::format("The service gives {} for the request row: {}",
                          rows == 0 ? "no row" : "several rows", service.schema.name),
              "its query must give exactly one row for each request: check its joins and filters");
}

}  // namespace

RowRunner::RowRunner(const session::Workspace& workspace, ServingStore& store, RequestSlots& slots,
                     size_t slot)
    : workspace_(workspace), store_(store), slots_(slots), slot_(slot) {}

void RowRunner::Keep(const Generation& generation) {
  std::erase_if(prepared_, [&](const auto& entry) {
    const auto found = generation.services.find(entry.first->schema.name);
    return found == generation.services.end() || found->second.get() != entry.first;
  });
}

RowRunner::Outcome RowRunner::Run(const std::shared_ptr<const BoundService>& service,
                                  const DecodedRow& row) {
  Outcome outcome;
  if (row.error) {
    outcome.error = row.error;
    if (row.input_json.starts_with('{')) outcome.input_json = row.input_json;
    return outcome;
  }
  outcome.input_json =
      CapturedObject(service->schema.parameters, service->parameter_forms, row.values);
  std::vector<engine::Value> values;
  values.reserve(row.values.size());
  for (size_t i = 0; i < row.values.size(); ++i)
    values.push_back(SqlValue(service->parameter_forms[i], row.values[i]));
  try {
    outcome.output_json = Ask(service, values);
  } catch (const Error& error) {
    // Where in the service's SQL it failed is no concern of who asks.
    outcome.error = Error(error.code(), error.message(), error.hint());
  } catch (const std::exception& error) {
    outcome.error = Error(ErrorCode::kInternal, error.what());
  }
  return outcome;
}

std::string RowRunner::Ask(const std::shared_ptr<const BoundService>& service,
                           const std::vector<engine::Value>& values) {
  if (service->held != nullptr) {
    Prepared& prepared = PreparedFor(service);
    slots_.Set(slot_, values);
    return OnlyRow(prepared.statement.Execute(), *service);
  }
  const lake::ReadRegistry::Guard guard(workspace_.reads);
  const std::string sql =
      service->Sql([](ValueForm, size_t index) { return fmt::format("${}", index + 1); });
  return OnlyRow(live_connection().Query(sql, values), *service);
}

RowRunner::Prepared& RowRunner::PreparedFor(const std::shared_ptr<const BoundService>& service) {
  const auto found = prepared_.find(service.get());
  if (found != prepared_.end()) return found->second;
  std::shared_ptr<engine::Connection> connection;
  for (const auto& [other, prepared] : prepared_)
    if (other->held == service->held) connection = prepared.connection;
  if (connection == nullptr) connection = store_.Connect(*service->held);
  engine::PreparedStatement statement = connection->Prepare(service->Sql(
      [this](ValueForm form, size_t index) { return RequestSlots::Source(form, slot_, index); }));
  return prepared_
      .emplace(service.get(), Prepared{service, std::move(connection), std::move(statement)})
      .first->second;
}

engine::Connection& RowRunner::live_connection() {
  if (live_ == nullptr) live_ = workspace_.lake.Connect(lake::Scope::kSession);
  return *live_;
}

}  // namespace braid::serve
