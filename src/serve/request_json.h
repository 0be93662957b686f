// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace braid::serve {

inline constexpr size_t kMaxJsonDepth = 64;
inline constexpr size_t kMaxRequestRows = 10'000;

struct FieldType {
  std::string name;
  std::string sql_type;  // as DuckDB writes it: "DECIMAL(10,2)", "VARCHAR[]"
};

// One value, in the form its SQL type decides: NULL (monostate) for all; bool for BOOLEAN; int64_t
// for TINYINT to BIGINT and UTINYINT to UINTEGER; double for FLOAT and DOUBLE; else a string:
// digits of UBIGINT, HUGEINT, UHUGEINT and DECIMAL, the bytes of BLOB, ISO 8601 text of dates and
// times, JSON text of JSON, lists, arrays, STRUCT, MAP and UNION, the text itself of VARCHAR, UUID
// and all others.
using JsonValue = std::variant<std::monostate, bool, int64_t, double, std::string>;

struct DecodedRow {
  std::vector<JsonValue> values;  // one for each parameter, in order; empty when `error` is set
  std::optional<Error> error;
  // A compact JSON object: each parameter in order, NULL where none came; the row as it came when
  // `error` is set.
  std::string input_json;
  int64_t deadline_us = 0;  // when its request's time is over, as the clock has it; 0: never
};

struct DecodedRequest {
  bool is_single = false;  // one object, not {"rows":[…]}
  std::vector<DecodedRow> rows;
};

// Reads the body of POST /v1/services/<s>: one object (a row), or {"rows":[…]} unless a parameter
// is called rows. What is wrong with one row (an unknown field, a wrong type) is that row's error.
// Throws Error MALFORMED_REQUEST for what is not such JSON (with line and column), names a field
// twice, is not UTF-8 or nests deeper than kMaxJsonDepth, TOO_LARGE for more than kMaxRequestRows
// rows. Thread-safe.
DecodedRequest DecodeServiceRequest(std::string_view body,
                                    const std::vector<FieldType>& parameters);

struct FeedbackRow {
  std::optional<std::string> inference_id;  // a UUID; exactly one of the two ids is set
  std::optional<std::string> client_request_id;
  std::string outcome_json;  // a compact JSON object
  std::string origin = "outcome";
  std::optional<std::string> observed_at;  // ISO 8601 date or time stamp
  std::optional<std::string> annotator;
};

struct DecodedFeedback {
  std::string service;
  std::vector<FeedbackRow> rows;
};

// Reads the body of POST /v1/feedback. All or nothing: the first row that is wrong is thrown, as
// MALFORMED_REQUEST or WRONG_TYPE naming its index. Limits as above. Thread-safe.
DecodedFeedback DecodeFeedback(std::string_view body);

}  // namespace braid::serve
