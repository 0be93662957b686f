// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ml/glm/glm_kind.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// y = 1 + 2·x + (a: 10, NULL: 30, dropped b: 0), x with mean 5.
GlmParts Parts() {
  return {.type = GlmType::kLinearReg,
          .label = "y",
          .inputs = {{.name = "x", .mean = 5, .standard_deviation = 4, .null_count = 1},
                     {.name = "c",
                      .kind = InputKind::kCategory,
                      .categories = {{.text = "a", .count = 2},
                                     {.text = "b", .count = 3, .dropped = true},
                                     {.text = {}, .count = 1}}}},
          .scores = {{.intercept = 1, .weights = {2, 10, 0, 30}}},
          .rows = 6,
          .skipped = 2,
          .training_info = {{.iteration = 0, .loss = 0.1, .learning_rate = 0.5, .duration_ms = 3}}};
}

GlmParts Classes(std::vector<std::string> classes) {
  GlmParts parts = Parts();
  parts.type = GlmType::kLogisticReg;
  parts.classes = std::move(classes);
  if (parts.classes.size() > 2)
    parts.scores = {{.intercept = 0, .weights = {0.1, 0, 0, 0}},
                    {.intercept = 1, .weights = {-0.1, 1, 0, 2}},
                    {.intercept = 2, .weights = {1e3, 0, 0, 0}}};
  return parts;
}

TestRows Rows() {
  TestRows rows;
  rows.AddColumn(ColumnKind::kDouble, {"1", {}, "nan", "-1", "0"});
  rows.AddColumn(ColumnKind::kString, {"a", "b", {}, "never seen", ""});
  return rows;
}

TEST(GlmModel, NullTakesTheMeanAndUnseenCategoriesWeighNothing) {
  TestRows rows = Rows();
  EXPECT_THAT(PredictAll(GlmModel(Parts()), rows),
              ElementsAre(DoubleEq(13), DoubleEq(11), DoubleEq(41), DoubleEq(-1), DoubleEq(1)));
  GlmParts without_null = Parts();
  without_null.inputs[1].categories.pop_back();
  without_null.scores[0].weights.pop_back();
  EXPECT_DOUBLE_EQ(PredictAll(GlmModel(without_null), rows)[2], 11);
}

TEST(GlmModel, ColumnsWithoutValidityTakeTheFastPath) {
  const std::vector<double> x = {1, std::numeric_limits<double>::quiet_NaN(), 3};
  const std::vector<std::string_view> c = {"a", "b", "a"};
  const Batch batch{.rows = 3,
                    .columns = {{ColumnKind::kDouble, x.data()}, {ColumnKind::kString, c.data()}}};
  std::vector<double> out(3);
  GlmModel(Parts()).Score(batch, out);
  EXPECT_THAT(out, ElementsAre(13, 11, 17));
}

TEST(GlmModel, ProbabilitiesAreOrderedByClassAndSumToOne) {
  TestRows rows = Rows();
  const std::vector<double> two = PredictAll(GlmModel(Classes({"no", "yes"})), rows);
  ASSERT_EQ(two.size(), 10U);
  EXPECT_DOUBLE_EQ(two[7], 1 / (1 + std::exp(1)));  // score -1
  EXPECT_DOUBLE_EQ(two[0], 1 / (1 + std::exp(13)));
  const std::vector<double> three = PredictAll(GlmModel(Classes({"a", "b", "c"})), rows);
  for (size_t row = 0; row < 5; ++row)
    EXPECT_DOUBLE_EQ(three[3 * row] + three[3 * row + 1] + three[3 * row + 2], 1);
  EXPECT_EQ(three[2], 1);  // a score of 1002
  EXPECT_DOUBLE_EQ(three[10] / three[9], std::exp(1.2));
}

TEST(GlmModel, RefusesOtherInputs) {
  TestRows rows = Rows();
  const GlmModel model(Parts());
  std::vector<double> out(5);
  EXPECT_THROW(model.Score(rows.BatchOf(0, 5, 1), out), Error);
  Batch swapped = rows.BatchOf(0, 5, 2);
  std::swap(swapped.columns[0], swapped.columns[1]);
  EXPECT_THROW(model.Score(swapped, out), Error);
}

TEST(GlmModel, NoRowsGiveNoAnswers) {
  TestRows rows = Rows();
  std::vector<double> out;
  GlmModel(Parts()).Score(rows.BatchOf(0, 0, 2), out);
  GlmModel(Classes({"a", "b", "c"})).Score(rows.BatchOf(0, 0, 2), out);
}

TEST(GlmModel, WeightsAreWhatMlWeightsShows) {
  std::vector<WeightRow> rows = GlmModel(Parts()).Weights(false);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].weight, 2);
  EXPECT_EQ(rows[1].weight, std::nullopt);
  ASSERT_EQ(rows[1].category_weights.size(), 2U);
  EXPECT_EQ(rows[1].category_weights[1], (std::pair<Text, double>(std::nullopt, 30)));
  EXPECT_EQ(rows[2].processed_input, "__INTERCEPT__");
  EXPECT_EQ(rows[2].weight, 1);
  rows = GlmModel(Parts()).Weights(true);
  EXPECT_EQ(rows[0].weight, 8);
  EXPECT_EQ(rows[2].weight, 11);
  rows = GlmModel(Classes({"a", "b", "c"})).Weights(false);
  ASSERT_EQ(rows.size(), 9U);
  EXPECT_EQ(rows[3].class_label, "b");
  GlmParts no_intercept = Parts();
  no_intercept.fit_intercept = false;
  EXPECT_EQ(GlmModel(no_intercept).Weights(false).size(), 2U);
}

