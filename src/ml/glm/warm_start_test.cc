// SPDX-License-Identifier: Apache-2.0
// Training in two runs, the second from where the first stopped, against one run.
#include "ml/glm/warm_start.h"

#include <gtest/gtest.h>

#include "ml/test_rows.h"

namespace braid::ml {
namespace {

TestTraining BirthWeights() {
  return MakeTraining(GlmType::kLogisticReg, ReadOracleTable("logit_birthwt"), "low",
                      {"age", "lwt", "race", "smoke"}, {"race"});
}

TestTraining Penguins() {
  return MakeTraining(GlmType::kLogisticReg, ReadOracleTable("multinomial_penguins"), "island",
                      {"bill_depth_mm", "mass_kg"});
}

TestTraining Cars() {
  return MakeTraining(GlmType::kLinearReg, ReadOracleTable("ols_mtcars"), "mpg", {"wt", "hp"});
}

void StopAfter(TestTraining& training, int64_t iterations) {
  training.request.options.bounded = true;
  training.request.options.early_stop = false;
  training.request.options.warm_start = true;
  training.request.options.learn_rate_strategy = LearnRateStrategy::kConstant;
  training.request.options.max_iterations = iterations;
}

void ExpectSameAnswers(const GlmModel& one, const GlmModel& two, TestRows& rows, double tolerance) {
  const std::vector<double> expected = PredictAll(one, rows);
  const std::vector<double> got = PredictAll(two, rows);
  ASSERT_EQ(expected.size(), got.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << i;
}

void ExpectGoesOn(TestTraining training) {
  StopAfter(training, 12);
  const TrainedGlm whole = Train(training);
  StopAfter(training, 5);
  const TrainedGlm begun = Train(training);
  StopAfter(training, 7);
  training.request.warm_start = &begun.model;
  const TrainedGlm rest = Train(training);
  ExpectSameAnswers(whole.model, rest.model, training.rows, 1e-11);
  EXPECT_NEAR(whole.model.training_info().back().loss, rest.model.training_info().back().loss,
              1e-12);
}

TEST(WarmStart, GradientDescentGoesOnWhereItStopped) {
  ExpectGoesOn(BirthWeights());
  ExpectGoesOn(Penguins());
  ExpectGoesOn(Cars());
}

TEST(WarmStart, WithoutAnInterceptToo) {
  TestTraining training = BirthWeights();
  training.request.options.fit_intercept = false;
  ExpectGoesOn(std::move(training));
}

// From the optimum nothing is left to do; from elsewhere the optimum is the same.
TEST(WarmStart, NewtonEndsInTheSamePlaceWithLessWork) {
  for (TestTraining (*make)() : {BirthWeights, Penguins}) {
    TestTraining training = make();
    training.request.options.l2_reg = 0.5;
    const TrainedGlm cold = Train(training);
    training.request.warm_start = &cold.model;
    const TrainedGlm again = Train(training);
    ExpectSameAnswers(cold.model, again.model, training.rows, 1e-9);
    EXPECT_LT(again.model.training_info().size(), cold.model.training_info().size());
    training.request.options.l2_reg = 50;
    const TrainedGlm far = Train(training);
    training.request.options.l2_reg = 0.5;
    training.request.warm_start = &far.model;
    ExpectSameAnswers(cold.model, Train(training).model, training.rows, 1e-9);
  }
}

// One-hot indicators leave a direction in which nothing changes; its part of the start is dropped.
TEST(WarmStart, KeepsTheLeastNorm) {
  TestTraining training = BirthWeights();
  const TrainedGlm cold = Train(training);
  GlmParts moved{.type = GlmType::kLogisticReg,
                 .label = "low",
                 .inputs = cold.model.inputs(),
                 .classes = cold.model.classes(),
                 .scores = cold.model.scores(),
                 .rows = cold.model.rows()};
  moved.scores[0].intercept -= 3;
  for (size_t level = 0; level < 3; ++level) moved.scores[0].weights[2 + level] += 3;
  const GlmModel start(std::move(moved));
  training.request.warm_start = &start;
  const TrainedGlm warm = Train(training);
  for (size_t j = 0; j < cold.model.scores()[0].weights.size(); ++j)
    EXPECT_NEAR(warm.model.scores()[0].weights[j], cold.model.scores()[0].weights[j], 1e-9);
}

TEST(WarmStart, GoesByNames) {
  TestTable table = ReadOracleTable("logit_birthwt");
  TestTraining both = MakeTraining(GlmType::kLogisticReg, table, "low", {"age", "race"}, {"race"});
  const TrainedGlm first = Train(both);
  // Another order, an input more, categories that are fewer.
  TestTable fewer = table;
  for (size_t row = 0; row < fewer.rows(); ++row)
    for (size_t c = 0; c < fewer.names.size(); ++c)
      if (fewer.names[c] == "race" && fewer.columns[c][row] == "other")
        fewer.columns[c][row] = "black";
  TestTraining next =
      MakeTraining(GlmType::kLogisticReg, fewer, "low", {"lwt", "race", "age"}, {"race"});
  const Design design = LoadDesign(next.request, next.rows, {});
  const auto start = WarmCoefficients(design, first.model);
  ASSERT_EQ(start.size(), 2);
  ASSERT_EQ(design.features, 4);  // lwt, two races, age
  const double scale = design.columns[2].scale;
  EXPECT_EQ(start[1][0], 0);
  EXPECT_DOUBLE_EQ(start[1][1], WeightOf(first.model, "race", "black"));
  EXPECT_DOUBLE_EQ(start[1][2], WeightOf(first.model, "race", "white"));
  EXPECT_DOUBLE_EQ(start[1][3], WeightOf(first.model, "age") * scale);
}

// A model of two labels that meets a third, and one of three that meets two.
TEST(WarmStart, LabelsComeAndGo) {
  const TestTable table = ReadOracleTable("multinomial_penguins");
  TestTable two = table;
  for (size_t c = 0; c < two.names.size(); ++c)
    if (two.names[c] == "island")
      for (Text& label : two.columns[c])
        if (label == "Torgersen") label = std::nullopt;
  const std::vector<std::string> inputs = {"bill_depth_mm", "mass_kg"};
  const auto trained = [&](const TestTable& rows, const Model* from) {
    TestTraining training = MakeTraining(GlmType::kLogisticReg, rows, "island", inputs);
    training.request.options.l2_reg = 1;
    training.request.warm_start = from;
    return Train(training);
  };
  const TrainedGlm of_three = trained(table, nullptr);
  const TrainedGlm of_two = trained(two, nullptr);
  TestTraining rows = MakeTraining(GlmType::kLogisticReg, table, "island", inputs);
  ExpectSameAnswers(of_three.model, trained(table, &of_two.model).model, rows.rows, 1e-9);
  ExpectSameAnswers(of_two.model, trained(two, &of_three.model).model, rows.rows, 1e-9);
}

}  // namespace
}  // namespace braid::ml
