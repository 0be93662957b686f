// SPDX-License-Identifier: Apache-2.0
#include "serve/request_json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "serve/json_field.h"

namespace braid::serve {
namespace {

using testing::HasSubstr;

const std::vector<FieldType> kFlight = {
    {"distance", "DOUBLE"}, {"carrier", "VARCHAR"}, {"seats", "SMALLINT"}};

Error ErrorOf(std::string_view body) {
  try {
    DecodeServiceRequest(body, kFlight);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error: " << body.substr(0, 100);
  return Error(ErrorCode::kInternal, "none");
}

// The value of one field of a type, or nothing when it is refused.
std::optional<JsonValue> Value(std::string_view type, std::string_view json) {
  const DecodedRequest request =
      DecodeServiceRequest(fmt::format("{{\"x\":{}}}", json), {{"x", std::string(type)}});
  if (!request.rows.at(0).error) return request.rows[0].values.at(0);
  EXPECT_EQ(request.rows[0].error->code(), ErrorCode::kWrongType);
  return std::nullopt;
}

std::optional<JsonValue> Text(std::string text) { return JsonValue(std::move(text)); }

TEST(RequestJsonTest, TakesOneObjectAsOneRow) {
  const DecodedRequest request =
      DecodeServiceRequest(R"( {"seats": 3, "distance": 1.50} )", kFlight);
  EXPECT_TRUE(request.is_single);
  ASSERT_EQ(request.rows.size(), 1U);
  EXPECT_EQ(request.rows[0].error, std::nullopt);
  EXPECT_EQ(request.rows[0].values, (std::vector<JsonValue>{1.5, std::monostate(), int64_t{3}}));
  EXPECT_EQ(request.rows[0].input_json, R"({"distance":1.50,"carrier":null,"seats":3})");
}

TEST(RequestJsonTest, OneBadRowLeavesTheOthers) {
  const DecodedRequest request = DecodeServiceRequest(
      R"({"rows":[{"distance":1},{"distnce":2},{"distance":"far"},7,{}]})", kFlight);
  EXPECT_FALSE(request.is_single);
  ASSERT_EQ(request.rows.size(), 5U);
  EXPECT_EQ(request.rows[0].values[0], JsonValue(1.0));
  EXPECT_EQ(request.rows[1].error->code(), ErrorCode::kMalformedRequest);
  EXPECT_EQ(request.rows[1].error->message(), "Unknown field in row 1: distnce");
  EXPECT_EQ(request.rows[1].error->hint(), "did you mean distance?");
  EXPECT_EQ(request.rows[1].input_json, R"({"distnce":2})");
  EXPECT_EQ(request.rows[2].error->code(), ErrorCode::kWrongType);
  EXPECT_EQ(request.rows[2].error->message(),
            "Wrong type in row 2: field distance takes DOUBLE, got a string far");
  EXPECT_EQ(request.rows[3].error->code(), ErrorCode::kMalformedRequest);
  EXPECT_EQ(request.rows[4].error, std::nullopt);
  EXPECT_TRUE(request.rows[1].values.empty());
}

TEST(RequestJsonTest, RowsIsAFieldWhereAParameterIsCalledSo) {
  const DecodedRequest request =
      DecodeServiceRequest(R"({"rows":[1, 2]})", {{"rows", "INTEGER[]"}});
  EXPECT_TRUE(request.is_single);
  EXPECT_EQ(request.rows[0].values[0], JsonValue("[1,2]"));
  EXPECT_THAT(DecodeServiceRequest(R"({"rows":[],"seats":1})", kFlight).rows[0].error->hint(),
              HasSubstr("nothing beside it"));
  EXPECT_TRUE(DecodeServiceRequest(R"({"rows":[]})", kFlight).rows.empty());
}

TEST(RequestJsonTest, SaysWhereJsonIsMalformed) {
  const Error error = ErrorOf("{\"distance\": 1,\n  \"seats\": tru}");
  EXPECT_EQ(error.code(), ErrorCode::kMalformedRequest);
  EXPECT_THAT(error.message(), HasSubstr("line 2, column 15: "));
  for (const char* body :
       {"", " ", "{", "{}{}", "{\"a\":}", "[1,]", "nul", "{'a':1}", "{\"a\":1e999}", "{\"a\":01}",
        "{\"a\":\"\n\"}", "{\"a\":\"\\ud800\"}", "[]", "1", "null"})
    EXPECT_EQ(ErrorOf(body).code(), ErrorCode::kMalformedRequest) << body;
}

TEST(RequestJsonTest, RefusesBadUtf8AndRepeatedKeys) {
  EXPECT_THAT(ErrorOf("{\"carrier\":\"\xFF\"}").message(), HasSubstr("UTF-8"));
  EXPECT_EQ(ErrorOf("{\"carrier\":\"\xC3\"}").message().find('\xC3'), std::string::npos);
  EXPECT_THAT(ErrorOf(R"({"seats":1,"seats":1})").message(),
              HasSubstr("twice in one object: seats"));
  EXPECT_THAT(ErrorOf(R"({"carrier":{"a":[{"b":1,"\u0062":2}]}})").message(), HasSubstr("twice"));
  std::string many = "{";
  for (int i = 0; i < 100'000; ++i) many += fmt::format("\"k{}\":1,", i);
  EXPECT_THAT(ErrorOf(many + "\"k7\":1}").message(), HasSubstr("twice in one object: k7"));
}

TEST(RequestJsonTest, LimitsDepthAndRows) {
  auto nested = [](size_t depth) {
    return "{\"carrier\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(DecodeServiceRequest(nested(64), kFlight).rows[0].error.has_value());
  EXPECT_THAT(ErrorOf(nested(65)).message(), HasSubstr("deeper than 64"));
  EXPECT_THAT(ErrorOf(std::string(1'000'000, '[')).message(), HasSubstr("deeper"));
  std::string rows = "{\"rows\":[{}";
  for (size_t i = 1; i < kMaxRequestRows; ++i) rows += ",{}";
  EXPECT_EQ(DecodeServiceRequest(rows + "]}", kFlight).rows.size(), kMaxRequestRows);
  EXPECT_EQ(ErrorOf(rows + ",{}]}").code(), ErrorCode::kTooLarge);
}

TEST(FieldReaderTest, ReadsBooleansAndIntegers) {
  EXPECT_EQ(Value("BOOLEAN", "true"), JsonValue(true));
  EXPECT_EQ(Value("BOOLEAN", "1"), std::nullopt);
  EXPECT_EQ(Value("BOOLEAN", "null"), JsonValue());
  EXPECT_EQ(Value("TINYINT", "-128"), JsonValue(int64_t{-128}));
  EXPECT_EQ(Value("TINYINT", "128"), std::nullopt);
  EXPECT_EQ(Value("UINTEGER", "4294967295"), JsonValue(int64_t{4294967295}));
  EXPECT_EQ(Value("UTINYINT", "-1"), std::nullopt);
  EXPECT_EQ(Value("bigint", "-9223372036854775808"),
            JsonValue(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(Value("BIGINT", "9223372036854775808"), std::nullopt);
  EXPECT_EQ(Value("INTEGER", "3.0"), JsonValue(int64_t{3}));
  EXPECT_EQ(Value("INTEGER", "3.5"), std::nullopt);
  EXPECT_EQ(Value("INTEGER", "\"3\""), std::nullopt);
  EXPECT_EQ(Value("UBIGINT", "18446744073709551615"), Text("18446744073709551615"));
  EXPECT_EQ(Value("UBIGINT", "18446744073709551616"), std::nullopt);
  EXPECT_EQ(Value("UBIGINT", "-1"), std::nullopt);
  EXPECT_EQ(Value("HUGEINT", "\"-170141183460469231731687303715884105727\""),
            Text("-170141183460469231731687303715884105727"));
  EXPECT_EQ(Value("HUGEINT", "170141183460469231731687303715884105728"), std::nullopt);
  EXPECT_EQ(Value("HUGEINT", "1.5"), std::nullopt);
}

TEST(FieldReaderTest, ReadsFloatsAndDecimals) {
  EXPECT_EQ(Value("DOUBLE", "2"), JsonValue(2.0));
  EXPECT_EQ(Value("DOUBLE", "\"-Infinity\""), JsonValue(-HUGE_VAL));
  EXPECT_TRUE(std::isnan(std::get<double>(*Value("FLOAT", "\"NaN\""))));
  EXPECT_EQ(Value("FLOAT", "1e39"), std::nullopt);
  EXPECT_EQ(Value("DOUBLE", "1e-999"), JsonValue(0.0));
  EXPECT_EQ(Value("DOUBLE", "\"1\""), std::nullopt);
  EXPECT_EQ(Value("DECIMAL(4,2)", "12.345"), Text("12.35"));
  EXPECT_EQ(Value("DECIMAL(4,2)", "\"-0.005\""), Text("-0.01"));
  EXPECT_EQ(Value("DECIMAL(4,2)", "-0.001"), Text("0.00"));
  EXPECT_EQ(Value("DECIMAL(4,2)", "99.995"), std::nullopt);
  EXPECT_EQ(Value("DECIMAL(4,2)", "100"), std::nullopt);
  EXPECT_EQ(Value("NUMERIC(5)", "1.2e3"), Text("1200"));
  EXPECT_EQ(Value("DECIMAL(38,0)", "12345678901234567890123456789012345678"),
            Text("12345678901234567890123456789012345678"));
  EXPECT_EQ(Value("DECIMAL", "0.0625"), Text("0.063"));
  for (const char* bad :
       {"\"\"", "\"-\"", "\".\"", "\"1.2.3\"", "\"1e\"", "\"0x1\"", "\"1e99999\"", "true"})
    EXPECT_EQ(Value("DECIMAL", bad), std::nullopt) << bad;
}

TEST(FieldReaderTest, ReadsTimes) {
  EXPECT_EQ(Value("DATE", "\"2024-02-29\""), Text("2024-02-29"));
  for (const char* bad :
       {"2023-02-29", "2024-13-01", "2024-1-1", "20240101", "", "2024-01-01T00:00"})
    EXPECT_EQ(Value("DATE", fmt::format("\"{}\"", bad)), std::nullopt) << bad;
  EXPECT_EQ(Value("TIME", "\"23:59:59.123456\""), Text("23:59:59.123456"));
  EXPECT_EQ(Value("TIME", "\"24:00:00\""), std::nullopt);
  for (const char* good : {"2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01 12:30",
                           "2024-01-01T00:00:00.5+05:30", "2024-01-01T00:00:00-0800"})
    EXPECT_EQ(Value("TIMESTAMP WITH TIME ZONE", fmt::format("\"{}\"", good)), Text(good)) << good;
  for (const char* bad : {"2024-01-01T", "2024-01-01T25:00", "2024-01-01T00:00:00.", "now",
                          "1704067200", "2024-01-01T00:00:00+5", "2024-01-01T00:00:00Zx"})
    EXPECT_EQ(Value("TIMESTAMP", fmt::format("\"{}\"", bad)), std::nullopt) << bad;
  EXPECT_EQ(Value("TIMESTAMP", "1704067200"), std::nullopt);
}

TEST(FieldReaderTest, ReadsTextsBlobsAndNestedValues) {
  EXPECT_EQ(Value("VARCHAR", R"("a\"\u00e9\n")"), Text("a\"\xC3\xA9\n"));
  EXPECT_EQ(Value("VARCHAR", "1"), std::nullopt);
  EXPECT_EQ(Value("ENUM('a','b')", "\"a\""), Text("a"));
  EXPECT_NE(Value("UUID", "\"0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b\""), std::nullopt);
  EXPECT_EQ(Value("UUID", "\"x\""), std::nullopt);
  EXPECT_EQ(Value("BLOB", "\"AP8=\""), Text(std::string("\0\xFF", 2)));
  EXPECT_EQ(Value("BLOB", "\"\""), Text(""));
  for (const char* bad :
       {"\"A\"", "\"AP8\"", "\"AP9=\"", "\"A===\"", "\"====\"", "\"AP8=AP8=\"", "\"A P8\""})
    EXPECT_EQ(Value("BLOB", bad), std::nullopt) << bad;
  EXPECT_EQ(Value("JSON", R"( {"a": [1, "\u0001"]} )"), Text(R"({"a":[1,"\u0001"]})"));
  EXPECT_EQ(Value("JSON", "1.50"), Text("1.50"));
  EXPECT_EQ(Value("DECIMAL(4,1)[]", "[1.10, 2]"), Text("[1.10,2]"));
  EXPECT_EQ(Value("STRUCT(a INTEGER)", "{}"), Text("{}"));
  EXPECT_EQ(Value("STRUCT(a INTEGER)", "[]"), std::nullopt);
  EXPECT_EQ(Value("INTEGER[]", "{}"), std::nullopt);
  EXPECT_EQ(Value("MAP(VARCHAR, INTEGER)", R"({"a":1})"), Text(R"({"a":1})"));
}

std::string FeedbackError(std::string_view row) {
  try {
    DecodeFeedback(fmt::format(R"({{"service":"s","rows":[{}]}})", row));
  } catch (const Error& error) {
    return std::string(Describe(error.code()).text) + " " + error.message();
  }
  return "none";
}

TEST(FeedbackJsonTest, ReadsRows) {
  const DecodedFeedback feedback = DecodeFeedback(R"({"service": "delay", "rows": [
    {"inference_id": "0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b", "outcome": {"late": true}},
    {"client_request_id": "r-1", "outcome": {"late": null}, "origin": "human", "annotator": "ann",
     "observed_at": "2024-01-01T00:00:00Z", "inference_id": null}]})");
  EXPECT_EQ(feedback.service, "delay");
  ASSERT_EQ(feedback.rows.size(), 2U);
  EXPECT_EQ(feedback.rows[0].inference_id, "0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b");
  EXPECT_EQ(feedback.rows[0].outcome_json, R"({"late":true})");
  EXPECT_EQ(feedback.rows[0].origin, "outcome");
  EXPECT_EQ(feedback.rows[0].annotator, std::nullopt);
  EXPECT_EQ(feedback.rows[1].client_request_id, "r-1");
  EXPECT_EQ(feedback.rows[1].origin, "human");
  EXPECT_EQ(feedback.rows[1].observed_at, "2024-01-01T00:00:00Z");
}

TEST(FeedbackJsonTest, RefusesWhatIsNotFeedback) {
  EXPECT_THAT(FeedbackError("7"), HasSubstr("MALFORMED_REQUEST Row 0 is not an object"));
  EXPECT_THAT(FeedbackError(R"({"outcome":{}})"), HasSubstr("Which inference"));
  EXPECT_THAT(FeedbackError(R"({"client_request_id":"a"})"),
              HasSubstr("Missing field in row 0: outcome"));
  EXPECT_THAT(FeedbackError(R"({"client_request_id":"a","outcome":1})"), HasSubstr("WRONG_TYPE"));
  EXPECT_THAT(FeedbackError(R"({"client_request_id":1,"outcome":{}})"), HasSubstr("WRONG_TYPE"));
  EXPECT_THAT(FeedbackError(R"({"client_request_id":"","outcome":{}})"), HasSubstr("Empty field"));
  EXPECT_THAT(FeedbackError(R"({"inference_id":"a","outcome":{}})"), HasSubstr("WRONG_TYPE"));
  EXPECT_THAT(FeedbackError(R"({"client_request_id":"a","outcome":{},"origin":"x"})"),
              HasSubstr("Unknown origin"));
  EXPECT_THAT(FeedbackError(R"({"client_request_id":"a","outcome":{},"observed_at":"now"})"),
              HasSubstr("WRONG_TYPE"));
  EXPECT_THAT(FeedbackError(R"({"client_request_id":"a","outcom":{}})"), HasSubstr("outcom"));
  for (const char* body : {"{}", R"({"service":"s"})", R"({"rows":[]})", "[]",
                           R"({"service":"s","rows":[],"x":1})", R"({"service":"","rows":[]})"})
    EXPECT_THROW(DecodeFeedback(body), Error) << body;
  EXPECT_TRUE(DecodeFeedback(R"({"service":"s","rows":[]})").rows.empty());
}

}  // namespace
}  // namespace braid::serve
