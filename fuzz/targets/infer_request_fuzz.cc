// SPDX-License-Identifier: Apache-2.0
// Bodies of POST /v2/models/<m>/infer: whatever the bytes, rows or an Error of a known code. The
// first two bytes say how much of the rest is JSON; the same body is read as one without binary
// tensors, and as a raw one.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "serve/infer_request.h"
#include "serve/tensor_rows.h"

namespace {

using namespace braid;  // NOLINT(google-build-using-namespace): a fuzz target is one file

void Require(bool condition) {
  if (!condition) __builtin_trap();
}

const std::vector<serve::FieldType>& Parameters() {
  static const std::vector<serve::FieldType> parameters = {
      {"a", "BIGINT"}, {"b", "DOUBLE"},        {"c", "VARCHAR"},    {"d", "BOOLEAN"},
      {"e", "FLOAT"},  {"f", "DECIMAL(10,2)"}, {"g", "UBIGINT"},    {"h", "BLOB"},
      {"i", "DATE"},   {"j", "INTEGER[]"},     {"k", "DOUBLE[][]"}, {"l", "STRUCT(x BIGINT)"}};
  return parameters;
}

template <typename Work>
void Allow(Work work) {
  try {
    work();
  } catch (const Error& error) {
    Require(error.code() == ErrorCode::kMalformedRequest || error.code() == ErrorCode::kTooLarge ||
            error.code() == ErrorCode::kNotSupported);
  }
}

void Rows(const std::vector<serve::Tensor>& inputs) {
  const std::vector<serve::DecodedRow> rows = serve::RowsOf(inputs, Parameters());
  Require(rows.size() <= serve::kMaxRequestRows);
  for (const serve::DecodedRow& row : rows) {
    Require(row.error.has_value() == row.values.empty());
    if (!row.error) Require(row.values.size() == Parameters().size());
    // What is kept of a row is JSON.
    if (row.error) const serve::JsonTape tape(row.input_json, 2 * serve::kMaxJsonDepth);
  }
}

void Request(std::string_view body, std::optional<size_t> json_size) {
  Allow([&] {
    const serve::InferRequest request = serve::DecodeInferRequest(body, json_size);
    size_t elements = 0;
    for (const serve::Tensor& input : request.inputs) {
      Require(serve::ElementCount(input.shape) == input.values.size());
      elements += input.values.size();
    }
    Require(elements <= serve::kMaxTensorElements);
    Rows(request.inputs);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t json_size = data[0] | data[1] << 8;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  Request(body, json_size);
  Request(body, std::nullopt);
  for (const serve::FieldType& parameter : Parameters())
    Allow([&] {
      const serve::Tensor tensor = serve::RawTensor(body, {parameter});
      serve::RowsOf({tensor}, {parameter});
    });
  return 0;
}
