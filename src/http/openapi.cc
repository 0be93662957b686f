// SPDX-License-Identifier: Apache-2.0
#include "http/openapi.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace braid::http {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxTypeDepth = 32;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Splits "a INTEGER, b STRUCT(c INTEGER, d VARCHAR)" at its outer commas.
std::vector<std::string_view> SplitAtCommas(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  char quote = 0;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.push_back(Trim(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  if (!Trim(text.substr(start)).empty()) parts.push_back(Trim(text.substr(start)));
  return parts;
}

// Undoes 'it''s' and "a ""b""".
std::string Unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back() || (text[0] != '"' && text[0] != '\''))
    return std::string(text);
  std::string out;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    out += text[i];
    if (text[i] == text[0]) ++i;
  }
  return out;
}

// Splits a field of a STRUCT into its name and type.
std::pair<std::string, std::string_view> SplitField(std::string_view field) {
  size_t end = field.find(' ');
  if (field.starts_with('"')) {
    end = 1;
    while (end < field.size() && (field[end] != '"' || field.substr(end).starts_with("\"\"")))
      end += field[end] == '"' ? 2 : 1;
    end = std::min(field.size(), end + 1);
  }
  if (end == std::string_view::npos) return {std::string(field), {}};
  return {Unquote(field.substr(0, end)), Trim(field.substr(end))};
}

Json Integer(int64_t minimum, int64_t maximum, std::string_view format) {
  return {{"type", "integer"}, {"format", format}, {"minimum", minimum}, {"maximum", maximum}};
}

template <typename T>
Json IntegerOf(std::string_view format) {
  return Integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), format);
}

Json Text(std::string_view format = {}) {
  Json schema = {{"type", "string"}};
  if (!format.empty()) schema["format"] = format;
  return schema;
}

// Schemas of the types without arguments; nothing for a type that is not known.
std::optional<Json> Simple(const std::string& type) {
  if (type == "BOOLEAN" || type == "BOOL") return Json{{"type", "boolean"}};
  if (type == "TINYINT") return IntegerOf<int8_t>("int32");
  if (type == "SMALLINT") return IntegerOf<int16_t>("int32");
  if (type == "INTEGER" || type == "INT") return IntegerOf<int32_t>("int32");
  if (type == "BIGINT") return Json{{"type", "integer"}, {"format", "int64"}};
  if (type == "UTINYINT") return IntegerOf<uint8_t>("int32");
  if (type == "USMALLINT") return IntegerOf<uint16_t>("int32");
  if (type == "UINTEGER") return IntegerOf<uint32_t>("int64");
  if (type == "UBIGINT") return Json{{"type", "integer"}, {"minimum", 0}};
  if (type == "FLOAT" || type == "REAL") return Json{{"type", "number"}, {"format", "float"}};
  if (type == "DOUBLE") return Json{{"type", "number"}, {"format", "double"}};
  if (type == "DATE") return Text("date");
  if (type == "TIME") return Text("time");
  if (type == "UUID") return Text("uuid");
  if (type == "BLOB") return Text("byte");
  if (type == "JSON") return Json::object();
  if (type.starts_with("TIMESTAMP")) return Text("date-time");
  for (const char* text : {"VARCHAR", "TEXT", "HUGEINT", "UHUGEINT", "INTERVAL", "BIT", "DECIMAL"})
    if (type == text) return Text();
  return std::nullopt;
}

Json SchemaOf(std::string_view type, int depth);

Json StructSchema(std::string_view fields, int depth) {
  Json schema = {{"type", "object"}, {"properties", Json::object()}};
  for (const std::string_view field : SplitAtCommas(fields)) {
    const auto [name, type] = SplitField(field);
    schema["properties"][name] = SchemaOf(type, depth + 1);
  }
  return schema;
}

Json Nested(std::string_view name, std::string_view inside, int depth) {
  if (name == "STRUCT") return StructSchema(inside, depth);
  if (name == "DECIMAL" || name == "NUMERIC" || name == "VARCHAR") return Text();
  const std::vector<std::string_view> parts = SplitAtCommas(inside);
  if (name == "MAP" && parts.size() == 2)
    return {{"type", "object"}, {"additionalProperties", SchemaOf(parts[1], depth + 1)}};
  if (name == "ENUM") {
    Json schema = Text();
    // A nullable enumeration must name null itself (OpenAPI 3.0.3).
    for (const std::string_view part : parts) schema["enum"].push_back(Unquote(part));
    schema["enum"].push_back(nullptr);
    return schema;
  }
  return Json::object();
}

