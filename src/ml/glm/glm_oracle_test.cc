// SPDX-License-Identifier: Apache-2.0
// Against numbers that others made: the published penguins tutorial, R, NIST (tests/data).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "ml/metrics.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

std::string Printed(double value, int digits) { return fmt::format("{:.{}f}", value, digits); }

void ExpectClose(double got, double right, double tolerance, const std::string& what) {
  EXPECT_LE(std::abs(got - right), tolerance * std::abs(right))
      << what << ": " << got << " for " << right;
}

std::vector<double> Numbers(const std::vector<Text>& texts) {
  std::vector<double> numbers;
  for (const Text& text : texts) numbers.push_back(std::stod(*text));
  return numbers;
}

class Penguins : public ::testing::Test {
 protected:
  Penguins() : table_(ReadTable(TestData() / "penguins/penguins_tutorial.csv")) {
    TestTable with_mass{.names = table_.names, .columns = {}};
    const std::vector<Text>& mass = table_.Column("body_mass_g");
    for (const std::vector<Text>& column : table_.columns) {
      with_mass.columns.emplace_back();
      for (size_t row = 0; row < column.size(); ++row)
        if (mass[row]) with_mass.columns.back().push_back(column[row]);
    }
    table_ = with_mass;
  }

  TestTraining Training() const {
    return MakeTraining(GlmType::kLinearReg, table_, "body_mass_g", kInputs,
                        {"species", "island", "sex"});
  }

  static double PredictOne(const GlmModel& model, const std::vector<Text>& values) {
    TestRows rows;
    for (size_t c = 0; c < values.size(); ++c)
      rows.AddColumn(
          model.inputs()[c].kind == InputKind::kNumeric ? ColumnKind::kDouble : ColumnKind::kString,
          {values[c]});
    return PredictAll(model, rows)[0];
  }

  const std::vector<std::string> kInputs = {
      "species", "island", "culmen_length_mm", "culmen_depth_mm", "flipper_length_mm", "sex"};
  TestTable table_;
};

TEST_F(Penguins, MetricsAreThePublishedOnesToEveryDigit) {
  TestTraining training = Training();
  const TrainedGlm trained = Train(training);
  EXPECT_EQ(trained.model.rows(), 342);
  const RegressionMetrics metrics = EvaluateRegression(Numbers(table_.Column("body_mass_g")),
                                                       PredictAll(trained.model, training.rows));
  EXPECT_EQ(Printed(metrics.mean_absolute_error, 6), "227.012237");
  EXPECT_EQ(Printed(metrics.mean_squared_error, 6), "81838.159892");
  EXPECT_EQ(Printed(metrics.mean_squared_log_error, 5), "0.00507");
  EXPECT_EQ(Printed(metrics.median_absolute_error, 4), "174.9986");
  EXPECT_EQ(Printed(metrics.r2_score, 6), "0.872377");
  EXPECT_NEAR(trained.model.training_info().at(0).loss, metrics.mean_squared_error, 1e-6);
}

TEST_F(Penguins, PointPredictionsAreThePublishedOnes) {
  TestTraining training = Training();
  const GlmModel model = Train(training).model;
  const Text gentoo = "Gentoo penguin (Pygoscelis papua)";
  const Text adelie = "Adelie Penguin (Pygoscelis adeliae)";
  EXPECT_EQ(Printed(PredictOne(model, {gentoo, "Biscoe", "45.2", "16.4", "223", "MALE"}), 6),
            "5413.510134");
  EXPECT_EQ(Printed(PredictOne(model, {gentoo, "Biscoe", "46.5", "14.5", "213", "FEMALE"}), 6),
            "4768.351092");
  EXPECT_EQ(Printed(PredictOne(model, {adelie, "Biscoe", "37.7", "16.0", "183", "FEMALE"}), 6),
            "3235.896372");
  EXPECT_EQ(Printed(PredictOne(model, {gentoo, "Biscoe", {}, {}, {}, {}}), 6), "4681.782896");
}

