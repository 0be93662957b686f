// SPDX-License-Identifier: Apache-2.0
#include "serve/infer_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "serve/infer_answer.h"
#include "serve/tensor_rows.h"

namespace braid::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Input(const std::string& rest) { return R"({"inputs":[{"name":"x",)" + rest + "}]}"; }

std::string MessageOf(const std::string& body, std::optional<size_t> json_size = {}) {
  try {
    DecodeInferRequest(body, json_size);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

std::vector<JsonValue> Values(const std::string& rest) {
  return DecodeInferRequest(Input(rest), {}).inputs.at(0).values;
}

TEST(InferRequestTest, ReadsNestedAndFlatData) {
  const std::vector<JsonValue> expected = {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{4}};
  EXPECT_EQ(Values(R"("datatype":"INT8","shape":[2,2],"data":[1,2,3,4])"), expected);
  EXPECT_EQ(Values(R"("datatype":"INT8","shape":[2,2],"data":[[1,2],[3,4]])"), expected);
  EXPECT_EQ(Values(R"("datatype":"UINT64","shape":[2],"data":[18446744073709551615,1])"),
            (std::vector<JsonValue>{std::string("18446744073709551615"), int64_t{1}}));
  EXPECT_EQ(Values(R"("datatype":"BOOL","shape":[3],"data":[true,0,null])"),
            (std::vector<JsonValue>{true, false, std::monostate()}));
}

TEST(InferRequestTest, TakesTheTensorsBehindTheJson) {
  const std::string json =
      R"({"id":"a","parameters":{"binary_data_output":true,"priority":7},"inputs":[)"
      R"({"name":"h","datatype":"FP16","shape":[3],"parameters":{"binary_data_size":6}},)"
      R"({"name":"j","datatype":"INT16","shape":[1],"data":[5]},)"
      R"({"name":"t","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":11}}],)"
      R"("outputs":[{"name":"y","parameters":{"binary_data":false}}]})";
  // FP16: 1.5, the smallest subnormal, -infinity.
  const std::string half("\x00\x3E\x01\x00\x00\xFC", 6);
  const std::string texts(
      "\x03\0\0\0a\xFF"
      "c\0\0\0\0",
      11);
  const InferRequest request = DecodeInferRequest(json + half + texts, json.size());
  EXPECT_EQ(request.id, "a");
  EXPECT_TRUE(request.is_binary_output);
  EXPECT_EQ(request.inputs[0].values,
            (std::vector<JsonValue>{1.5, std::ldexp(1.0, -24),
                                    -std::numeric_limits<double>::infinity()}));
  EXPECT_EQ(request.inputs[2].values, (std::vector<JsonValue>{std::string("a\xFF"
                                                                          "c"),
                                                              std::string()}));
  ASSERT_EQ(request.outputs.size(), 1U);
  EXPECT_EQ(request.outputs[0].is_binary, false);
  EXPECT_THAT(MessageOf(json + half + texts + "x", json.size()), HasSubstr("1 bytes follow"));
  EXPECT_THAT(MessageOf(json + half, json.size()), HasSubstr("bytes are left"));
  EXPECT_THAT(MessageOf(json, json.size() + 1), HasSubstr("Inference-Header-Content-Length"));
}

TEST(InferRequestTest, RefusesWhatDoesNotFit) {
  EXPECT_THAT(MessageOf(Input(R"("datatype":"INT8","shape":[1],"data":[128])")),
              HasSubstr("not INT8"));
  EXPECT_THAT(MessageOf(Input(R"("datatype":"UINT64","shape":[1],"data":[-1])")),
              HasSubstr("not UINT64"));
  EXPECT_THAT(MessageOf(Input(R"("datatype":"FP32","shape":[1],"data":[1e39])")),
              HasSubstr("not FP32"));
  EXPECT_THAT(MessageOf(Input(R"("datatype":"INT8","shape":[2],"data":[1])")),
              HasSubstr("2 elements"));
  EXPECT_THAT(MessageOf(Input(R"("datatype":"INT8","shape":[1],"data":[1,2])")),
              HasSubstr("1 elements"));
  EXPECT_THAT(MessageOf(Input(R"("datatype":"INT8","shape":[18446744073709551615,4],"data":[])")),
              HasSubstr("more than"));
  // Brackets of an empty tensor are work too.
  EXPECT_THAT(MessageOf(Input(R"("datatype":"INT8","shape":[1,1000000000,0],"data":[])")),
              HasSubstr("more than"));
  EXPECT_THAT(MessageOf(Input(R"("datatype":"INT8","shape":[1],"data":[1],)"
                              R"("parameters":{"binary_data_size":1})")),
              HasSubstr("both"));
}

TEST(TensorRowsTest, PutsTensorsIntoRows) {
  const std::vector<FieldType> parameters = {{"a", "INTEGER"}, {"b", "DOUBLE[]"}, {"c", "VARCHAR"}};
  const std::vector<Tensor> inputs = {
      {"b", TensorType::kFp32, {2, 2}, {0.5, 1.0, 2.0, std::monostate()}},
      {"a", TensorType::kInt64, {2, 1}, {int64_t{1}, int64_t{1} << 40}}};
  const std::vector<DecodedRow> rows = RowsOf(inputs, parameters);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].values,
            (std::vector<JsonValue>{int64_t{1}, std::string("[0.5,1]"), std::monostate()}));
  ASSERT_TRUE(rows[1].error);
  EXPECT_EQ(rows[1].error->code(), ErrorCode::kWrongType);
  EXPECT_EQ(rows[1].input_json, R"({"a":1099511627776,"b":[2,null],"c":null})");
}