Json SchemaOf(std::string_view type, int depth) {
  type = Trim(type);
  if (depth > kMaxTypeDepth) return Json::object();
  Json schema = Json::object();
  std::string upper(type);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  const size_t open = type.find('(');
  if (type.ends_with(']') && type.rfind('[') != std::string_view::npos) {
    const size_t bracket = type.rfind('[');
    schema = {{"type", "array"}, {"items", SchemaOf(type.substr(0, bracket), depth + 1)}};
  } else if (type.ends_with(')') && open != std::string_view::npos) {
    schema = Nested(Trim(std::string_view(upper).substr(0, open)),
                    type.substr(open + 1, type.size() - open - 2), depth);
  } else if (const std::optional<Json> simple = Simple(upper)) {
    schema = *simple;
  }
  // nullable stands beside a type only.
  if (schema.contains("type")) schema["nullable"] = true;
  return schema;
}

Json Reference(std::string_view schema) {
  return {{"$ref", "#/components/schemas/" + std::string(schema)}};
}

Json Answer(std::string_view description, Json schema) {
  return {{"description", description},
          {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
}

Json Fields(const std::vector<OpenApiField>& fields) {
  Json properties = Json::object();
  for (const OpenApiField& field : fields) properties[field.name] = SchemaOf(field.sql_type, 0);
  return properties;
}

Json RowsOf(Json row) {
  return {{"type", "object"},
          {"required", {"rows"}},
          {"properties", {{"rows", {{"type", "array"}, {"items", std::move(row)}}}}}};
}

// The answers that every operation with these may give besides its own.
void AddErrors(Json& responses, std::initializer_list<std::string_view> statuses) {
  for (const std::string_view status : statuses)
    responses[std::string(status)] = {{"$ref", "#/components/responses/Error"}};
}

Json ServicePath(const OpenApiService& service) {
  Json input = {{"type", "object"},
                {"properties", Fields(service.parameters)},
                {"additionalProperties", false}};
  Json output = {{"type", "object"},
                 {"properties", {{"inference_id", {{"type", "string"}, {"format", "uuid"}}}}}};
  output["properties"].update(Fields(service.outputs));
  output["properties"]["error"] = Reference("Error");
  Json body = {{"oneOf", Json::array({input, RowsOf(input)})}};
  Json post = {{"operationId", "infer_" + service.name},
               {"summary", "Infer with " + service.name},
               {"parameters", Json::array({{{"$ref", "#/components/parameters/RequestId"}}})}};
  post["requestBody"] = {{"required", true},
                         {"content", {{"application/json", {{"schema", std::move(body)}}}}}};
  post["responses"]["200"] =
      Answer("One row for each row of the request, in its order", RowsOf(std::move(output)));
  AddErrors(post["responses"], {"400", "413", "415", "422", "503", "504", "500"});
  Json get = {{"operationId", "describe_" + service.name}, {"summary", "Describe " + service.name}};
  get["responses"]["200"] = Answer("The service", Reference("Service"));
  return {{"post", std::move(post)}, {"get", std::move(get)}};
}

Json Get(std::string_view id, std::string_view summary, Json schema) {
  Json get = {{"operationId", id}, {"summary", summary}};
  get["responses"]["200"] = Answer(summary, std::move(schema));
  return {{"get", std::move(get)}};
}

Json FeedbackPath() {
  Json row =
      Json::parse(R"({"type": "object", "required": ["outcome"], "additionalProperties": false,
    "properties": {
      "inference_id": {"type": "string", "format": "uuid"}, "client_request_id": {"type": "string"},
      "outcome": {"type": "object"},
      "origin": {"type": "string", "enum": ["outcome", "human", "pseudo", "synthetic"]},
      "observed_at": {"type": "string", "format": "date-time"}, "annotator": {"type": "string"}}})");
  Json body = RowsOf(std::move(row));
  body["required"] = {"service", "rows"};
  body["properties"]["service"] = {{"type", "string"}};
  Json post = {{"operationId", "feedback"}, {"summary", "Report outcomes and labels"}};
  post["requestBody"] = {{"required", true},
                         {"content", {{"application/json", {{"schema", std::move(body)}}}}}};
  post["responses"]["200"] =
      Answer("Durable; unknown ids are kept and joined when their inference comes",
             Json::parse(R"({"type": "object", "properties": {
               "accepted": {"type": "integer"}, "unknown": {"type": "integer"}}})"));
  AddErrors(post["responses"], {"400", "404", "413", "422", "503", "500"});
  return {{"post", std::move(post)}};
}

