// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace braid::http {

struct OpenApiField {
  std::string name;
  std::string sql_type;  // as DuckDB writes it: "DECIMAL(10,2)", "STRUCT(a INTEGER, b VARCHAR[])"
};

struct OpenApiService {
  std::string name;
  std::vector<OpenApiField> parameters;
  std::vector<OpenApiField> outputs;
};

// The OpenAPI 3.0.3 document, as JSON, of a server with these services: each POST
// /v1/services/<name> a path of its own with typed rows, and the fixed endpoints.
std::string OpenApiDocument(std::string_view title, std::string_view version,
                            const std::vector<OpenApiService>& services);

// The JSON schema, as JSON, of a value of an SQL type; a type it does not know is any value.
std::string JsonSchemaOf(std::string_view sql_type);

}  // namespace braid::http
