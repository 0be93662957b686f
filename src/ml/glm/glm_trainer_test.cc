// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "ml/test_rows.h"

namespace braid::ml {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

ErrorCode CodeOf(TestTraining& training) {
  try {
    Train(training);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
}

TestTable Table(std::vector<std::string> names, const std::vector<std::vector<Text>>& rows) {
  TestTable table{.names = std::move(names), .columns = {}};
  table.columns.resize(table.names.size());
  for (const std::vector<Text>& row : rows)
    for (size_t c = 0; c < row.size(); ++c) table.columns[c].push_back(row[c]);
  return table;
}

TestTable Shuffled(TestTable table, unsigned seed) {
  std::vector<size_t> order(table.rows());
  std::iota(order.begin(), order.end(), size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  for (std::vector<Text>& column : table.columns) {
    std::vector<Text> moved;
    for (const size_t row : order) moved.push_back(column[row]);
    column = moved;
  }
  return table;
}

void ExpectSameWeights(const GlmModel& a, const GlmModel& b, double tolerance) {
  ASSERT_EQ(a.scores().size(), b.scores().size());
  for (size_t s = 0; s < a.scores().size(); ++s) {
    EXPECT_NEAR(a.scores()[s].intercept, b.scores()[s].intercept,
                tolerance * (1 + std::abs(a.scores()[s].intercept)));
    ASSERT_EQ(a.scores()[s].weights.size(), b.scores()[s].weights.size());
    for (size_t j = 0; j < a.scores()[s].weights.size(); ++j)
      EXPECT_NEAR(a.scores()[s].weights[j], b.scores()[s].weights[j],
                  tolerance * (1 + std::abs(a.scores()[s].weights[j])));
  }
}

TestTraining BirthWeights(const TestTable& table) {
  return MakeTraining(GlmType::kLogisticReg, table, "low", {"age", "lwt", "race", "smoke"},
                      {"race"});
}

TEST(TrainGlm, RefusesRowsThatTeachNothing) {
  const TestTable none = Table({"x", "y"}, {});
  for (const GlmType type : {GlmType::kLinearReg, GlmType::kLogisticReg}) {
    TestTraining empty = MakeTraining(type, none, "y", {"x"});
    EXPECT_EQ(CodeOf(empty), ErrorCode::kTrainingData);
    TestTraining unlabelled = MakeTraining(type, Table({"x", "y"}, {{"1", {}}}), "y", {"x"});
    EXPECT_EQ(CodeOf(unlabelled), ErrorCode::kTrainingData);
    TestTraining no_inputs = MakeTraining(type, Table({"y"}, {{"1"}, {"2"}}), "y", {});
    EXPECT_EQ(CodeOf(no_inputs), ErrorCode::kTrainingData);
  }
  const TestTable one_class = Table({"x", "y"}, {{"1", "a"}, {"2", "a"}});
  TestTraining one = MakeTraining(GlmType::kLogisticReg, one_class, "y", {"x"});
  EXPECT_EQ(CodeOf(one), ErrorCode::kTrainingData);
}

TEST(TrainGlm, RefusesInfinitiesAndWildScales) {
  const std::vector<TestTable> tables = {Table({"x", "y"}, {{"inf", "1"}, {"2", "2"}}),
                                         Table({"x", "y"}, {{"1", "inf"}, {"2", "2"}}),
                                         Table({"x", "y"}, {{"1e200", "1"}, {"-1e200", "2"}})};
  for (const TestTable& table : tables) {
    TestTraining training = MakeTraining(GlmType::kLinearReg, table, "y", {"x"});
    EXPECT_EQ(CodeOf(training), ErrorCode::kTrainingData);
  }
  TestTraining logistic = MakeTraining(GlmType::kLogisticReg, tables[0], "y", {"x"});
  EXPECT_EQ(CodeOf(logistic), ErrorCode::kTrainingData);
}

TEST(TrainGlm, OneRowIsItsOwnMean) {
  TestTraining training =
      MakeTraining(GlmType::kLinearReg, Table({"x", "y"}, {{"3", "7"}}), "y", {"x"});
  const TrainedGlm trained = Train(training);
  EXPECT_DOUBLE_EQ(PredictAll(trained.model, training.rows)[0], 7);
  EXPECT_EQ(WeightOf(trained.model, "x"), 0);
  EXPECT_THAT(trained.notices, ::testing::ElementsAre(HasSubstr("only one value")));
}

TEST(TrainGlm, RowsWithoutLabelAreSkippedAndCounted) {
  TestTraining training = MakeTraining(
      GlmType::kLinearReg,
      Table({"x", "y"}, {{"1", "3"}, {"2", {}}, {"3", "7"}, {"4", "nan"}, {"5", "11"}}), "y",
      {"x"});
  const GlmModel model = Train(training).model;
  EXPECT_EQ(model.rows(), 3);
  EXPECT_EQ(model.skipped(), 2);
  EXPECT_NEAR(WeightOf(model, "x"), 2, 1e-14);
  EXPECT_NEAR(WeightOf(model, "__INTERCEPT__"), 1, 1e-13);
}

TEST(TrainGlm, CollinearInputsShareTheWeight) {
  TestTable table{.names = {"a", "b", "c", "y"}, .columns = {}};
  table.columns.resize(4);
  for (int row = 0; row < 50; ++row) {
    const double a = row * 0.37;
    table.columns[0].push_back(fmt::format("{}", a));
    table.columns[1].push_back(fmt::format("{}", 2 * a));
    table.columns[2].push_back("5");
    table.columns[3].push_back(fmt::format("{}", 4 * a + (row % 3)));
  }
  TestTraining training = MakeTraining(GlmType::kLinearReg, table, "y", {"a", "b", "c"});
  const TrainedGlm trained = Train(training);
  // Standardised, both inputs are one, so the least norm gives them equal shares.
  const std::vector<WeightRow> rows = trained.model.Weights(true);
  EXPECT_NEAR(*rows[0].weight, *rows[1].weight, 1e-10);
  EXPECT_EQ(*rows[2].weight, 0);
  EXPECT_THAT(trained.notices, ::testing::Contains(HasSubstr("least norm")));
  TestTraining alone = MakeTraining(GlmType::kLinearReg, table, "y", {"a"});
  EXPECT_NEAR(WeightOf(Train(alone).model, "a"),
              WeightOf(trained.model, "a") + 2 * WeightOf(trained.model, "b"), 1e-10);
}

TEST(TrainGlm, LogisticLeastNormForCollinearInputs) {
  TestTable table = ReadOracleTable("logit_birthwt");
  table.names.push_back("kilograms");
  table.columns.emplace_back();
  for (const Text& pounds : table.Column("lwt"))
    table.columns.back().push_back(fmt::format("{}", std::stod(*pounds) * 0.5));
  TestTraining doubled =
      MakeTraining(GlmType::kLogisticReg, table, "low", {"age", "lwt", "kilograms"});
  const GlmModel model = Train(doubled).model;
  TestTraining single = MakeTraining(GlmType::kLogisticReg, table, "low", {"age", "lwt"});
  EXPECT_NEAR(2 * WeightOf(model, "lwt"), WeightOf(Train(single).model, "lwt"), 1e-9);
  EXPECT_NEAR(2 * WeightOf(model, "lwt"), WeightOf(model, "kilograms"), 1e-9);
}

TEST(TrainGlm, RareCategoriesAreNotIllConditioned) {
  TestTable table{.names = {"x", "k", "y"}, .columns = {}};
  table.columns.resize(3);
  for (int row = 0; row < 200'000; ++row) {
    table.columns[0].push_back(fmt::format("{}", row % 11));
    table.columns[1].push_back(row == 77 ? "rare" : "common");
    table.columns[2].push_back(row == 77 ? "1000" : fmt::format("{}", 3 * (row % 11) + row % 2));
  }
  TestTraining training = MakeTraining(GlmType::kLinearReg, table, "y", {"x", "k"}, {"k"});
  const GlmModel model = Train(training).model;
  EXPECT_NEAR(PredictAll(model, training.rows)[77], 1000, 1e-8);
  EXPECT_NEAR(WeightOf(model, "k", "rare") + WeightOf(model, "k", "common"), 0, 1e-8);
}

TEST(TrainGlm, ScalesOfInputsDoNotMatter) {
  TestTable table = ReadOracleTable("ols_mtcars");
  TestTraining plain = MakeTraining(GlmType::kLinearReg, table, "mpg", {"wt", "hp"});
  for (size_t row = 0; row < table.rows(); ++row) {
    table.columns[1][row] = fmt::format("{}", std::stod(*table.columns[1][row]) * 1e120);
    table.columns[2][row] = fmt::format("{}", std::stod(*table.columns[2][row]) * 1e-120);
  }
  TestTraining scaled = MakeTraining(GlmType::kLinearReg, table, "mpg", {"wt", "hp"});
  const GlmModel a = Train(plain).model;
  const GlmModel b = Train(scaled).model;
  EXPECT_NEAR(WeightOf(b, "wt") * 1e120 / WeightOf(a, "wt"), 1, 1e-12);
  EXPECT_NEAR(WeightOf(b, "hp") * 1e-120 / WeightOf(a, "hp"), 1, 1e-12);
}

TEST(TrainGlm, SeparableClassesStopWithANotice) {
  const TestTable table =
      Table({"x", "y"}, {{"1", "a"}, {"2", "a"}, {"3", "a"}, {"4", "b"}, {"5", "b"}});
  TestTraining training = MakeTraining(GlmType::kLogisticReg, table, "y", {"x"});
  const TrainedGlm trained = Train(training);
  EXPECT_THAT(trained.notices, ::testing::Contains(HasSubstr("L2_REG")));
  const std::vector<double> p = PredictAll(trained.model, training.rows);
  EXPECT_LT(p[2 * 2 + 1], 0.01);
  EXPECT_GT(p[2 * 3 + 1], 0.99);
  training.request.options.l2_reg = 0.1;
  EXPECT_THAT(Train(training).notices, IsEmpty());
}

TEST(TrainGlm, EqualTrainingsGiveEqualBytes) {
  const TestTable table = ReadOracleTable("logit_birthwt");
  TestTraining first = BirthWeights(table);
  TestTraining second = BirthWeights(table);
  EXPECT_EQ(Train(first).model.ToArtefact(), Train(second).model.ToArtefact());
}

TEST(TrainGlm, OrderOfRowsAndSizeOfBatchesDoNotMatter) {
  const TestTable table = ReadOracleTable("logit_birthwt");
  TestTraining plain = BirthWeights(table);
  TestTraining mixed = BirthWeights(Shuffled(table, 4));
  ExpectSameWeights(Train(plain).model, Train(mixed).model, 1e-10);
  const TestTable cars = ReadOracleTable("lasso_mtcars");
  TestTraining linear = MakeTraining(GlmType::kLinearReg, cars, "mpg", {"hp", "wt", "qsec"});
  TestTraining moved =
      MakeTraining(GlmType::kLinearReg, Shuffled(cars, 9), "mpg", {"hp", "wt", "qsec"});
  ExpectSameWeights(Train(linear).model, Train(moved).model, 1e-12);
}

// Trains with weights 1, 2, 3, … and with that many copies of each row.
void ExpectWeightsAreCopies(GlmType type, const TestTable& table, const std::string& label,
                            const std::vector<std::string>& inputs, const std::string& category) {
  TestTable copies{.names = table.names, .columns = {}};
  copies.columns.resize(table.names.size());
  std::vector<double> weights;
  for (size_t row = 0; row < table.rows(); ++row) {
    weights.push_back(static_cast<double>(row % 4));
    for (size_t copy = 0; copy < row % 4; ++copy)
      for (size_t c = 0; c < table.names.size(); ++c)
        copies.columns[c].push_back(table.columns[c][row]);
  }
  TestTraining weighted = MakeTraining(type, table, label, inputs, {category});
  weighted.request.has_weight = true;
  weighted.rows.AddNumbers(weights);
  weighted.request.options.l2_reg = 0.7;
  TestTraining copied = MakeTraining(type, copies, label, inputs, {category});
  copied.request.options.l2_reg = 0.7;
  ExpectSameWeights(Train(weighted).model, Train(copied).model, 1e-9);
}

TEST(TrainGlm, WeightsAreCopiesOfRows) {
  ExpectWeightsAreCopies(GlmType::kLogisticReg, ReadOracleTable("logit_birthwt"), "low",
                         {"age", "lwt", "race"}, "race");
  ExpectWeightsAreCopies(GlmType::kLinearReg, ReadOracleTable("ols_mtcars"), "mpg",
                         {"hp", "wt", "cyl"}, "cyl");
  TestTraining negative = BirthWeights(ReadOracleTable("logit_birthwt"));
  negative.request.has_weight = true;
  negative.rows.AddNumbers(std::vector<double>(negative.rows.rows(), -1));
  EXPECT_EQ(CodeOf(negative), ErrorCode::kTrainingData);
}

TEST(TrainGlm, GramAndRowsAgree) {
  const TestTable table = ReadOracleTable("lasso_mtcars");
  TestTraining by_gram = MakeTraining(GlmType::kLinearReg, table, "mpg", {"hp", "wt", "qsec"});
  TestTraining by_rows = MakeTraining(GlmType::kLinearReg, table, "mpg", {"hp", "wt", "qsec"});
  by_rows.request.has_weight = true;
  by_rows.rows.AddNumbers(std::vector<double>(table.rows(), 1));
  for (const bool intercept : {true, false}) {
    by_gram.request.options.fit_intercept = by_rows.request.options.fit_intercept = intercept;
    ExpectSameWeights(Train(by_gram).model, Train(by_rows).model, 1e-11);
    EXPECT_NEAR(Train(by_gram).model.training_info()[0].loss,
                Train(by_rows).model.training_info()[0].loss, 1e-10);
  }
  EXPECT_TRUE(GramSuffices(by_gram.request));
  EXPECT_FALSE(GramSuffices(by_rows.request));
}

TEST(TrainGlm, DummyEncodingDropsTheMostFrequentCategory) {
  const TestTable table = ReadOracleTable("ols_mtcars");  // 14 of c8, 11 of c4, 7 of c6
  TestTraining training =
      MakeTraining(GlmType::kLinearReg, table, "mpg", {"wt", "hp", "cyl"}, {"cyl"});
  const std::vector<double> one_hot = PredictAll(Train(training).model, training.rows);
  training.request.options.category_encoding = CategoryEncoding::kDummy;
  const GlmModel model = Train(training).model;
  const WeightRow row = model.Weights(false)[2];
  ASSERT_EQ(row.category_weights.size(), 2U);
  EXPECT_EQ(row.category_weights[0].first, "c4");
  EXPECT_EQ(row.category_weights[1].first, "c6");
  const std::vector<double> dummy = PredictAll(model, training.rows);
  for (size_t i = 0; i < dummy.size(); ++i) EXPECT_NEAR(dummy[i], one_hot[i], 1e-10);
}

TEST(TrainGlm, ClassesKeepTheGivenOrder) {
  const TestTable table = Table(
      {"x", "y"}, {{"1", "10"}, {"2", "9"}, {"3", "10"}, {"4", "9"}, {"5", "10"}, {"9", "100"}});
  TestTraining training = MakeTraining(GlmType::kLogisticReg, table, "y", {"x"});
  training.request.options.l2_reg = 1;
  training.request.classes_in_order = {"9", "10", "11", "100"};
  EXPECT_THAT(Train(training).model.classes(), ::testing::ElementsAre("9", "10", "100"));
  training.request.classes_in_order = {"9", "10"};
  EXPECT_EQ(CodeOf(training), ErrorCode::kTrainingData);
}

TEST(TrainGlm, GivenAndBalancedClassWeightsAgree) {
  const TestTable table = ReadOracleTable("logit_birthwt");  // 130 of 0, 59 of 1
  TestTraining balanced = BirthWeights(table);
  balanced.request.options.auto_class_weights = true;
  TestTraining given = BirthWeights(table);
  given.request.options.class_weights = {{"0", 189.0 / 260}, {"1", 189.0 / 118}};
  ExpectSameWeights(Train(balanced).model, Train(given).model, 1e-10);
  given.request.options.class_weights = {{"2", 1}};
  EXPECT_EQ(CodeOf(given), ErrorCode::kInvalidOption);
}

TEST(TrainGlm, StopsWhenAsked) {
  TestTraining training = BirthWeights(ReadOracleTable("logit_birthwt"));
  std::stop_source stop;
  TrainingControl control{.stop = stop.get_token(), .progress = [&](double fraction, double loss) {
                            EXPECT_GE(fraction, 0);
                            EXPECT_LE(fraction, 1);
                            EXPECT_GT(loss, 0);
                            stop.request_stop();
                          }};
  try {
    TrainGlm(training.request, training.rows, control);
    ADD_FAILURE() << "not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
}

TEST(TrainGlm, BoundedTrainingFollowsTheIterations) {
  TestTraining training = BirthWeights(ReadOracleTable("logit_birthwt"));
  const double best = Train(training).model.training_info().back().loss;
  GlmOptions& options = training.request.options;
  options.bounded = true;
  options.early_stop = false;
  options.max_iterations = 7;
  const std::vector<TrainingInfoRow> info = Train(training).model.training_info();
  ASSERT_EQ(info.size(), 7U);
  for (size_t i = 1; i < info.size(); ++i) EXPECT_LE(info[i].loss, info[i - 1].loss);
  EXPECT_GT(info.back().loss, best);
  options.max_iterations = 2000;
  EXPECT_NEAR(Train(training).model.training_info().back().loss, best, 1e-6);
  options.early_stop = true;
  EXPECT_LT(Train(training).model.training_info().size(), 100U);
  options.learn_rate_strategy = LearnRateStrategy::kConstant;
  options.learn_rate = 0.3;
  EXPECT_EQ(Train(training).model.training_info().at(0).learning_rate, 0.3);
}

TEST(TrainGlm, ManyCategoriesTrainWithoutASquareTable) {
  // More levels than the dense solvers take: each level's mean is the answer.
  TestTable table{.names = {"k", "y", "z"}, .columns = {}};
  table.columns.resize(3);
  std::vector<double> means(2000);
  for (size_t row = 0; row < 6000; ++row) {
    const size_t level = row % 2000;
    const double y = static_cast<double>((row * 7919) % 101);
    means[level] += y / 3;
    table.columns[0].push_back(fmt::format("k{:04}", level));
    table.columns[1].push_back(fmt::format("{}", y));
    table.columns[2].push_back(row % 3 == 0 ? "no" : "yes");
  }
  TestTraining linear = MakeTraining(GlmType::kLinearReg, table, "y", {"k"}, {"k"});
  const std::vector<double> fitted = PredictAll(Train(linear).model, linear.rows);
  for (size_t level = 0; level < 2000; level += 37) EXPECT_NEAR(fitted[level], means[level], 1e-6);
  TestTraining logistic = MakeTraining(GlmType::kLogisticReg, table, "z", {"k"}, {"k"});
  for (const double p : PredictAll(Train(logistic).model, logistic.rows))
    EXPECT_NEAR(std::min(p, 1 - p), 1.0 / 3, 1e-6);
}

}  // namespace
}  // namespace braid::ml
