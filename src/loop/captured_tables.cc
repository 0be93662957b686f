// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "loop/captured_tables_internal.h"
#include "serve/capture_payload.h"
#include "syntax/format.h"

namespace braid::loop {

namespace {

const lake::Column* FindColumn(const std::vector<lake::Column>& columns, std::string_view name) {
  const auto found =
      std::find_if(columns.begin(), columns.end(),
                   [name](const lake::Column& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

bool HasAll(const std::vector<lake::Column>& columns,
            std::initializer_list<std::string_view> names) {
  return std::all_of(names.begin(), names.end(), [&columns](std::string_view name) {
    return FindColumn(columns, name) != nullptr;
  });
}

std::string LogRows(const std::string& function, const std::string& service,
                    capture::EntryKind kind, const std::string& more) {
  return fmt::format("{}({}, {}{}) AS rows", function, syntax::QuoteString(service),
                     static_cast<int>(kind), more);
}

}  // namespace

bool IsInferenceTable(const std::vector<lake::Column>& columns) {
  return HasAll(columns, {"inference_id", "client_request_id", "input", "output"}) &&
         FindColumn(columns, "feedback_id") == nullptr;
}

bool IsFeedbackTable(const std::vector<lake::Column>& columns) {
  return HasAll(columns,
                {"feedback_id", "inference_id", "client_request_id", "supersedes", "outcome"}) &&
         FindColumn(columns, "input") == nullptr;
}

bool IsLabelledTable(const std::vector<lake::Column>& columns) {
  return HasAll(columns, {"inference_id", "input", "output", "feedback_id", "outcome"});
}

CapturedTables FindCapturedTables(engine::Connection& connection, const std::string& service) {
  CapturedTables tables{
      .service = service,
      .inference = lake::TableColumns(connection, "inference", service),
      .feedback = lake::TableColumns(connection, "feedback", service),
      .labelled = lake::TableColumns(connection, "inference", service + "_labelled")};
  if (!IsInferenceTable(tables.inference)) tables.inference.clear();
  if (!IsFeedbackTable(tables.feedback)) tables.feedback.clear();
  if (!IsLabelledTable(tables.labelled)) tables.labelled.clear();
  return tables;
}

std::string LakeTable(const std::string& schema, const std::string& table) {
  return fmt::format("lake.{}.{}", syntax::QuoteIdentifier(schema), syntax::QuoteIdentifier(table));
}

std::string LogAboveWatermark(const std::string& service, capture::EntryKind kind) {
  return LogRows("braid_capture_log", service, kind, "") +
         " WHERE rows.position > (SELECT max(position) FROM lake.braid.capture_watermark)";
}

std::string LogRange(const std::string& service, capture::EntryKind kind, int64_t above,
                     int64_t upto) {
  return LogRows("braid_capture_range", service, kind, fmt::format(", {}, {}", above, upto));
}

std::string InferenceQuery(const CapturedTables& tables, const std::string& from_log) {
  return fmt::format("SELECT {} FROM {}",
                     serve::InferenceColumnsSql(FindColumn(tables.inference, "input")->type,
                                                FindColumn(tables.inference, "output")->type),
                     from_log);
}

// `known` reads of the lake only the feedback on the targets at hand, by two equi-joins. Its newest
// revision is the one that no other supersedes; the time of recording only breaks ties, since
// clocks may be set back.
std::string FeedbackQuery(const CapturedTables& tables, const std::string& from_log) {
  static constexpr std::string_view kQuery = R"(
WITH recent AS MATERIALIZED (
  SELECT *, coalesce('i' || inference_id, 'c' || client_request_id) AS target
  FROM (SELECT rows.position AS position, {columns} FROM {from_log})),
known AS MATERIALIZED (
  SELECT 'i' || inference_id AS target, origin, feedback_id, supersedes, recorded_at FROM {lake_table}
  WHERE inference_id IN (SELECT inference_id FROM recent)
  UNION ALL
  SELECT 'c' || client_request_id, origin, feedback_id, supersedes, recorded_at FROM {lake_table}
  WHERE inference_id IS NULL
    AND client_request_id IN (SELECT client_request_id FROM recent WHERE inference_id IS NULL)),
newest AS (
  SELECT target, origin, arg_max(feedback_id, recorded_at) AS feedback_id FROM known
  WHERE NOT EXISTS (SELECT 1 FROM known AS later WHERE later.supersedes = known.feedback_id)
  GROUP BY target, origin),
ordered AS (
  SELECT *, lag(feedback_id) OVER (PARTITION BY target, origin ORDER BY position) AS previous
  FROM recent)
SELECT ordered.* EXCLUDE (position, target, previous)
         REPLACE (coalesce(previous, newest.feedback_id) AS supersedes)
FROM ordered LEFT JOIN newest
  ON ordered.target = newest.target AND ordered.origin = newest.origin)";
  const std::string outcome = FindColumn(tables.feedback, "outcome")->type;
  return fmt::format(kQuery, fmt::arg("columns", serve::FeedbackColumnsSql(outcome)),
                     fmt::arg("from_log", from_log),
                     fmt::arg("lake_table", LakeTable("feedback", tables.service)));
}

}  // namespace braid::loop
