// SPDX-License-Identifier: Apache-2.0
#include "serve/capture_payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "serve/json_tape.h"
#include "serve/struct_type.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

void AppendKey(std::string_view key, std::string& out) {
  out += out.empty() ? '{' : ',';
  AppendJsonString(key, out);
  out += ':';
}

void AppendText(std::string_view key, std::string_view value, std::string& out) {
  AppendKey(key, out);
  if (value.empty()) {
    out += "null";
  } else {
    AppendJsonString(value, out);
  }
}

void AppendOptional(std::string_view key, const std::optional<std::string>& value,
                    std::string& out) {
  AppendText(key, value ? std::string_view(*value) : std::string_view(), out);
}

void AppendRaw(std::string_view key, std::string_view json, std::string& out) {
  AppendKey(key, out);
  out += json.empty() ? "null" : json;
}

void AppendNumber(std::string_view key, int64_t value, std::string& out) {
  AppendRaw(key, std::to_string(value), out);
}

bool IsBlob(const FieldType& field) { return EqualsIgnoringCase(field.sql_type, "BLOB"); }

// A STRUCT as the payload's JSON has it: BLOB fields are base64 text there.
struct StructReader {
  explicit StructReader(const std::string& sql_type) : fields(StructFields(sql_type)) {
    has_blobs = std::any_of(fields.begin(), fields.end(), IsBlob);
    std::vector<FieldType> written = fields;
    for (FieldType& field : written)
      if (IsBlob(field)) field.sql_type = "VARCHAR";
    json_type = has_blobs ? StructType(written) : sql_type;
  }

  // The STRUCT itself, from the same with `json_type`.
  std::string Value(const std::string& read) const {
    if (!has_blobs) return read;
    std::string list;
    for (const FieldType& field : fields) {
      const std::string name = syntax::QuoteIdentifier(field.name);
      const std::string value = fmt::format("({}).{}", read, name);
      list += fmt::format("{}{} := {}", list.empty() ? "" : ", ", name,
                          IsBlob(field) ? fmt::format("from_base64({})", value) : value);
    }
    return fmt::format("CASE WHEN ({}) IS NULL THEN NULL ELSE struct_pack({}) END", read, list);
  }

  std::vector<FieldType> fields;
  bool has_blobs = false;
  std::string json_type;
};

// One reading of the payload gives all its fields; DuckDB evaluates the repeated expression once.
std::string PayloadSql(const std::vector<FieldType>& fields) {
  std::string structure;
  AppendJsonString(StructType(fields), structure);
  return fmt::format("json_transform(rows.payload, {})", syntax::QuoteString(structure));
}

std::string Field(const std::string& payload, std::string_view name) {
  return fmt::format("({}).{}", payload, syntax::QuoteIdentifier(name));
}

std::string Plain(const std::string& payload, std::string_view name) {
  return fmt::format(", {} AS {}", Field(payload, name), name);
}

}  // namespace

std::string EncodeInference(const InferenceRecord& record) {
  std::string models;
  for (const auto& [model, version] : record.model_versions) AppendNumber(model, version, models);
  models += models.empty() ? "{}" : "}";
  std::string out;
  AppendNumber("arrived_at", record.arrived_at_us, out);
  AppendNumber("answered_at", record.answered_at_us, out);
  AppendText("status", record.status, out);
  AppendText("error", record.error, out);
  AppendNumber("service_version", record.service_version, out);
  AppendRaw("model_versions", models, out);
  AppendNumber("lake_snapshot", record.lake_snapshot, out);
  AppendText("principal", record.principal, out);
  AppendRaw("input", record.input_json, out);
  AppendRaw("output", record.output_json, out);
  return out + "}";
}

std::string EncodeFeedback(const FeedbackRow& row) {
  std::string out;
  AppendOptional("inference_id", row.inference_id, out);
  AppendOptional("client_request_id", row.client_request_id, out);
  AppendText("origin", row.origin, out);
  AppendOptional("observed_at", row.observed_at, out);
  AppendOptional("annotator", row.annotator, out);
  AppendRaw("outcome", row.outcome_json, out);
  return out + "}";
}

std::string InferenceColumnsSql(const std::string& input_type, const std::string& output_type) {
  const StructReader input(input_type);
  const StructReader output(output_type);
  const std::string payload = PayloadSql({{"arrived_at", "BIGINT"},
                                          {"answered_at", "BIGINT"},
                                          {"status", "VARCHAR"},
                                          {"error", "VARCHAR"},
                                          {"service_version", "BIGINT"},
                                          {"model_versions", "MAP(VARCHAR, BIGINT)"},
                                          {"lake_snapshot", "BIGINT"},
                                          {"principal", "VARCHAR"},
                                          {"input", input.json_type},
                                          {"output", output.json_type}});
  std::string sql = "CAST(rows.id AS UUID) AS inference_id, rows.client_request_id";
  for (const char* name : {"arrived_at", "answered_at"})
    sql += fmt::format(", make_timestamptz({}) AS {}", Field(payload, name), name);
  for (const char* name :
       {"status", "error", "service_version", "model_versions", "lake_snapshot", "principal"})
    sql += Plain(payload, name);
  return sql + fmt::format(", {} AS input, {} AS output", input.Value(Field(payload, "input")),
                           output.Value(Field(payload, "output")));
}

std::string FeedbackColumnsSql(const std::string& outcome_type) {
  const StructReader outcome(outcome_type);
  const std::string payload = PayloadSql({{"inference_id", "UUID"},
                                          {"client_request_id", "VARCHAR"},
                                          {"origin", "VARCHAR"},
                                          {"observed_at", "TIMESTAMPTZ"},
                                          {"annotator", "VARCHAR"},
                                          {"outcome", outcome.json_type}});
  std::string sql = "CAST(rows.id AS UUID) AS feedback_id";
  for (const char* name : {"inference_id", "client_request_id", "origin", "observed_at"})
    sql += Plain(payload, name);
  sql += ", make_timestamptz(rows.recorded_at) AS recorded_at";
  return sql + Plain(payload, "annotator") + ", CAST(NULL AS UUID) AS supersedes, " +
         outcome.Value(Field(payload, "outcome")) + " AS outcome";
}

}  // namespace braid::serve
