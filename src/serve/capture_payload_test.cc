// SPDX-License-Identifier: Apache-2.0
#include "serve/capture_payload.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/connection.h"
#include "engine/database.h"

namespace braid::serve {
namespace {

constexpr const char* kId = "0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b";

class CapturePayloadTest : public ::testing::Test {
 protected:
  CapturePayloadTest() {
    connection_.Execute("SET TimeZone = 'Asia/Kolkata'");
    connection_.Execute(
        "CREATE TABLE log (position BIGINT, id VARCHAR, client_request_id VARCHAR, recorded_at "
        "BIGINT, payload VARCHAR)");
  }

  nlohmann::ordered_json Read(const std::string& columns, const std::string& payload) {
    connection_.Execute("DELETE FROM log");
    connection_.Execute("INSERT INTO log VALUES (1, $1, 'order-7', 1000000, $2)",
                        std::vector<engine::Value>{std::string(kId), payload});
    engine::Result result = connection_.Query("SELECT " + columns + " FROM log AS rows");
    names_ = result.column_names();
    types_ = result.column_types();
    nlohmann::ordered_json row;
    while (auto chunk = result.Next())
      for (size_t i = 0; i < names_.size(); ++i) row[names_[i]] = chunk->Value(i, 0);
    return row;
  }

  // What an input field of a type becomes.
  nlohmann::ordered_json Field(const std::string& type, const std::string& json) {
    const std::string input = "STRUCT(f " + type + ")";
    InferenceRecord record;
    record.input_json = "{\"f\":" + json + "}";
    const auto row = Read(InferenceColumnsSql(input, "STRUCT(y DOUBLE)"), EncodeInference(record));
    return row.at("input").at("f");
  }

  engine::Database database_{{.with_extensions = false}};
  engine::Connection connection_{database_};
  std::vector<std::string> names_;
  std::vector<std::string> types_;
};

TEST_F(CapturePayloadTest, AnInferenceHasTheColumnsOfItsTable) {
  InferenceRecord record{.arrived_at_us = 1'359'676'799'123'456,
                         .answered_at_us = 1'359'676'799'123'457,
                         .status = "ok",
                         .service_version = 3,
                         .model_versions = {{"sales.\"q\"", 2}, {"m", 1}},
                         .lake_snapshot = 9,
                         .input_json = R"({"a":1})",
                         .output_json = R"({"y":0.5})"};
  const auto row =
      Read(InferenceColumnsSql("STRUCT(a BIGINT)", "STRUCT(y DOUBLE)"), EncodeInference(record));
  EXPECT_EQ(names_, (std::vector<std::string>{"inference_id", "client_request_id", "arrived_at",
                                              "answered_at", "status", "error", "service_version",
                                              "model_versions", "lake_snapshot", "principal",
                                              "input", "output"}));
  EXPECT_EQ(types_, (std::vector<std::string>{"UUID", "VARCHAR", "TIMESTAMP WITH TIME ZONE",
                                              "TIMESTAMP WITH TIME ZONE", "VARCHAR", "VARCHAR",
                                              "BIGINT", "MAP(VARCHAR, BIGINT)", "BIGINT", "VARCHAR",
                                              "STRUCT(a BIGINT)", "STRUCT(y DOUBLE)"}));
  EXPECT_EQ(
      row.dump(),
      R"({"inference_id":"0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b","client_request_id":"order-7",)"
      R"("arrived_at":"2013-01-31T23:59:59.123456Z","answered_at":"2013-01-31T23:59:59.123457Z",)"
      R"("status":"ok","error":null,"service_version":3,"model_versions":{"m":1,"sales.\"q\"":2},)"
      R"("lake_snapshot":9,"principal":null,"input":{"a":1},"output":{"y":0.5}})");
}

TEST_F(CapturePayloadTest, AMalformedBodyHasNeitherInputNorOutput) {
  InferenceRecord record{.status = "error", .error = "MALFORMED_REQUEST: Unexpected end"};
  const auto row = Read(InferenceColumnsSql("STRUCT(a BIGINT, b BLOB)", "STRUCT(y DOUBLE)"),
                        EncodeInference(record));
  EXPECT_EQ(row.at("input"), nullptr);
  EXPECT_EQ(row.at("output"), nullptr);
  EXPECT_EQ(row.at("error"), "MALFORMED_REQUEST: Unexpected end");
  EXPECT_EQ(row.at("model_versions"), nlohmann::ordered_json::object());
}

TEST_F(CapturePayloadTest, FieldsMayLackOrBeTooMany) {
  InferenceRecord record{.input_json = R"({"b":"x","old":1})"};
  const auto row = Read(InferenceColumnsSql("STRUCT(a BIGINT, b VARCHAR)", "STRUCT(y DOUBLE)"),
                        EncodeInference(record));
  EXPECT_EQ(row.at("input").dump(), R"({"a":null,"b":"x"})");
}

