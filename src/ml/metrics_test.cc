// SPDX-License-Identifier: Apache-2.0
#include "ml/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace braid::ml {
namespace {

TEST(Regression, WorkedExample) {
  const std::vector<double> actual = {3, -0.5, 2, 7};
  const std::vector<double> predicted = {2.5, 0.0, 2, 8};
  const RegressionMetrics metrics = EvaluateRegression(actual, predicted);
  // scikit-learn's documented example.
  EXPECT_DOUBLE_EQ(metrics.mean_absolute_error, 0.5);
  EXPECT_DOUBLE_EQ(metrics.mean_squared_error, 0.375);
  EXPECT_DOUBLE_EQ(metrics.median_absolute_error, 0.5);
  EXPECT_NEAR(metrics.r2_score, 0.9486081370449679, 1e-15);
  EXPECT_NEAR(metrics.explained_variance, 0.9571734475374732, 1e-15);
}

TEST(Regression, LogErrorLeavesOutWhatHasNoLogarithm) {
  const std::vector<double> actual = {std::exp(2) - 1, -5, 3};
  const std::vector<double> predicted = {std::exp(1) - 1, 2, -1};
  EXPECT_NEAR(EvaluateRegression(actual, predicted).mean_squared_log_error, 1, 1e-15);
  EXPECT_FALSE(EvaluateRegression(std::vector<double>{-2}, std::vector<double>{1})
                   .ToMap()
                   .contains("mean_squared_log_error"));
}

TEST(Regression, MedianIsExact) {
  const std::vector<double> zero(5);
  EXPECT_EQ(EvaluateRegression(std::vector<double>{9, 1, 4, 100, 2}, zero).median_absolute_error,
            4);
  EXPECT_EQ(EvaluateRegression(std::vector<double>{9, 1, 4, 2}, std::vector<double>(4))
                .median_absolute_error,
            3);
}

// In batches of any size, by several threads: the same figures.
TEST(Regression, PartsMergeToTheWhole) {
  std::vector<double> actual;
  std::vector<double> predicted;
  for (int i = 0; i < 5001; ++i) {
    actual.push_back(1e6 + std::sin(i) * 10);
    predicted.push_back(1e6 + std::cos(i * 1.7) * 9);
  }
  const auto whole = EvaluateRegression(actual, predicted).ToMap();
  RegressionErrors left;
  RegressionErrors right;
  for (size_t begin = 0, size = 1; begin < actual.size(); begin += size, size = size * 2 % 611) {
    const size_t count = std::min(size, actual.size() - begin);
    (begin % 2 == 0 ? left : right)
        .Add(std::span(actual).subspan(begin, count), std::span(predicted).subspan(begin, count));
  }
  left.Merge(right);
  left.Merge(RegressionErrors());
  const auto merged = left.Finish().ToMap();
  ASSERT_EQ(merged.size(), 6U);
  for (const auto& [name, value] : whole)
    EXPECT_NEAR(merged.at(name), value, 1e-12 * std::abs(value)) << name;
}

TEST(Regression, AConstantLabelHasNoVarianceInPartsEither) {
  RegressionErrors errors;
  for (const size_t count : {1U, 3U, 7U, 1000U})
    errors.Add(std::vector<double>(count, 0.1), std::vector<double>(count, 0.2));
  EXPECT_FALSE(errors.Finish().ToMap().contains("r2_score"));
}

TEST(Regression, UndefinedMetricsAreLeftOut) {
  EXPECT_TRUE(EvaluateRegression({}, {}).ToMap().empty());
  const auto constant =
      EvaluateRegression(std::vector<double>{2, 2}, std::vector<double>{1, 2}).ToMap();
  EXPECT_FALSE(constant.contains("r2_score"));
  EXPECT_EQ(constant.at("mean_absolute_error"), 0.5);
}

TEST(Classification, TwoClassesAreJudgedByTheHigher) {
  const std::vector<int32_t> actual = {1, 1, 1, 0, 0};
  const std::vector<double> p = {.1, .9, .4, .6, .7, .3, .2, .8, .9, .1};
  const ClassificationMetrics metrics = EvaluateClassification(actual, p, 2);
  EXPECT_DOUBLE_EQ(metrics.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.f1_score, 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.6);
  EXPECT_NEAR(metrics.log_loss,
              -(std::log(.9) + std::log(.6) + std::log(.3) + std::log(.2) + std::log(.9)) / 5,
              1e-15);
  EXPECT_DOUBLE_EQ(metrics.roc_auc, 4.0 / 6);
  EXPECT_DOUBLE_EQ(EvaluateClassification(actual, p, 2, 0.85).recall, 1.0 / 3);
}

TEST(Classification, SeveralClassesAreAveraged) {
  const std::vector<int32_t> actual = {0, 1, 2, 2};
  const std::vector<double> p = {.8, .1, .1, .6, .3, .1, .1, .1, .8, .2, .2, .6};
  const ClassificationMetrics metrics = EvaluateClassification(actual, p, 3);
  EXPECT_DOUBLE_EQ(metrics.precision, (0.5 + 0 + 1) / 3);
  EXPECT_DOUBLE_EQ(metrics.recall, (1.0 + 0 + 1) / 3);
  EXPECT_DOUBLE_EQ(metrics.f1_score, (2.0 / 3 + 0 + 1) / 3);
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.75);
  EXPECT_DOUBLE_EQ(metrics.roc_auc, 1);
}

TEST(Classification, UnknownLabelsCountAsWrong) {
  const ClassificationMetrics metrics =
      EvaluateClassification(std::vector<int32_t>{1, -1}, std::vector<double>{0, 1, 1, 0}, 2);
  EXPECT_EQ(metrics.accuracy, 0.5);
  EXPECT_NEAR(metrics.log_loss, -std::log(1e-15) / 2, 1e-12);
  EXPECT_TRUE(EvaluateClassification({}, {}, 2).ToMap().empty());
}

TEST(RocArea, TiesCountHalf) {
  const std::vector<int32_t> actual = {1, 0, 1, 0};
  EXPECT_EQ(AreaUnderRoc(std::vector<double>{.5, .5, .5, .5}, actual, 1), 0.5);
  EXPECT_EQ(AreaUnderRoc(std::vector<double>{.9, .5, .5, .1}, actual, 1), 0.875);
  EXPECT_EQ(AreaUnderRoc(std::vector<double>{.9, .1, .8, .2}, actual, 1), 1);
  EXPECT_TRUE(std::isnan(AreaUnderRoc(std::vector<double>{.9}, std::vector<int32_t>{1}, 1)));
}

}  // namespace
}  // namespace braid::ml