Json ModelParameter(std::string_view name) {
  return {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}};
}

// The Open Inference Protocol: its bodies are described where the protocol is.
void AddOpenInference(Json& paths) {
  paths["/v2"] =
      Get("v2_server", "The server, as the Open Inference Protocol has it", {{"type", "object"}});
  paths["/v2/health/live"] = Get("v2_live", "The server runs", {{"type", "object"}});
  paths["/v2/health/ready"] = Get("v2_ready", "The server is ready to infer", {{"type", "object"}});
  for (const bool has_version : {false, true}) {
    const std::string path =
        has_version ? "/v2/models/{model}/versions/{version}" : "/v2/models/{model}";
    const std::string id = has_version ? "v2_version_" : "v2_model_";
    Json parameters = Json::array({ModelParameter("model")});
    if (has_version) parameters.push_back(ModelParameter("version"));
    const auto add = [&](const std::string& suffix, const std::string& name,
                         std::string_view summary) {
      Json operation = Get(id + name, summary, {{"type", "object"}});
      operation["get"]["parameters"] = parameters;
      AddErrors(operation["get"]["responses"], {"404"});
      paths[path + suffix] = std::move(operation);
    };
    add("", "metadata", "A service's or model's inputs and outputs");
    add("/ready", "ready", "The service or model is ready to infer");
    add("/stats", "stats", "How often it answered");
    Json post = {{"operationId", id + "infer"}, {"summary", "Infer, as tensors"}};
    post["parameters"] = parameters;
    post["requestBody"] = {
        {"required", true},
        {"content",
         {{"application/json", {{"schema", {{"type", "object"}}}}},
          {"application/octet-stream", {{"schema", {{"type", "string"}, {"format", "binary"}}}}}}}};
    post["responses"]["200"] = Answer("The outputs", {{"type", "object"}});
    AddErrors(post["responses"], {"400", "404", "413", "415", "422", "503", "504", "500"});
    paths[path + "/infer"]["post"] = std::move(post);
  }
}

Json Components() {
  return Json::parse(R"({
    "schemas": {
      "Error": {"type": "object", "required": ["code", "message", "hint"], "properties": {
        "code": {"type": "string"}, "message": {"type": "string"}, "hint": {"type": "string"}}},
      "ErrorAnswer": {"type": "object", "required": ["error"], "properties": {
        "error": {"$ref": "#/components/schemas/Error"}}},
      "Service": {"type": "object"}},
    "responses": {"Error": {"description": "What is wrong and what to do", "content": {
      "application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}}},
    "parameters": {"RequestId": {"name": "X-Request-Id", "in": "header", "required": false,
      "description": "The client's own id of the request: feedback may name it",
      "schema": {"type": "string"}}}})");
}

// A service's name may hold any character, a path key only escaped ones.
std::string EscapeSegment(std::string_view name) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '_' || c == '-' || c == '.' || c == '~') {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace

std::string JsonSchemaOf(std::string_view sql_type) { return SchemaOf(sql_type, 0).dump(); }

std::string OpenApiDocument(std::string_view title, std::string_view version,
                            const std::vector<OpenApiService>& services) {
  Json document = {{"openapi", "3.0.3"}, {"info", {{"title", title}, {"version", version}}}};
  Json& paths = document["paths"];
  for (const OpenApiService& service : services)
    paths["/v1/services/" + EscapeSegment(service.name)] = ServicePath(service);
  paths["/v1/services"] = Get("services", "All services", {{"type", "object"}});
  paths["/v1/feedback"] = FeedbackPath();
  AddOpenInference(paths);
  paths["/metrics"] = Get("metrics", "Prometheus' text format", {{"type", "string"}});
  paths["/metrics"]["get"]["responses"]["200"]["content"] = {
      {"text/plain", {{"schema", {{"type", "string"}}}}}};
  paths["/healthz"] = Get("healthz", "The server runs", {{"type", "object"}});
  paths["/readyz"] = Get("readyz", "The server is ready to infer", {{"type", "object"}});
  AddErrors(paths["/readyz"]["get"]["responses"], {"503"});
  paths["/openapi.json"] = Get("openapi", "This document", {{"type", "object"}});
  document["components"] = Components();
  return document.dump();
}

}  // namespace braid::http
