// SPDX-License-Identifier: Apache-2.0
#include "serve/row_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace braid::serve {

namespace {

// Fewer rows are answered sooner one by one.
constexpr size_t kMinBatchRows = 4;

// The outputs of a row, which begin at that column, as a JSON object.
std::string JsonRow(const engine::Chunk& chunk, size_t first_column, size_t row,
                    const BoundService& service) {
  std::string json = "{";
  for (size_t i = 0; i < service.output_keys.size(); ++i) {
    if (i > 0) json += ',';
    json += service.output_keys[i];
    json += chunk.Value(first_column + i, row).dump();
  }
  return json + "}";
}

RequestSlots::Row SqlRow(const BoundService& service, const DecodedRow& row) {
  RequestSlots::Row values;
  values.reserve(row.values.size());
  for (size_t i = 0; i < row.values.size(); ++i)
    values.push_back(SqlValue(service.parameter_forms[i], row.values[i]));
  return values;
}

// The one row of an answer as a JSON object.
std::string OnlyRow(engine::Result result, const BoundService& service) {
  std::string json;
  size_t rows = 0;
  while (auto chunk = result.Next()) {
    rows += chunk->rows();
    if (rows > 1) break;
    if (chunk->rows() == 0) continue;
    json = JsonRow(*chunk, 0, 0, service);
  }
  if (rows == 1) return json;
  throw Error(ErrorCode::kServiceRowCount,
              fmt::format("The service gives {} for the request row: {}",
                          rows == 0 ? "no row" : "several rows", service.schema.name),
              "its query must give exactly one row for each request: check its joins and filters");
}

Error DeadlineError() {
  return Error(ErrorCode::kInterrupted, "The request's time was over before this row was done",
               "send fewer rows in a request, or give it more time");
}

}  // namespace

RowRunner::RowRunner(const session::Workspace& workspace, ServingStore& store, RequestSlots& slots,
                     DeadlineWatch& watch, size_t slot)
    : workspace_(workspace), store_(store), slots_(slots), watch_(watch), slot_(slot) {}

void RowRunner::Keep(const Generation& generation) {
  std::erase_if(prepared_, [&](const auto& entry) {
    return generation.Find(entry.first->schema.name).get() != entry.first;
  });
}

std::vector<RowRunner::Outcome> RowRunner::Run(const std::shared_ptr<const BoundService>& service,
                                               std::span<const DecodedRow> rows) {
  std::vector<Outcome> outcomes(rows.size());
  std::vector<size_t> asked;  // the rows that were decoded
  std::vector<RequestSlots::Row> values;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].error) {
      outcomes[i].error = rows[i].error;
      if (rows[i].input_json.starts_with('{')) outcomes[i].input_json = rows[i].input_json;
      continue;
    }
    outcomes[i].input_json =
        CapturedObject(service->schema.parameters, service->parameter_forms, rows[i].values);
    asked.push_back(i);
    values.push_back(SqlRow(*service, rows[i]));
  }
  for (size_t begin = 0; begin < asked.size(); begin += kMaxBatchRows) {
    const size_t count = std::min(kMaxBatchRows, asked.size() - begin);
    const auto some = std::span<const RequestSlots::Row>(values).subspan(begin, count);
    // In company nobody is stopped for another's sake: the last of the deadlines counts.
    int64_t latest = 0;
    bool has_all = true;
    for (size_t i = 0; i < count; ++i) {
      const int64_t deadline = rows[asked[begin + i]].deadline_us;
      has_all = has_all && deadline != 0;
      latest = std::max(latest, deadline);
    }
    std::vector<std::string> answers = AskTogether(service, some, has_all ? latest : 0);
    for (size_t i = 0; i < count; ++i) {
      Outcome& outcome = outcomes[asked[begin + i]];
      outcome.output_json = std::move(answers[i]);
      if (outcome.output_json.empty())
        AskAlone(service, some[i], rows[asked[begin + i]].deadline_us, outcome);
    }
  }
  return outcomes;
}