TEST(Artefact, SurvivesARoundTripByteForByte) {
  for (const GlmParts& parts : {Parts(), Classes({"no", "ja \"q\" ü"}), Classes({"a", "b", "c"})}) {
    const GlmModel model(parts);
    const std::string text = model.ToArtefact();
    const GlmModel back = GlmModel::FromArtefact(text);
    EXPECT_EQ(back.ToArtefact(), text);
    EXPECT_EQ(LinearRegKind().load(text)->ToArtefact(), text);
    EXPECT_EQ(back.skipped(), 2);
    EXPECT_EQ(back.training_info()[0].learning_rate, 0.5);
    EXPECT_EQ(back.training_info()[0].duration_ms, std::nullopt);
    TestRows rows = Rows();
    EXPECT_EQ(PredictAll(back, rows), PredictAll(model, rows));
  }
}

TEST(Artefact, KeepsEveryBitOfANumber) {
  GlmParts parts = Parts();
  for (const double value :
       {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 123456789.123456789}) {
    parts.scores[0].intercept = value;
    const double back = GlmModel::FromArtefact(GlmModel(parts).ToArtefact()).scores()[0].intercept;
    EXPECT_EQ(std::bit_cast<uint64_t>(back), std::bit_cast<uint64_t>(value));
  }
}

ErrorCode LoadError(const std::string& text) {
  try {
    GlmModel::FromArtefact(text);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error: " << text;
  return ErrorCode::kInternal;
}

TEST(Artefact, MalformedTextIsAnError) {
  const std::string text = GlmModel(Classes({"no", "yes"})).ToArtefact();
  for (size_t length = 0; length < text.size(); length += 7)
    EXPECT_EQ(LoadError(text.substr(0, length)), ErrorCode::kLakeDamaged);
  const std::pair<std::string, std::string> edits[] = {{"\"braid.glm\"", "\"braid.tree\""},
                                                       {"\"weights\":[2.0,", "\"weights\":["},
                                                       {"\"intercept\":1.0", "\"intercept\":null"},
                                                       {"\"intercept\":1.0", "\"intercept\":1e999"},
                                                       {"\"logistic_reg\"", "\"linear_reg\""},
                                                       {"[\"no\",\"yes\"]", "[\"no\"]"},
                                                       {"\"numeric\"", "\"image\""},
                                                       {"\"text\":\"a\"", "\"text\":\"b\""},
                                                       {"\"rows\":6", "\"rows\":-6"},
                                                       {"\"inputs\":[", "\"inputs\":[7,"},
                                                       {"\"label\":\"y\"", "\"label\":1"},
                                                       {"\"scores\":", "\"other\":"}};
  for (const auto& [from, to] : edits) {
    std::string edited = text;
    ASSERT_THAT(edited, HasSubstr(from));
    edited.replace(edited.find(from), from.size(), to);
    EXPECT_EQ(LoadError(edited), ErrorCode::kLakeDamaged) << edited;
  }
  std::string newer = text;
  newer.replace(newer.find("\"version\":1"), 11, "\"version\":2");
  EXPECT_EQ(LoadError(newer), ErrorCode::kLakeFormat);
}

TEST(Artefact, RefusesTextThatIsNotUtf8) {
  GlmParts parts = Parts();
  parts.inputs[1].categories[0].text = "\xff\xfe";
  EXPECT_THROW(GlmModel(parts).ToArtefact(), Error);
}

TEST(Onnx, SignatureNamesInputsAndOutputs) {
  const auto signature = nlohmann::json::parse(GlmModel(Classes({"no", "yes"})).Signature());
  EXPECT_EQ(signature["inputs"][0]["type"], "double");
  EXPECT_EQ(signature["inputs"][1]["null"], "__NULL__");
  EXPECT_EQ(signature["outputs"][0]["name"], "predicted_y");
  EXPECT_EQ(signature["outputs"][1]["classes"], (std::vector<std::string>{"no", "yes"}));
}

TEST(Onnx, NamesOfInputsAndCategoriesDoNotClash) {
  GlmParts parts = Classes({"no", "yes"});
  parts.inputs[0].name = "predicted_y";
  parts.inputs[1].name = "braid.score";
  parts.inputs[1].categories[0].text = "__NULL__";
  const GlmModel model(parts);
  const auto signature = nlohmann::json::parse(model.Signature());
  EXPECT_EQ(signature["outputs"][0]["name"], "predicted_y_");
  EXPECT_EQ(signature["inputs"][1]["null"], "__NULL___");
  EXPECT_THAT(model.ToOnnx(), HasSubstr("braid..score"));
}

TEST(Onnx, FileBeginsWithVersionAndProducer) {
  const std::string onnx = GlmModel(Parts()).ToOnnx();
  EXPECT_EQ(onnx.substr(0, 9), std::string("\x08\x08\x12\x05"
                                           "braid",
                                           9));
  EXPECT_THAT(onnx, HasSubstr("LabelEncoder"));
  EXPECT_EQ(onnx, GlmModel(Parts()).ToOnnx());
}

}  // namespace
}  // namespace braid::ml
