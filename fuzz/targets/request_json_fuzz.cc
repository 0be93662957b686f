// SPDX-License-Identifier: Apache-2.0
// Bodies of requests and feedback: whatever the bytes, either decoded rows or an Error; and what is
// rendered as JSON decodes to the same again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "serve/request_json.h"

namespace {

using namespace braid;  // NOLINT(google-build-using-namespace): a fuzz target is one file

const std::vector<serve::FieldType>& Parameters() {
  static const std::vector<serve::FieldType> parameters = {
      {"b", "BOOLEAN"}, {"i", "INTEGER"}, {"u", "UBIGINT"},      {"h", "HUGEINT"},
      {"d", "DOUBLE"},  {"f", "FLOAT"},   {"n", "DECIMAL(9,3)"}, {"s", "VARCHAR"},
      {"t", "DATE"},    {"c", "TIME"},    {"z", "TIMESTAMPTZ"},  {"g", "UUID"},
      {"o", "BLOB"},    {"j", "JSON"},    {"l", "INTEGER[]"},    {"r", "STRUCT(a INTEGER)"}};
  return parameters;
}

void Service(std::string_view body) {
  try {
    for (const serve::DecodedRow& row : serve::DecodeServiceRequest(body, Parameters()).rows) {
      if (row.error) continue;
      BRAID_CHECK(row.values.size() == Parameters().size());
      const serve::DecodedRequest again = serve::DecodeServiceRequest(row.input_json, Parameters());
      if (again.rows.at(0).error || again.rows[0].input_json != row.input_json) __builtin_trap();
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) __builtin_trap();
  }
}

void Feedback(std::string_view body) {
  try {
    serve::DecodeFeedback(body);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  Service(body);
  Feedback(body);
  return 0;
}
