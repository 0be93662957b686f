// SPDX-License-Identifier: Apache-2.0
// Bodies of service requests and feedback: whatever the bytes, either rows or an Error of a known
// code; a row that decodes is captured as JSON that decodes to the same row.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "serve/request_json.h"

namespace {

using namespace braid;  // NOLINT(google-build-using-namespace): a fuzz target is one file

void Require(bool condition) {
  if (!condition) __builtin_trap();
}

const std::vector<serve::FieldType>& Parameters() {
  static const std::vector<serve::FieldType> parameters = {
      {"a", "BIGINT"},        {"b", "DOUBLE"},
      {"c", "VARCHAR"},       {"d", "BOOLEAN"},
      {"e", "UTINYINT"},      {"f", "FLOAT"},
      {"g", "DECIMAL(10,2)"}, {"h", "HUGEINT"},
      {"i", "BLOB"},          {"j", "TIMESTAMP"},
      {"k", "DATE"},          {"l", "JSON"},
      {"m", "INTEGER[]"},     {"n", "STRUCT(x BIGINT)"},
      {"o", "UUID"},          {"p", "MAP(VARCHAR, DOUBLE)"}};
  return parameters;
}

void Request(std::string_view body) {
  try {
    const serve::DecodedRequest request = serve::DecodeServiceRequest(body, Parameters());
    Require(request.rows.size() <= serve::kMaxRequestRows);
    for (const serve::DecodedRow& row : request.rows) {
      Require(row.error.has_value() == row.values.empty());
      if (row.error) continue;
      Require(row.values.size() == Parameters().size());
      const serve::DecodedRequest again = serve::DecodeServiceRequest(row.input_json, Parameters());
      Require(again.is_single && again.rows.size() == 1 && !again.rows[0].error);
      Require(again.rows[0].input_json == row.input_json);
      Require(again.rows[0].values.size() == row.values.size());
    }
  } catch (const Error& error) {
    Require(error.code() == ErrorCode::kMalformedRequest || error.code() == ErrorCode::kTooLarge);
  }
}

void Feedback(std::string_view body) {
  try {
    for (const serve::FeedbackRow& row : serve::DecodeFeedback(body).rows)
      Require(row.inference_id.has_value() != row.client_request_id.has_value());
  } catch (const Error& error) {
    Require(error.code() == ErrorCode::kMalformedRequest || error.code() == ErrorCode::kWrongType ||
            error.code() == ErrorCode::kTooLarge);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  Request(body);
  Feedback(body);
  return 0;
}
