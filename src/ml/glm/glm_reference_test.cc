// SPDX-License-Identifier: Apache-2.0
// Penalised models against scikit-learn's (tests/data/glm_reference.py).
#include <gtest/gtest.h>

#include <cmath>

#include "ml/test_rows.h"

namespace braid::ml {
namespace {

nlohmann::json Reference(const std::string& name) {
  return nlohmann::json::parse(ReadFile(TestData() / "glm_reference.json"))[name];
}

// Weights of standardised inputs against the reference's, which names an indicator "input=level".
void ExpectWeights(const GlmModel& model, const nlohmann::json& scores, double tolerance) {
  size_t compared = 0;
  for (const WeightRow& row : model.Weights(true)) {
    size_t score = 0;
    for (size_t k = 0; k < model.classes().size(); ++k)
      if (model.classes()[k] == row.class_label) score = k;
    const nlohmann::json& right = scores[score];
    if (row.processed_input == "__INTERCEPT__") {
      EXPECT_NEAR(*row.weight, right["intercept"], tolerance);
      continue;
    }
    if (row.weight) {
      EXPECT_NEAR(*row.weight, right[row.processed_input], tolerance) << row.processed_input;
      ++compared;
    }
    for (const auto& [level, weight] : row.category_weights) {
      EXPECT_NEAR(weight, right[row.processed_input + "=" + *level], tolerance) << *level;
      ++compared;
    }
  }
  EXPECT_EQ(compared, scores.size() * (scores[0].size() - 1));
}

TEST(Reference, Ridge) {
  const nlohmann::json right = Reference("ridge_mtcars");
  TestTraining training = MakeTraining(GlmType::kLinearReg, ReadOracleTable("ols_mtcars"), "mpg",
                                       {"wt", "hp", "cyl"}, {"cyl"});
  training.request.options.l2_reg = right["l2"];
  ExpectWeights(Train(training).model, right["scores"], 1e-9);
}

TestTraining BirthWeights() {
  return MakeTraining(GlmType::kLogisticReg, ReadOracleTable("logit_birthwt"), "low",
                      {"age", "lwt", "race", "smoke", "ptl", "ht", "ui", "ftv"}, {"race"});
}

TEST(Reference, LogisticWithL2) {
  const nlohmann::json right = Reference("l2_birthwt");
  TestTraining training = BirthWeights();
  training.request.options.l2_reg = right["l2"];
  const GlmModel model = Train(training).model;
  ExpectWeights(model, right["scores"], 1e-8);
  const std::vector<double> probabilities = PredictAll(model, training.rows);
  for (size_t row = 0; row < 5; ++row)
    for (size_t k = 0; k < 2; ++k)
      EXPECT_NEAR(probabilities[2 * row + k], right["probabilities_first5"][row][k], 1e-9);
}

TEST(Reference, LogisticWithBalancedClasses) {
  const nlohmann::json right = Reference("balanced_birthwt");
  TestTraining training = BirthWeights();
  training.request.options.l2_reg = right["l2"];
  training.request.options.auto_class_weights = true;
  ExpectWeights(Train(training).model, right["scores"], 1e-8);
}

TEST(Reference, LogisticWithL1) {
  const nlohmann::json right = Reference("l1_birthwt");
  TestTraining training = BirthWeights();
  training.request.options.l1_reg = right["l1"];
  ExpectWeights(Train(training).model, right["scores"], 1e-6);
}

TEST(Reference, SoftmaxWithL2) {
  const nlohmann::json right = Reference("l2_islands");
  TestTraining training =
      MakeTraining(GlmType::kLogisticReg, ReadOracleTable("multinomial_penguins"), "island",
                   {"bill_depth_mm", "mass_kg"});
  training.request.options.l2_reg = right["l2"];
  ExpectWeights(Train(training).model, right["scores"], 1e-8);
}

}  // namespace
}  // namespace braid::ml
