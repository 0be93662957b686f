// SPDX-License-Identifier: Apache-2.0
#include "http/openapi.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace braid::http {
namespace {

using Json = nlohmann::json;

Json Schema(std::string_view type) { return Json::parse(JsonSchemaOf(type)); }

TEST(OpenApiTest, MapsSimpleTypes) {
  EXPECT_EQ(Schema("BOOLEAN"), Json::parse(R"({"type":"boolean","nullable":true})"));
  EXPECT_EQ(Schema("double")["format"], "double");
  EXPECT_EQ(Schema("TINYINT")["minimum"], -128);
  EXPECT_EQ(Schema("BIGINT")["format"], "int64");
  EXPECT_EQ(Schema("DECIMAL(10,2)")["type"], "string");
  EXPECT_EQ(Schema("TIMESTAMP WITH TIME ZONE")["format"], "date-time");
  EXPECT_EQ(Schema("DATE")["format"], "date");
  EXPECT_EQ(Schema("UUID")["format"], "uuid");
  EXPECT_EQ(Schema("BLOB")["format"], "byte");
  EXPECT_EQ(Schema("JSON"), Json::object());
  EXPECT_EQ(Schema("GEOMETRY"), Json::object());
}

TEST(OpenApiTest, MapsNestedTypes) {
  EXPECT_EQ(Schema("INTEGER[][3]")["items"]["items"]["format"], "int32");
  const Json schema =
      Schema(R"(STRUCT("a ""b, c" INTEGER, d STRUCT(e VARCHAR[], f DECIMAL(4,1))[]))");
  EXPECT_EQ(schema["properties"]["a \"b, c"]["type"], "integer");
  EXPECT_EQ(schema["properties"]["d"]["items"]["properties"]["e"]["items"]["type"], "string");
  EXPECT_EQ(schema["properties"]["d"]["items"]["properties"]["f"]["type"], "string");
  EXPECT_EQ(Schema("MAP(VARCHAR, BIGINT)")["additionalProperties"]["type"], "integer");
  EXPECT_EQ(Schema("ENUM('a', 'it''s')")["enum"], Json::parse(R"(["a", "it's", null])"));
}

TEST(OpenApiTest, SurvivesBrokenTypes) {
  for (const char* type : {"", "(", ")", "[", "]", "STRUCT(", "STRUCT()", "STRUCT(\"a)",
                           "STRUCT(a)", "MAP(INTEGER)", "ENUM()", "\"", "STRUCT(\"\")"})
    EXPECT_TRUE(Schema(type).is_object()) << type;
  std::string deep = "INTEGER";
  for (int i = 0; i < 10'000; ++i) deep += "[]";
  EXPECT_TRUE(Schema(deep).is_object());
}

TEST(OpenApiTest, ListsServicesAndFixedEndpoints) {
  const Json document = Json::parse(OpenApiDocument(
      "flights", "0.1.0",
      {{"delay", {{"distance", "DOUBLE"}}, {{"late", "BOOLEAN"}}}, {"a b", {}, {}}}));
  EXPECT_EQ(document["openapi"], "3.0.3");
  EXPECT_EQ(document["info"]["title"], "flights");
  for (const char* path : {"/v1/services/delay", "/v1/services/a%20b", "/v1/services",
                           "/v1/feedback", "/healthz", "/readyz", "/openapi.json"})
    EXPECT_TRUE(document["paths"].contains(path)) << path;
  const Json& post = document["paths"]["/v1/services/delay"]["post"];
  const Json& body = post["requestBody"]["content"]["application/json"]["schema"]["oneOf"];
  EXPECT_EQ(body[0]["properties"]["distance"]["type"], "number");
  EXPECT_EQ(body[1]["properties"]["rows"]["items"], body[0]);
  const Json& row = post["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
                        ["rows"]["items"];
  EXPECT_EQ(row["properties"]["late"]["type"], "boolean");
  EXPECT_EQ(row["properties"]["inference_id"]["format"], "uuid");
}

// Every $ref must point at something in the document.
void CheckReferences(const Json& document, const Json& node) {
  if (node.is_object() && node.contains("$ref")) {
    const std::string reference = node["$ref"];
    EXPECT_TRUE(document.contains(Json::json_pointer(reference.substr(1)))) << reference;
  }
  if (node.is_structured())
    for (const Json& child : node) CheckReferences(document, child);
}

TEST(OpenApiTest, ReferencesResolve) {
  const Json document = Json::parse(OpenApiDocument("t", "1", {{"s", {{"x", "INTEGER"}}, {}}}));
  CheckReferences(document, document);
}

}  // namespace
}  // namespace braid::http