std::vector<std::string> RowRunner::AskTogether(const std::shared_ptr<const BoundService>& service,
                                                std::span<const RequestSlots::Row> rows,
                                                int64_t deadline_us) {
  std::vector<std::string> answers(rows.size());
  if (!service->is_batched || rows.size() < kMinBatchRows || IsOver(deadline_us)) return answers;
  try {
    Prepared& prepared = PreparedFor(service);
    if (!prepared.batch) prepared.batch = prepared.connection->Prepare(service->BatchSql(slot_));
    slots_.Set(slot_, rows);
    const DeadlineWatch::Guard guard(watch_, *prepared.connection, deadline_us);
    std::vector<size_t> found(rows.size());
    engine::Result result = prepared.batch->Execute();
    while (const auto chunk = result.Next()) {
      for (size_t i = 0; i < chunk->rows(); ++i) {
        const auto row = chunk->Value(0, i).get<size_t>();
        const bool has_answer = !chunk->Value(service->output_keys.size() + 1, i).is_null();
        if (has_answer && ++found.at(row) == 1) answers[row] = JsonRow(*chunk, 1, i, *service);
      }
    }
    for (size_t row = 0; row < rows.size(); ++row)
      if (found[row] != 1) answers[row].clear();
  } catch (const std::exception&) {
    // One row is enough to make the statement fail: which one, and why, comes out alone.
    return std::vector<std::string>(rows.size());
  }
  return answers;
}

void RowRunner::AskAlone(const std::shared_ptr<const BoundService>& service,
                         const RequestSlots::Row& row, int64_t deadline_us, Outcome& outcome) {
  if (IsOver(deadline_us)) {
    outcome.error = DeadlineError();
    return;
  }
  try {
    outcome.output_json = Ask(service, row, deadline_us);
  } catch (const Error& error) {
    // Where in the service's SQL it failed is no concern of who asks.
    outcome.error = error.code() == ErrorCode::kInterrupted && IsOver(deadline_us)
                        ? DeadlineError()
                        : Error(error.code(), error.message(), error.hint());
  } catch (const std::exception& error) {
    outcome.error = Error(ErrorCode::kInternal, error.what());
  }
}

std::string RowRunner::Ask(const std::shared_ptr<const BoundService>& service,
                           const RequestSlots::Row& row, int64_t deadline_us) {
  if (service->held != nullptr) {
    Prepared& prepared = PreparedFor(service);
    const DeadlineWatch::Guard watched(watch_, *prepared.connection, deadline_us);
    slots_.Set(slot_, std::span<const RequestSlots::Row>(&row, 1));
    return OnlyRow(prepared.statement.Execute(), *service);
  }
  const lake::ReadRegistry::Guard guard(workspace_.reads);
  const DeadlineWatch::Guard watched(watch_, live_connection(), deadline_us);
  const std::string sql =
      service->Sql([](ValueForm, size_t index) { return fmt::format("${}", index + 1); });
  return OnlyRow(live_connection().Query(sql, row), *service);
}

bool RowRunner::IsOver(int64_t deadline_us) const {
  return deadline_us != 0 && workspace_.lake.clock().NowMicros() >= deadline_us;
}

RowRunner::Prepared& RowRunner::PreparedFor(const std::shared_ptr<const BoundService>& service) {
  const auto found = prepared_.find(service.get());
  if (found != prepared_.end()) return found->second;
  std::shared_ptr<engine::Connection> connection;
  for (const auto& [other, prepared] : prepared_)
    if (other->held == service->held) connection = prepared.connection;
  if (connection == nullptr) connection = store_.Connect(*service->held);
  engine::PreparedStatement statement = connection->Prepare(service->SlotSql(slot_));
  return prepared_
      .emplace(service.get(), Prepared{service, std::move(connection), std::move(statement), {}})
      .first->second;
}

engine::Connection& RowRunner::live_connection() {
  if (live_ == nullptr) live_ = workspace_.lake.Connect(lake::Scope::kSession);
  return *live_;
}

}  // namespace braid::serve
