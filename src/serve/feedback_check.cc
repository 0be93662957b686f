// SPDX-License-Identifier: Apache-2.0
#include "serve/feedback_check.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/text.h"
#include "serve/canonical_time.h"
#include "serve/json_field.h"
#include "serve/json_tape.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

Error UnknownOutcome(const BoundService& service, size_t row_index, std::string_view name) {
  std::vector<std::string> known;
  for (const FieldType& field : service.schema.settings.outcome) known.push_back(field.name);
  const auto close = ClosestMatch(std::string(name), known);
  return Error(ErrorCode::kWrongType, fmt::format("Unknown outcome in row {}: {}", row_index, name),
               close ? fmt::format("did you mean {}?", *close)
                     : fmt::format("the outcome's fields are {}", fmt::join(known, ", ")));
}

Error WrongOutcome(const FieldType& field, size_t row_index, JsonTape::Kind kind,
                   const std::string& expectation) {
  return Error(ErrorCode::kWrongType,
               fmt::format("Wrong type in row {}: outcome {} takes {}, got {}", row_index,
                           field.name, field.sql_type, DescribeKind(kind)),
               expectation.empty() ? "" : fmt::format("{} is {}", field.sql_type, expectation));
}

size_t FieldAt(const BoundService& service, size_t row_index, std::string_view name) {
  const std::vector<FieldType>& fields = service.schema.settings.outcome;
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == name) return i;
  throw UnknownOutcome(service, row_index, name);
}

// Ids as JSON text, for one query.
std::string JsonList(const std::set<std::string>& ids) {
  std::string list = "[";
  for (const std::string& id : ids) {
    if (list.size() > 1) list += ',';
    AppendJsonString(id, list);
  }
  return list + "]";
}

std::set<std::string> KnownToLake(const std::string& service, const char* column,
                                  const std::set<std::string>& ids,
                                  engine::Connection& connection) {
  std::set<std::string> known;
  if (ids.empty()) return known;
  const std::string type = std::string(column) == "inference_id" ? "UUID" : "VARCHAR";
  for (const auto& row : connection.Rows(
           fmt::format("SELECT DISTINCT {0}::VARCHAR FROM lake.inference.{1} WHERE {0} IN (SELECT "
                       "unnest(json_transform($1, '[\"{2}\"]')))",
                       column, syntax::QuoteIdentifier(service), type),
           std::vector<engine::Value>{JsonList(ids)}))
    known.insert(row[0].get<std::string>());
  return known;
}

}  // namespace

void CheckFeedback(const BoundService& service, size_t row_index, FeedbackRow& row) {
  const std::vector<FieldType>& fields = service.schema.settings.outcome;
  const JsonTape tape(row.outcome_json, kMaxJsonDepth);
  std::vector<JsonValue> values(fields.size());
  for (JsonTape::Index key = JsonTape::First(JsonTape::kRoot); key < tape.Next(JsonTape::kRoot);
       key = tape.Next(key + 1)) {
    const size_t at = FieldAt(service, row_index, tape.text(key));
    const FieldReader reader(fields[at].sql_type);
    std::optional<JsonValue> value = reader.Read(tape, key + 1);
    if (!value) throw WrongOutcome(fields[at], row_index, tape.kind(key + 1), reader.Expectation());
    values[at] = *std::move(value);
  }
  row.outcome_json = CapturedObject(fields, service.outcome_forms, values);
  if (row.inference_id) row.inference_id = ToLower(*row.inference_id);
  if (row.observed_at) row.observed_at = CanonicalTimestamp(*row.observed_at);
}

size_t CountUnknown(const std::string& service, const std::vector<FeedbackRow>& rows,
                    const capture::Log& log, engine::Connection& connection) {
  // The log first: what has left it by then is in the lake.
  std::set<std::string> ids;
  std::set<std::string> client_ids;
  for (const FeedbackRow& row : rows) {
    if (row.inference_id && !log.Has(service, *row.inference_id)) ids.insert(*row.inference_id);
    if (row.client_request_id && !log.HasClientRequest(service, *row.client_request_id))
      client_ids.insert(*row.client_request_id);
  }
  const std::set<std::string> known = KnownToLake(service, "inference_id", ids, connection);
  const std::set<std::string> known_clients =
      KnownToLake(service, "client_request_id", client_ids, connection);
  size_t unknown = 0;
  for (const FeedbackRow& row : rows) {
    if (row.inference_id)
      unknown += ids.contains(*row.inference_id) && !known.contains(*row.inference_id) ? 1 : 0;
    if (row.client_request_id)
      unknown += client_ids.contains(*row.client_request_id) &&
                         !known_clients.contains(*row.client_request_id)
                     ? 1
                     : 0;
  }
  return unknown;
}

}  // namespace braid::serve
