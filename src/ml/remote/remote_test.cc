// SPDX-License-Identifier: Apache-2.0
// Texts of the Open Inference Protocol as its specification writes them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "ml/remote/remote_model.h"
#include "ml/remote/remote_request.h"
#include "ml/remote/remote_response.h"

namespace braid::ml {
namespace {

constexpr std::string_view kMetadata =
    R"({"name":"m","platform":"p","inputs":[{"name":"Size","datatype":"FP32","shape":[-1,1]},
        {"name":"parts","datatype":"INT8","shape":[-1,2]}],
        "outputs":[{"name":"label","datatype":"BYTES","shape":[-1]},
        {"name":"probs","datatype":"FP64","shape":[-1,3]}]})";

std::string Refusal(ErrorCode code, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    return error.message();
  }
  ADD_FAILURE() << "not refused";
  return "";
}

TEST(RemoteSignature, IsWhatTheServerTells) {
  const RemoteSignature signature = MatchSignature(kMetadata, {}, {});
  ASSERT_EQ(signature.inputs.size(), 2);
  EXPECT_EQ(signature.inputs[0].column, "Size");
  EXPECT_EQ(signature.inputs[0].type, "FLOAT");
  EXPECT_EQ(CarrierType(signature.inputs[0]), "DOUBLE");
  EXPECT_EQ(signature.inputs[1].type, "TINYINT[]");
  EXPECT_EQ(CarrierType(signature.inputs[1]), "VARCHAR");
  ASSERT_EQ(signature.outputs.size(), 2);
  EXPECT_EQ(signature.outputs[0].type, "VARCHAR");
  EXPECT_EQ(signature.outputs[1].type, "DOUBLE[]");
  EXPECT_FALSE(signature.one_row);
  EXPECT_TRUE(signature.is_told);
}

TEST(RemoteSignature, MatchesDeclarationsByNameAndType) {
  const RemoteSignature signature = MatchSignature(
      kMetadata, {{"size", "DOUBLE"}, {"parts", "INTEGER[]"}}, {{"label", "VARCHAR"}});
  EXPECT_EQ(signature.inputs[0].name, "Size");  // as the server spells it
  EXPECT_EQ(signature.inputs[0].column, "size");
  EXPECT_EQ(signature.inputs[1].shape, (std::vector<int64_t>{2}));
  EXPECT_EQ(signature.outputs.size(), 1);
}

TEST(RemoteSignature, SaysWhatDoesNotFit) {
  const std::vector<RemoteColumn> label = {{"label", "VARCHAR"}};
  const auto refusal = [&](const std::vector<RemoteColumn>& inputs,
                           const std::vector<RemoteColumn>& outputs) {
    return Refusal(ErrorCode::kModelImport, [&] { MatchSignature(kMetadata, inputs, outputs); });
  };
  EXPECT_EQ(refusal({{"size", "DOUBLE"}}, label),
            "INPUT lacks an input of the server's model: parts INT8 [-1, 2]");
  EXPECT_EQ(refusal({{"size", "DOUBLE"}, {"parts", "INTEGER[]"}, {"more", "DOUBLE"}}, label),
            "The server's model has no such input: more");
  EXPECT_EQ(refusal({{"size", "VARCHAR"}, {"parts", "INTEGER[]"}}, label),
            "INPUT size VARCHAR does not fit the server's Size FP32 [-1, 1]");
  EXPECT_EQ(refusal({{"size", "DOUBLE"}, {"parts", "INTEGER[3]"}}, label),
            "INPUT parts INTEGER[3] does not fit the server's parts INT8 [-1, 2]");
  EXPECT_EQ(refusal({{"size", "DOUBLE"}, {"parts", "INTEGER"}}, label),
            "INPUT parts INTEGER does not fit the server's parts INT8 [-1, 2]");
  EXPECT_EQ(refusal({{"size", "DATE"}, {"parts", "INTEGER[]"}}, label),
            "INPUT takes no such type: size DATE");
  EXPECT_EQ(refusal({{"size", "DOUBLE"}, {"parts", "INTEGER[]"}}, {{"price", "DOUBLE"}}),
            "The server's model has no such output: price");
}

TEST(RemoteSignature, RefusesMetadataThatIsNone) {
  for (const char* text :
       {"", "garbage", "[]", "7", R"({"inputs":[{"name":"x"}]})", R"({"inputs":7})",
        R"({"inputs":[{"name":1,"datatype":"","shape":[]}]})"})
    Refusal(ErrorCode::kRemoteServer, [&] { MatchSignature(text, {}, {}); });
  for (const char* shape : {"[]", "[8]", "[-1,-1,-1]", "[-1,0]", "[-1,4611686018427387904,4]"})
    Refusal(ErrorCode::kModelImport, [&] {
      MatchSignature(fmt::format(R"({{"inputs":[{{"name":"x","datatype":"FP32","shape":{0}}}],
                                     "outputs":[{{"name":"x","datatype":"FP32","shape":{0}}}]}})",
                                 shape),
                     {}, {});
    });
  EXPECT_TRUE(MatchSignature(R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,2]}],
                                 "outputs":[{"name":"y","datatype":"FP32","shape":[1]}]})",
                             {}, {})
                  .one_row);
  EXPECT_FALSE(MatchSignature("{}", {{"x", "DOUBLE"}}, {{"y", "BIGINT"}}).is_told);
  Refusal(ErrorCode::kModelImport, [] { MatchSignature("{}", {}, {}); });
}

