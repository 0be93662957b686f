// SPDX-License-Identifier: Apache-2.0
// Against statsmodels (tests/data/inference) and R (tests/data/oracles).
#include "ml/glm/inference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ml/test_rows.h"

namespace braid::ml {
namespace {

void ExpectClose(double got, double right, double tolerance, const std::string& what) {
  EXPECT_LE(std::abs(got - right), tolerance * std::abs(right))
      << what << ": " << got << " for " << right;
}

nlohmann::json Right() {
  return nlohmann::json::parse(ReadFile(TestData() / "inference/inference.json"));
}

void AskForPValues(TestTraining& training) {
  training.request.options.calculate_p_values = true;
  training.request.options.category_encoding = CategoryEncoding::kDummy;
}

TestTraining Cars(const std::vector<std::string>& inputs) {
  TestTraining training =
      MakeTraining(GlmType::kLinearReg, ReadOracleTable("ols_mtcars"), "mpg", inputs, {"cyl"});
  AskForPValues(training);
  return training;
}

nlohmann::ordered_json Cell(const GlmModel& model, const std::string& column,
                            const std::string& input, const std::string& category = "",
                            const std::string& label = "", const std::vector<Option>& settings = {},
                            const std::string& function = "ADVANCED_WEIGHTS") {
  const Table table = model.TableOf(function, settings);
  size_t at = 0;
  while (table.columns.at(at).name != column) ++at;
  for (const auto& row : table.rows) {
    if (row[0] != input) continue;
    if (!category.empty() && row[1] != category) continue;
    if (!label.empty() && row.back() != label) continue;
    return row[at];
  }
  throw Error(ErrorCode::kInternal, "No such row: " + input);
}

double Number(const GlmModel& model, const std::string& column, const std::string& input,
              const std::string& category = "", const std::string& label = "") {
  return Cell(model, column, input, category, label).get<double>();
}

TEST(Inference, LinearStandardErrorsOfEveryTypeAreStatsmodels) {
  const std::vector<std::pair<StandardErrors, std::string>> types = {
      {StandardErrors::kClassical, "CLASSICAL"},
      {StandardErrors::kHc0, "HC0"},
      {StandardErrors::kHc1, "HC1"},
      {StandardErrors::kHc2, "HC2"},
      {StandardErrors::kHc3, "HC3"}};
  const nlohmann::json all = Right();
  for (const auto& [type, name] : types) {
    TestTraining training = Cars({"wt", "hp", "cyl"});
    training.request.options.standard_errors = type;
    const GlmModel model = Train(training).model;
    const nlohmann::json& right = all["mtcars"]["errors"][name];
    ExpectClose(Number(model, "standard_error", "wt"), right["wt"], 1e-10, name + " wt");
    ExpectClose(Number(model, "standard_error", "hp"), right["hp"], 1e-10, name + " hp");
    ExpectClose(Number(model, "standard_error", "cyl", "c4"), right["c4"], 1e-10, name + " c4");
    ExpectClose(Number(model, "standard_error", "cyl", "c6"), right["c6"], 1e-10, name + " c6");
    ExpectClose(Number(model, "standard_error", "__INTERCEPT__"), right["const"], 1e-10,
                name + " intercept");
  }
}

TEST(Inference, PValuesOfStudentsTAreStatsmodels) {
  TestTraining training = Cars({"wt", "hp", "cyl"});
  const GlmModel model = Train(training).model;
  const nlohmann::json right = Right()["mtcars"]["p_values_t"];
  const std::vector<Option> student = {
      {.name = "distribution", .value = {std::string("STUDENT_T")}}};
  ExpectClose(Cell(model, "p_value", "wt", "", "", student).get<double>(), right["wt"], 1e-9, "wt");
  ExpectClose(Cell(model, "p_value", "cyl", "c6", "", student).get<double>(), right["c6"], 1e-9,
              "c6");
}

TEST(Inference, VarianceInflationIsStatsmodelsAndFoxAndMonettes) {
  TestTraining training = Cars({"wt", "hp", "cyl"});
  const GlmModel model = Train(training).model;
  const nlohmann::json right = Right();
  ExpectClose(Cell(model, "vif", "wt", "", "", {}, "VIF").get<double>(),
              right["mtcars"]["gvif"]["wt"], 1e-10, "wt");
  ExpectClose(Cell(model, "vif", "cyl", "", "", {}, "VIF").get<double>(),
              right["mtcars"]["gvif"]["cyl"], 1e-10, "cyl");
  TestTraining numeric = Cars({"wt", "hp"});
  const GlmModel from_moments = Train(numeric).model;
  ExpectClose(Cell(from_moments, "vif", "wt", "", "", {}, "VIF").get<double>(),
              right["mtcars_numeric"]["vif"]["wt"], 1e-10, "wt");
}

TEST(Inference, MomentsSuffice) {
  TestTraining training = Cars({"wt", "hp"});
  EXPECT_TRUE(GramSuffices(training.request));
  const GlmModel model = Train(training).model;
  const nlohmann::json right = Right()["mtcars_numeric"]["errors"];
  ExpectClose(Number(model, "standard_error", "wt"), right["wt"], 1e-10, "wt");
  ExpectClose(Number(model, "standard_error", "hp"), right["hp"], 1e-10, "hp");
  ExpectClose(Number(model, "standard_error", "__INTERCEPT__"), right["const"], 1e-10, "intercept");
}

TEST(Inference, IntervalsAreStatsmodelsAndSurviveTheArtefact) {
  TestTraining training = Cars({"wt", "hp", "cyl"});
  const GlmModel model = GlmModel::FromArtefact(Train(training).model.ToArtefact());
  ASSERT_TRUE(model.has_intervals());
  std::vector<double> out(5 * kIntervalWidth);
  model.Intervals(training.rows.BatchOf(0, 5, 3), 0.9, out);
  const nlohmann::json right = Right()["mtcars"]["intervals_90_first5"];
  for (size_t row = 0; row < 5; ++row)
    for (size_t k = 0; k < kIntervalWidth; ++k)
      ExpectClose(out[row * kIntervalWidth + k], right[row][k], 1e-10, "interval");
}

TEST(Inference, UnseenCategoryHasNoInterval) {
  TestTraining training = Cars({"wt", "hp", "cyl"});
  const GlmModel model = Train(training).model;
  TestRows rows;
  rows.AddNumbers({3});
  rows.AddNumbers({100});
  rows.AddColumn(ColumnKind::kString, {"c12"});
  std::vector<double> out(kIntervalWidth);
  model.Intervals(rows.BatchOf(0, 1, 3), 0.9, out);
  EXPECT_TRUE(std::isfinite(out[0]));
  for (size_t k = 1; k < kIntervalWidth; ++k) EXPECT_TRUE(std::isnan(out[k]));
}

TEST(Inference, LogisticErrorsAndPValuesAreRs) {
  const nlohmann::json right = ReadOracle("logit_birthwt")["expected"]["coefficients"];
  TestTraining training =
      MakeTraining(GlmType::kLogisticReg, ReadOracleTable("logit_birthwt"), "low",
                   {"age", "lwt", "race", "smoke", "ptl", "ht", "ui", "ftv"}, {"race"});
  AskForPValues(training);
  const GlmModel model = GlmModel::FromArtefact(Train(training).model.ToArtefact());
  for (const char* input : {"age", "lwt", "smoke", "ptl", "ht", "ui", "ftv"}) {
    ExpectClose(Number(model, "standard_error", input), right[input]["std_error"], 1e-6, input);
    ExpectClose(Number(model, "p_value", input), right[input]["p_value"], 1e-5, input);
  }
  ExpectClose(Number(model, "standard_error", "race", "black"), right["raceblack"]["std_error"],
              1e-6, "black");
  ExpectClose(Number(model, "standard_error", "__INTERCEPT__"), right["(Intercept)"]["std_error"],
              1e-6, "intercept");
}

TEST(Inference, SeveralClassesAreStatsmodels) {
  const nlohmann::json right = Right()["multinomial"];
  const std::vector<std::string> inputs = right["inputs"];
  TestTraining training = MakeTraining(
      GlmType::kLogisticReg, ReadOracleTable("multinomial_penguins"), right["label"], inputs);
  AskForPValues(training);
  const GlmModel model = Train(training).model;
  for (size_t k = 0; k < 3; ++k)
    for (size_t j = 0; j < 3; ++j) {
      const std::string column = right["columns"][j];
      ExpectClose(Number(model, "weight", column, "", right["classes"][k]), right["weights"][k][j],
                  1e-6, column);
      ExpectClose(Number(model, "standard_error", column, "", right["classes"][k]),
                  right["errors"][k][j], 1e-6, column);
    }
}

TEST(Inference, AWeightCountsAsThatManyRows) {
  const auto errors = [](bool weighted) {
    TestTraining training;
    training.request.inputs = {{"x", InputKind::kNumeric}};
    training.request.label = "y";
    training.request.has_weight = weighted;
    AskForPValues(training);
    const std::vector<double> x = {1, 2, 3, 5}, y = {2, 3, 5, 6}, weight = {2, 1, 3, 1};
    std::vector<double> xs, ys;
    for (size_t i = 0; i < x.size(); ++i)
      for (int k = 0; k < (weighted ? 1 : weight[i]); ++k) {
        xs.push_back(x[i]);
        ys.push_back(y[i]);
      }
    training.rows.AddNumbers(xs);
    training.rows.AddNumbers(ys);
    if (weighted) training.rows.AddNumbers(weight);
    const GlmModel model = Train(training).model;
    return Number(model, "standard_error", "x");
  };
  ExpectClose(errors(true), errors(false), 1e-12, "x");
}

TEST(Inference, DependentInputsAreNamed) {
  TestTraining training;
  training.request.inputs = {
      {"a", InputKind::kNumeric}, {"b", InputKind::kNumeric}, {"twice_a", InputKind::kNumeric}};
  training.request.label = "y";
  AskForPValues(training);
  training.rows.AddNumbers({1, 2, 3, 4, 5, 7});
  training.rows.AddNumbers({1, 0, 1, 1, 0, 2});
  training.rows.AddNumbers({2, 4, 6, 8, 10, 14});
  training.rows.AddNumbers({1, 2, 2, 3, 3, 5});
  try {
    Train(training);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTrainingData);
    EXPECT_THAT(error.message(), testing::EndsWith("a, twice_a"));
  }
}

TEST(Inference, FewerRowsThanWeightsAreRefused) {
  TestTraining training;
  training.request.inputs = {{"x", InputKind::kNumeric}};
  training.request.label = "y";
  AskForPValues(training);
  training.rows.AddNumbers({1, 2});
  training.rows.AddNumbers({3, 5});
  EXPECT_THROW(Train(training), Error);
}

}  // namespace
}  // namespace braid::ml