TEST(Oracle, MtcarsLeastSquares) {
  const TestTable table = ReadOracleTable("ols_mtcars");
  const nlohmann::json right = ReadOracle("ols_mtcars")["expected"];
  TestTraining training =
      MakeTraining(GlmType::kLinearReg, table, "mpg", {"wt", "hp", "cyl"}, {"cyl"});
  const GlmModel model = Train(training).model;
  const auto estimate = [&](const std::string& name) {
    return right["coefficients"][name]["estimate"].get<double>();
  };
  const double base = WeightOf(model, "cyl", "c4");
  ExpectClose(WeightOf(model, "wt"), estimate("wt"), 1e-11, "wt");
  ExpectClose(WeightOf(model, "hp"), estimate("hp"), 1e-11, "hp");
  ExpectClose(WeightOf(model, "cyl", "c6") - base, estimate("cylc6"), 1e-11, "c6");
  ExpectClose(WeightOf(model, "cyl", "c8") - base, estimate("cylc8"), 1e-11, "c8");
  ExpectClose(WeightOf(model, "__INTERCEPT__") + base, estimate("(Intercept)"), 1e-11, "intercept");
  // Of the equally good weights, those of least norm.
  EXPECT_NEAR(base + WeightOf(model, "cyl", "c6") + WeightOf(model, "cyl", "c8"), 0, 1e-10);
  const std::vector<double> fitted = PredictAll(model, training.rows);
  for (size_t row = 0; row < 5; ++row)
    ExpectClose(fitted[row], right["fitted_first5"][row], 1e-12, "fitted");
}

TEST(Oracle, MtcarsLasso) {
  const TestTable table = ReadOracleTable("lasso_mtcars");
  const nlohmann::json right = ReadOracle("lasso_mtcars")["expected"];
  const std::vector<std::string> inputs(table.names.begin() + 1, table.names.end());
  TestTraining training = MakeTraining(GlmType::kLinearReg, table, "mpg", inputs);
  training.request.options.l1_reg = 0.8 * static_cast<double>(table.rows());
  const GlmModel model = Train(training).model;
  for (const WeightRow& row : model.Weights(true)) {
    const double expected =
        row.processed_input == "__INTERCEPT__"
            ? right["intercept"].get<double>()
            : right["coefficients_on_standardised_inputs"][row.processed_input].get<double>();
    EXPECT_NEAR(*row.weight, expected, 1e-6) << row.processed_input;
  }
}

void ExpectBinary(const std::string& name, const std::string& label,
                  const std::vector<std::string>& inputs, const std::string& category,
                  const std::string& reference) {
  const TestTable table = ReadOracleTable(name);
  const nlohmann::json right = ReadOracle(name)["expected"];
  TestTraining training = MakeTraining(GlmType::kLogisticReg, table, label, inputs, {category});
  const TrainedGlm trained = Train(training);
  EXPECT_THAT(trained.notices, ::testing::IsEmpty());
  const double base = WeightOf(trained.model, category, reference);
  for (const auto& [key, value] : right["coefficients"].items()) {
    double got = 0;
    if (key == "(Intercept)")
      got = WeightOf(trained.model, "__INTERCEPT__") + base;
    else if (key.starts_with(category))
      got = WeightOf(trained.model, category, key.substr(category.size())) - base;
    else
      got = WeightOf(trained.model, key);
    ExpectClose(got, value["estimate"], 1e-8, key);
  }
  const double rows = static_cast<double>(table.rows());
  ExpectClose(2 * rows * trained.model.training_info().back().loss, right["deviance"], 1e-12,
              "deviance");
  if (!right.contains("probability_first5")) return;
  const std::vector<double> probabilities = PredictAll(trained.model, training.rows);
  for (size_t row = 0; row < 5; ++row)
    ExpectClose(probabilities[2 * row + 1], right["probability_first5"][row], 1e-8, "probability");
}

TEST(Oracle, PenguinsLogistic) {
  ExpectBinary("logit_penguins", "male", {"species", "mass_kg", "bill_depth_mm"}, "species",
               "Adelie");
}