TEST_F(CapturePayloadTest, EveryTypeComesBackAsItWas) {
  EXPECT_EQ(Field("BIGINT", "9007199254740993"), 9007199254740993);
  EXPECT_EQ(Field("BIGINT", "null"), nullptr);
  EXPECT_EQ(Field("DOUBLE", "0.1"), 0.1);
  EXPECT_EQ(Field("DOUBLE", "5e-324"), 5e-324);
  EXPECT_EQ(Field("DOUBLE", R"("NaN")"), "NaN");
  EXPECT_EQ(Field("DOUBLE", R"("Infinity")"), "Infinity");
  EXPECT_EQ(Field("DOUBLE", R"("-Infinity")"), "-Infinity");
  EXPECT_EQ(Field("DECIMAL(38,10)", R"("1234567890123456789012345678.0123456789")"),
            "1234567890123456789012345678.0123456789");
  EXPECT_EQ(Field("HUGEINT", R"("170141183460469231731687303715884105727")"),
            "170141183460469231731687303715884105727");
  EXPECT_EQ(Field("UBIGINT", R"("18446744073709551615")"), 18446744073709551615ULL);
  EXPECT_EQ(Field("BOOLEAN", "true"), true);
  EXPECT_EQ(Field("VARCHAR", R"("it's \"q\" \u00e4\n😀 null")"), "it's \"q\" ä\n😀 null");
  EXPECT_EQ(Field("VARCHAR", R"("null")"), "null");
  EXPECT_EQ(Field("VARCHAR", R"("")"), "");
  EXPECT_EQ(Field("DATE", R"("2013-01-31")"), "2013-01-31");
  EXPECT_EQ(Field("TIMESTAMP", R"("2013-01-31T23:59:59.5")"), "2013-01-31T23:59:59.5");
  EXPECT_EQ(Field("TIMESTAMPTZ", R"("2013-01-31T23:59:59+01:00")"), "2013-01-31T22:59:59Z");
  EXPECT_EQ(Field("TIMESTAMP WITH TIME ZONE", R"("2013-01-31T23:59:59Z")"), "2013-01-31T23:59:59Z");
  EXPECT_EQ(Field("TIME", R"("12:30:01.5")"), "12:30:01.5");
  EXPECT_EQ(Field("UUID", fmt::format("\"{}\"", kId)), kId);
  EXPECT_EQ(Field("JSON", R"({"a":[1,null]})"), R"({"a":[1,null]})");
}

TEST_F(CapturePayloadTest, NestedTypesComeBack) {
  EXPECT_EQ(Field("BIGINT[]", "[1,null,3]").dump(), "[1,null,3]");
  EXPECT_EQ(Field("DOUBLE[]", R"(["NaN",1.5])").dump(), R"(["NaN",1.5])");
  EXPECT_EQ(
      Field("STRUCT(x BIGINT, \"select \"\"it\"\"\" VARCHAR[])", R"({"x":1,"select \"it\"":["a"]})")
          .dump(),
      R"({"x":1,"select \"it\"":["a"]})");
  EXPECT_EQ(Field("MAP(VARCHAR, DECIMAL(5, 1))", R"({"k":"1.5","l":null})").dump(),
            R"({"k":"1.5","l":null})");
  EXPECT_EQ(Field("MAP(BIGINT, VARCHAR)", R"({"7":"x"})").dump(), R"([{"key":7,"value":"x"}])");
}

TEST_F(CapturePayloadTest, BlobsAreBase64InTheLogAndBytesInTheTable) {
  InferenceRecord record{.input_json = R"({"photo":"AP8Q","n":2,"none":null})"};
  const std::string type = "STRUCT(photo BLOB, n BIGINT, none BLOB)";
  const auto row = Read(InferenceColumnsSql(type, "STRUCT(y DOUBLE)"), EncodeInference(record));
  EXPECT_EQ(types_[10], type);
  EXPECT_EQ(row.at("input").dump(), R"({"photo":"AP8Q","n":2,"none":null})");
}

TEST_F(CapturePayloadTest, FeedbackHasTheColumnsOfItsTable) {
  FeedbackRow feedback{.inference_id = kId,
                       .outcome_json = R"({"late":true,"delay":2.5})",
                       .origin = "human",
                       .observed_at = "2013-01-31T23:59:59Z",
                       .annotator = "ann"};
  const auto row =
      Read(FeedbackColumnsSql("STRUCT(late BOOLEAN, delay DOUBLE)"), EncodeFeedback(feedback));
  EXPECT_EQ(types_,
            (std::vector<std::string>{"UUID", "UUID", "VARCHAR", "VARCHAR",
                                      "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE",
                                      "VARCHAR", "UUID", "STRUCT(late BOOLEAN, delay DOUBLE)"}));
  EXPECT_EQ(row.dump(),
            R"({"feedback_id":"0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b",)"
            R"("inference_id":"0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b","client_request_id":null,)"
            R"("origin":"human","observed_at":"2013-01-31T23:59:59Z",)"
            R"("recorded_at":"1970-01-01T00:00:01Z","annotator":"ann","supersedes":null,)"
            R"("outcome":{"late":true,"delay":2.5}})");
}

}  // namespace
}  // namespace braid::serve
