// SPDX-License-Identifier: Apache-2.0
// Against XGBoost's own answers on the same rows.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "ml/test_rows.h"
#include "ml/tree/tree_trainer.h"

namespace braid::ml {
namespace {

// Numbers with gaps, a category with gaps, and a label that depends on both.
struct Case {
  TreeRequest request;
  TestRows rows;
};

Case MakeCase(TreeType type, size_t classes, size_t count = 600) {
  Case made;
  made.request.type = type;
  made.request.options = ParseTreeOptions(type, {});
  made.request.label = "y";
  made.request.inputs = {
      {"a", InputKind::kNumeric}, {"b", InputKind::kNumeric}, {"c", InputKind::kCategory}};
  std::mt19937_64 random(7);
  const auto unit = [&random] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  std::vector<std::vector<Text>> columns(4);
  for (size_t row = 0; row < count; ++row) {
    const double a = unit() * 10;
    const double b = unit() - 0.5;
    const auto level = static_cast<size_t>(unit() * 5);
    const double y = a * b + (level == 2 ? 3 : 0) + 0.3 * unit();
    columns[0].push_back(row % 11 == 3 ? Text() : Text(fmt::format("{}", a)));
    columns[1].push_back(fmt::format("{}", b));
    columns[2].push_back(row % 13 == 5 ? Text() : Text(std::string(1, "kxabq"[level])));
    const auto label =
        static_cast<size_t>(std::clamp((y + 3) / 6, 0.0, 0.999) * static_cast<double>(classes));
    columns[3].push_back(classes == 0 ? fmt::format("{}", 1000 + y) : std::to_string(label));
  }
  made.rows.AddColumn(ColumnKind::kDouble, columns[0]);
  made.rows.AddColumn(ColumnKind::kDouble, columns[1]);
  made.rows.AddColumn(ColumnKind::kString, columns[2]);
  made.rows.AddColumn(classes == 0 ? ColumnKind::kDouble : ColumnKind::kString, columns[3]);
  return made;
}

TreeModel Trained(Case& made) {
  TrainedModel trained = TrainTrees(made.request, made.rows);
  return std::move(static_cast<TreeModel&>(*trained.model));
}

void ExpectAgreement(Case& made) {
  const TreeModel model = Trained(made);
  const TreeModel loaded = TreeModel::FromArtefact(model.ToArtefact());
  EXPECT_EQ(loaded.ToArtefact(), model.ToArtefact());
  const TreeRows rows = LoadTreeRows(made.request, made.rows, {});
  const BoostedTrees boosted = Boost(made.request, rows, nullptr, {});
  const XgboostMatrix matrix(rows.values, made.request.inputs.size(), 1);
  const Batch& batch = made.rows.BatchOf(0, made.rows.rows(), 3);

  std::vector<double> scores(batch.rows * model.score_count());
  loaded.Score(batch, scores);
  const std::vector<float> expected =
      boosted.booster.Predict(matrix, XgboostBooster::Output::kPrediction);
  const bool binary = model.classes().size() == 2;
  ASSERT_EQ(expected.size(), binary ? batch.rows : scores.size());
  // The library adds in 32 bits.
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(scores[binary ? 2 * i + 1 : i], expected[i] + boosted.base,
                1e-6 * std::max(1.0F, std::abs(expected[i])))
        << i;

  const size_t margins = model.margin_count();
  std::vector<double> parts(batch.rows * margins * 4);
  loaded.Explain(batch, parts);
  const std::vector<float> contributions =
      boosted.booster.Predict(matrix, XgboostBooster::Output::kContributions);
  const std::vector<float> margin =
      boosted.booster.Predict(matrix, XgboostBooster::Output::kMargin);
  ASSERT_EQ(contributions.size(), parts.size());
  for (size_t i = 0; i < parts.size(); ++i)
    EXPECT_NEAR(parts[i], contributions[i] + (i % 4 == 3 ? boosted.base : 0), 1e-5) << i;
  for (size_t i = 0; i < margin.size(); ++i)
    EXPECT_NEAR(parts[4 * i] + parts[4 * i + 1] + parts[4 * i + 2] + parts[4 * i + 3],
                margin[i] + boosted.base, 1e-5);
}

TEST(TreeTest, BoostedRegressorAgreesWithXgboost) {
  Case made = MakeCase(TreeType::kBoostedRegressor, 0);
  ExpectAgreement(made);
}

TEST(TreeTest, BoostedClassifierOfTwoAgreesWithXgboost) {
  Case made = MakeCase(TreeType::kBoostedClassifier, 2);
  made.request.options.auto_class_weights = true;
  ExpectAgreement(made);
}

TEST(TreeTest, BoostedClassifierOfFourAgreesWithXgboost) {
  Case made = MakeCase(TreeType::kBoostedClassifier, 4);
  ExpectAgreement(made);
}

TEST(TreeTest, ForestsAgreeWithXgboost) {
  Case regressor = MakeCase(TreeType::kForestRegressor, 0);
  regressor.request.options.num_parallel_tree = 20;
  ExpectAgreement(regressor);
  Case classifier = MakeCase(TreeType::kForestClassifier, 3);
  classifier.request.options.num_parallel_tree = 10;
  ExpectAgreement(classifier);
}

TEST(TreeTest, DartAgreesWithXgboost) {
  Case made = MakeCase(TreeType::kBoostedClassifier, 2);
  made.request.options.dart = true;
  made.request.options.dropout = 0.4;
  made.request.options.early_stop = false;
  ExpectAgreement(made);
}

TEST(TreeTest, MethodsAgreeWithXgboost) {
  for (const char* method : {"exact", "approx", "hist"}) {
    Case made = MakeCase(TreeType::kBoostedRegressor, 0, 200);
    made.request.options.tree_method = method;
    made.request.options.num_parallel_tree = 3;
    made.request.options.subsample = 0.7;
    made.request.options.colsample_bytree = 0.7;
    ExpectAgreement(made);
  }
}

TEST(TreeTest, EqualTrainingsGiveEqualBytes) {
  Case made = MakeCase(TreeType::kForestClassifier, 2);
  made.request.seed = 5;
  const std::string once = Trained(made).ToArtefact();
  EXPECT_EQ(once, Trained(made).ToArtefact());
  made.request.seed = 6;
  EXPECT_NE(once, Trained(made).ToArtefact());
}

TEST(TreeTest, UnseenCategoriesAndNullsAreMissing) {
  Case made = MakeCase(TreeType::kBoostedRegressor, 0);
  const TreeModel model = Trained(made);
  TestRows rows;
  rows.AddColumn(ColumnKind::kDouble, {"4", "4"});
  rows.AddColumn(ColumnKind::kDouble, {"0.1", "0.1"});
  rows.AddColumn(ColumnKind::kString, {"never seen", Text()});
  std::vector<double> scores(2);
  model.Score(rows.BatchOf(0, 2, 3), scores);
  EXPECT_EQ(scores[0], scores[1]);
  EXPECT_TRUE(std::isfinite(scores[0]));
}

TEST(TreeTest, FewRowsAndConstantInputs) {
  for (const size_t count : {1, 5}) {
    TreeRequest request;
    request.options = ParseTreeOptions(request.type, {});
    request.label = "y";
    request.inputs = {{"x", InputKind::kNumeric}};
    TestRows rows;
    rows.AddNumbers(std::vector<double>(count, 3));
    rows.AddNumbers(std::vector<double>(count, 1e9 + 0.25));
    const TrainedModel trained = TrainTrees(request, rows);
    std::vector<double> scores(count);
    trained.model->Score(rows.BatchOf(0, count, 1), scores);
    EXPECT_DOUBLE_EQ(scores[0], 1e9 + 0.25);
  }
}

ErrorCode CodeOfFailure(const TreeRequest& request, TestRows& rows,
                        const TrainingControl& control = {}) {
  try {
    TrainTrees(request, rows, control);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(TreeTest, RefusesWhatCannotBeTrainedOn) {
  TreeRequest request;
  request.options = ParseTreeOptions(request.type, {});
  request.inputs = {{"x", InputKind::kNumeric}};
  TestRows none;
  none.AddNumbers({});
  none.AddNumbers({});
  EXPECT_EQ(CodeOfFailure(request, none), ErrorCode::kTrainingData);
  TestRows infinite;
  infinite.AddColumn(ColumnKind::kDouble, {"1", "inf"});
  infinite.AddNumbers({1, 2});
  EXPECT_EQ(CodeOfFailure(request, infinite), ErrorCode::kTrainingData);
  TestRows one_class;
  one_class.AddNumbers({1, 2});
  one_class.AddColumn(ColumnKind::kString, {"a", "a"});
  TreeRequest classifier = request;
  classifier.type = TreeType::kBoostedClassifier;
  EXPECT_EQ(CodeOfFailure(classifier, one_class), ErrorCode::kTrainingData);
  std::stop_source stopped;
  stopped.request_stop();
  TestRows fine;
  fine.AddNumbers({1, 2});
  fine.AddNumbers({1, 2});
  TrainingControl control;
  control.stop = stopped.get_token();
  EXPECT_EQ(CodeOfFailure(request, fine, control), ErrorCode::kInterrupted);
}

TEST(TreeTest, StopsWhenHeldOutRowsGainNothing) {
  Case made = MakeCase(TreeType::kBoostedRegressor, 0);
  Case other = MakeCase(TreeType::kBoostedRegressor, 0, 50);
  made.request.held_out = &other.rows;
  made.request.options.max_iterations = 500;
  const TreeModel model = Trained(made);
  const auto& info = model.parts().training_info;
  ASSERT_GT(info.size(), 3U);
  EXPECT_LT(info.size(), 500U);
  EXPECT_LT(*info[info.size() - 2].eval_loss, *info[0].eval_loss);
}

TEST(TreeTest, DamagedArtefactsAreRefused) {
  Case made = MakeCase(TreeType::kBoostedRegressor, 0, 30);
  std::string text = Trained(made).ToArtefact();
  const size_t at = text.find("\"left\":[1,");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 10, "\"left\":[0,");
  EXPECT_THROW(TreeModel::FromArtefact(text), Error);
  EXPECT_THROW(TreeModel::FromArtefact("{}"), Error);
}

}  // namespace
}  // namespace braid::ml