TEST(TensorRowsTest, OneTensorOfAllColumns) {
  const std::vector<FieldType> parameters = {{"a", "DOUBLE"}, {"b", "INTEGER"}};
  const std::vector<DecodedRow> rows =
      RowsOf({{"predict", TensorType::kFp32, {2, 2}, {0.5, 2.0, 1.5, 2.5}}}, parameters);
  EXPECT_EQ(rows[0].values, (std::vector<JsonValue>{0.5, int64_t{2}}));
  ASSERT_TRUE(rows[1].error);
  EXPECT_THAT(rows[1].error->message(), HasSubstr("b"));
  EXPECT_THROW(RowsOf({{"predict", TensorType::kFp32, {1, 3}, {0.0, 0.0, 0.0}}}, parameters),
               Error);
}

TEST(InferAnswerTest, SplitsProbabilitiesIntoTensorsInTheOrderOfTheLabels) {
  ServiceSchema schema{.name = "s", .version = 4};
  schema.outputs = {{"p", "STRUCT(label BIGINT, prob DOUBLE)[]"}, {"n", "DECIMAL(9,2)"}};
  const RowOutcome first{
      {}, "{}", R"({"p":[{"label":10,"prob":0.75},{"label":9,"prob":0.25}],"n":"1.50"})"};
  const RowOutcome second{
      {}, "{}", R"({"p":[{"label":9,"prob":0.5},{"label":10,"prob":0.5}],"n":null})"};
  const std::vector<AnsweredRow> rows = {{"id-1", &first}, {"id-2", &second}};
  InferRequest request;
  EXPECT_EQ(InferAnswer(request, schema, AskedOutputs(request, schema), rows).body,
            R"({"model_name":"s","model_version":"4","outputs":[)"
            R"({"name":"p.label","datatype":"INT64","shape":[2,2],"data":[9,10,9,10]},)"
            R"({"name":"p.prob","datatype":"FP64","shape":[2,2],"data":[0.25,0.75,0.5,0.5]},)"
            R"({"name":"n","datatype":"FP64","shape":[2],"data":[1.5,null]},)"
            R"({"name":"inference_id","datatype":"BYTES","shape":[2],"data":["id-1","id-2"]}]})");
}

TEST(InferAnswerTest, RefusesListsThatAreNoTensor) {
  ServiceSchema schema{.name = "s"};
  schema.outputs = {{"l", "INTEGER[]"}};
  const RowOutcome first{{}, "{}", R"({"l":[1,2]})"};
  const RowOutcome second{{}, "{}", R"({"l":[1]})"};
  const std::vector<AnsweredRow> rows = {{"id-1", &first}, {"id-2", &second}};
  InferRequest request;
  const std::vector<AskedOutput> outputs = AskedOutputs(request, schema);
  EXPECT_THROW(InferAnswer(request, schema, outputs, rows), Error);
  EXPECT_THAT(InferAnswer(request, schema, outputs, std::span(rows).first(1)).body,
              HasSubstr(R"("shape":[1,2],"data":[1,2])"));
}

}  // namespace
}  // namespace braid::serve