TEST(Oracle, BirthWeightLogistic) {
  ExpectBinary("logit_birthwt", "low", {"age", "lwt", "race", "smoke", "ptl", "ht", "ui", "ftv"},
               "race", "white");
}

TEST(Oracle, PenguinsMultinomial) {
  const TestTable table = ReadOracleTable("multinomial_penguins");
  const nlohmann::json right = ReadOracle("multinomial_penguins")["expected"];
  TestTraining training =
      MakeTraining(GlmType::kLogisticReg, table, "island", {"bill_depth_mm", "mass_kg"});
  const TrainedGlm trained = Train(training);
  EXPECT_THAT(trained.model.classes(), ::testing::ElementsAre("Biscoe", "Dream", "Torgersen"));
  for (const std::string label : {"Dream", "Torgersen"})
    for (const auto& [key, value] : right["coefficients"][label].items()) {
      const std::string input = key == "(Intercept)" ? "__INTERCEPT__" : key;
      const double got =
          WeightOf(trained.model, input, {}, label) - WeightOf(trained.model, input, {}, "Biscoe");
      ExpectClose(got, value, 2e-5, fmt::format("{} {}", label, key));
    }
  const std::vector<double> probabilities = PredictAll(trained.model, training.rows);
  std::vector<int32_t> actual;
  for (const Text& label : table.Column("island"))
    actual.push_back(*label == "Biscoe" ? 0 : *label == "Dream" ? 1 : 2);
  const ClassificationMetrics metrics = EvaluateClassification(actual, probabilities, 3);
  ExpectClose(2 * static_cast<double>(table.rows()) * metrics.log_loss, right["deviance"], 1e-8,
              "");
  ExpectClose(metrics.accuracy, right["accuracy"], 1e-12, "accuracy");
}

// Decimal digits in which the worst coefficient agrees with the certified one.
double Digits(const nlohmann::json& set) {
  const bool polynomial = set["model"].get<std::string>().starts_with("polynomial");
  TestTable table;
  std::vector<std::string> inputs;
  const size_t terms = set["estimates"].size() - (set["intercept"].get<bool>() ? 1 : 0);
  GlmRequest request;
  request.label = "y";
  request.options.fit_intercept = set["intercept"].get<bool>();
  TestRows rows;
  for (size_t t = 1; t <= terms; ++t) {
    request.inputs.push_back({fmt::format("x{}", t), InputKind::kNumeric});
    std::vector<double> values;
    for (const auto& row : set["data"]) {
      double value = row[polynomial ? 1 : t].get<double>();
      if (polynomial) value = std::pow(value, static_cast<double>(t));
      values.push_back(value);
    }
    rows.AddNumbers(values);
  }
  std::vector<double> labels;
  for (const auto& row : set["data"]) labels.push_back(row[0].get<double>());
  rows.AddNumbers(labels);
  const GlmModel model = TrainGlm(request, rows).model;
  double worst = 0;
  for (size_t t = 0; t < set["estimates"].size(); ++t) {
    const size_t term = t + (request.options.fit_intercept ? 0 : 1);
    const double got = WeightOf(model, term == 0 ? "__INTERCEPT__" : fmt::format("x{}", term));
    const double right = set["estimates"][t];
    worst = std::max(worst, std::abs(got - right) / std::abs(right));
  }
  return std::min(15.0, -std::log10(worst));
}

TEST(Oracle, NistLinearRegression) {
  const nlohmann::json sets = nlohmann::json::parse(ReadFile(TestData() / "oracles/nist.json"));
  const std::map<std::string, double> least = {{"Norris", 12},  {"Longley", 10}, {"NoInt1", 14},
                                               {"Wampler1", 9}, {"Wampler2", 9}, {"Wampler4", 8}};
  size_t found = 0;
  for (const auto& set : sets) {
    if (set["kind"] != "linear regression") continue;
    const std::string name = set["name"];
    const double digits = Digits(set);
    EXPECT_GE(digits, least.at(name)) << name;
    ++found;
  }
  EXPECT_EQ(found, least.size());
}

}  // namespace
}  // namespace braid::ml