TEST(InferRequest, HoldsTheRowsThatAreComplete) {
  const RemoteSignature signature = MatchSignature(kMetadata, {}, {});
  const double sizes[] = {1.5, 2, std::nan(""), 4};
  const std::string_view parts[] = {"[1,-2]", "[null,3]", "[5,6]", "[7,8]"};
  const Batch batch{4, {{ColumnKind::kDouble, sizes}, {ColumnKind::kString, parts}}};
  InferRequest request(signature);
  EXPECT_TRUE(request.Add(batch, 0));
  EXPECT_FALSE(request.Add(batch, 1));
  EXPECT_FALSE(request.Add(batch, 2));
  EXPECT_TRUE(request.Add(batch, 3));
  EXPECT_EQ(request.Body(),
            R"({"inputs":[{"name":"Size","shape":[2,1],"datatype":"FP32","data":[1.5,4]},)"
            R"({"name":"parts","shape":[2,2],"datatype":"INT8","data":[1,-2,7,8]}],)"
            R"("outputs":[{"name":"label"},{"name":"probs"}]})");
}

TEST(InferRequest, RefusesWhatJsonOrTheDatatypeHasNoFormFor) {
  const RemoteSignature signature = MatchSignature(kMetadata, {}, {});
  const double sizes[] = {1, std::numeric_limits<double>::infinity(), 1e300, 1};
  const std::string_view parts[] = {"[1,300]", "[1,2]", "[1,2]", "[NaN,1]"};
  const Batch batch{4, {{ColumnKind::kDouble, sizes}, {ColumnKind::kString, parts}}};
  InferRequest request(signature);
  for (size_t row = 0; row < batch.rows; ++row)
    Refusal(ErrorCode::kModelInput, [&] { request.Add(batch, row); });
}

std::vector<RemoteValues> Read(const std::string& outputs, size_t rows = 2) {
  return ReadInferResponse(MatchSignature(kMetadata, {}, {}),
                           R"({"model_name":"m","outputs":[)" + outputs + "]}", rows);
}

constexpr const char* kLabel =
    R"({"name":"label","datatype":"BYTES","shape":[2],"data":["a","b"]})";

TEST(InferResponse, IsReadFlatOrNestedInAnyOrder) {
  for (const char* data : {"[1,2,3,4,5,6.5]", "[[1,2,3],[4,5,6.5]]"}) {
    const auto values = Read(fmt::format(
        R"({{"name":"probs","datatype":"FP64","shape":[2,3],"data":{}}},{})", data, kLabel));
    EXPECT_EQ(values[0].texts, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(values[0].width, 1);
    EXPECT_EQ(values[1].numbers, (std::vector<double>{1, 2, 3, 4, 5, 6.5}));
    EXPECT_EQ(values[1].width, 3);
  }
}

TEST(InferResponse, RefusesWhatWasNotAskedFor) {
  const char* wrong[] = {
      R"({"name":"probs","datatype":"FP64","shape":[2,3],"data":[1,2,3,4,5]})",
      R"({"name":"probs","datatype":"FP64","shape":[3,2],"data":[1,2,3,4,5,6]})",
      R"({"name":"probs","datatype":"FP64","shape":[2,2],"data":[1,2,3,4]})",
      R"({"name":"probs","datatype":"FP64","shape":[2,3],"data":[1,2,3,4,5,null]})",
      R"({"name":"probs","datatype":"FP64","shape":[2,3],"data":[1,2,3,4,5,"6"]})",
      R"({"name":"probs","datatype":"FP64","shape":[2,3],"data":[1,2,3,4,5,NaN]})",
      R"({"name":"probs","datatype":"FP64","shape":[2,3],"data":[1,2,3,4,5,1e999]})",
      R"({"name":"probs","datatype":"INT64","shape":[2,3],"data":[1,2,3,4,5,6]})",
      R"({"name":"probs","datatype":"FP64","shape":[2,-3],"data":[1,2,3,4,5,6]})",
      R"({"name":"probs","datatype":"FP64","shape":[2,3]})",
      R"({"name":"probs","datatype":"FP64","shape":[2,3],"data":7})",
      R"({"name":"other","datatype":"FP64","shape":[2,3],"data":[1,2,3,4,5,6]})",
      "7"};
  for (const char* output : wrong)
    Refusal(ErrorCode::kRemoteServer, [&] { Read(fmt::format("{},{}", kLabel, output)); });
  for (const char* body : {"", "garbage", "[]", "{}", R"({"outputs":{}})", "\xff\xfe"})
    Refusal(ErrorCode::kRemoteServer,
            [&] { ReadInferResponse(MatchSignature(kMetadata, {}, {}), body, 2); });
}

TEST(RemoteModel, ComesBackFromItsArtefact) {
  RemoteParts parts =
      ReadRemoteOptions({{"endpoint", {std::string("m")}}, {"max_retries", {int64_t{0}}}});
  parts.connection = "scorer";
  parts.signature = MatchSignature(kMetadata, {}, {});
  const RemoteModel model(parts);
  EXPECT_EQ(model.Path(), "/v2/models/m");
  const auto loaded = LoadModel("remote", model.ToArtefact());
  EXPECT_EQ(loaded->ToArtefact(), model.ToArtefact());
  Refusal(ErrorCode::kLakeDamaged, [] { LoadModel("remote", "{}"); });
  Refusal(ErrorCode::kExportUnsupported, [&] { loaded->ToOnnx(); });
}

TEST(RemoteModel, TakesNamesAndNoAddresses) {
  for (const char* name : {"http://other", "a/b", "..", "a b", ""})
    Refusal(ErrorCode::kInvalidOption,
            [&] { ReadRemoteOptions({{"endpoint", {std::string(name)}}}); });
  Refusal(ErrorCode::kInvalidOption, [] {
    ReadRemoteOptions({{"endpoint", {std::string("m")}}, {"max_batching_rows", {int64_t{4096}}}});
  });
}

}  // namespace
}  // namespace braid::ml
