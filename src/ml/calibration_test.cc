// SPDX-License-Identifier: Apache-2.0
// Against scikit-learn and statsmodels (tests/data/calibration/calibration.py).
#include "ml/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ml/calibration_curve.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

using ::testing::ElementsAre;
using ::testing::Pointwise;

nlohmann::json Right() {
  return nlohmann::json::parse(ReadFile(TestData() / "calibration/calibration.json"))["rows"];
}

ProbabilityRows Rows(const std::vector<double>& probabilities,
                     const std::vector<double>& positives) {
  ProbabilityRows rows;
  for (size_t i = 0; i < probabilities.size(); ++i) rows.Add(probabilities[i], positives[i] == 1);
  return rows;
}

std::vector<ProbabilityRows::Group> Groups() {
  const nlohmann::json right = Right();
  return Rows(right["probability"], right["positive"]).Groups();
}

TEST(Calibration, EqualProbabilitiesAreOneGroup) {
  ProbabilityRows rows = Rows({0.5, 0.1, std::nan("")}, {1, 0, 1});
  rows.Merge(Rows({0.5, 0.9}, {0, 1}));
  const auto groups = rows.Groups();
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[1].probability, 0.5);
  EXPECT_EQ(groups[1].rows, 2);
  EXPECT_EQ(groups[1].positives, 1);
}

TEST(Calibration, IsotonicIsScikitLearns) {
  const nlohmann::json right = Right();
  const CalibrationMap map = CalibrationMap::Fit(CalibrationMethod::kIsotonic, Groups());
  const auto& thresholds = right["thresholds"];
  ASSERT_EQ(map.parameters().size(), 2 * thresholds[0].size());
  for (size_t i = 0; i < thresholds[0].size(); ++i) {
    EXPECT_EQ(map.parameters()[2 * i], thresholds[0][i].get<double>());
    EXPECT_NEAR(map.parameters()[2 * i + 1], thresholds[1][i], 1e-15);
  }
  for (size_t i = 0; i < right["asked"].size(); ++i)
    EXPECT_NEAR(map.Apply(right["asked"][i]), right["isotonic"][i], 1e-14);
}

TEST(Calibration, SigmoidIsStatsmodels) {
  const nlohmann::json right = Right();
  const CalibrationMap map = CalibrationMap::Fit(CalibrationMethod::kSigmoid, Groups());
  ASSERT_EQ(map.parameters().size(), 2U);
  EXPECT_NEAR(map.parameters()[0], right["sigmoid"]["slope"], 1e-12);
  EXPECT_NEAR(map.parameters()[1], right["sigmoid"]["intercept"], 1e-12);
  EXPECT_LT(right["sigmoid"]["scikit_learn_differs_by"].get<double>(), 1e-8);
  EXPECT_NEAR(map.Apply(0.5), 1 / (1 + std::exp(-map.parameters()[1])), 1e-15);
}

// The answer does not depend on how the rows came together.
TEST(Calibration, OrderDoesNotMatter) {
  const nlohmann::json right = Right();
  std::vector<double> p = right["probability"];
  std::vector<double> y = right["positive"];
  std::reverse(p.begin(), p.end());
  std::reverse(y.begin(), y.end());
  for (const auto method : {CalibrationMethod::kIsotonic, CalibrationMethod::kSigmoid})
    EXPECT_EQ(CalibrationMap::Fit(method, Rows(p, y).Groups()).ToBytes(),
              CalibrationMap::Fit(method, Groups()).ToBytes());
}

TEST(Calibration, SigmoidBearsCertaintyAndSeparation) {
  // Platt's targets keep the fit finite.
  const CalibrationMap map = CalibrationMap::Fit(CalibrationMethod::kSigmoid,
                                                 Rows({0, 0, 0, 1, 1}, {0, 0, 0, 1, 1}).Groups());
  EXPECT_NEAR(map.Apply(0), 1 / 5.0, 1e-12);
  EXPECT_NEAR(map.Apply(1), 3 / 4.0, 1e-12);
  // One probability alone: the share of its targets.
  const CalibrationMap flat =
      CalibrationMap::Fit(CalibrationMethod::kSigmoid, Rows({0.3, 0.3}, {0, 1}).Groups());
  EXPECT_NEAR(flat.Apply(0.9), (1 / 3.0 + 2 / 3.0) / 2, 1e-12);
}

TEST(Calibration, IsotonicPoolsWhatFalls) {
  const CalibrationMap map = CalibrationMap::Fit(CalibrationMethod::kIsotonic,
                                                 Rows({0.1, 0.2, 0.3, 0.4}, {0, 1, 0, 1}).Groups());
  EXPECT_THAT(std::vector<double>(map.parameters().begin(), map.parameters().end()),
              ElementsAre(0.1, 0, 0.2, 0.5, 0.3, 0.5, 0.4, 1));
  EXPECT_NEAR(map.Apply(0.15), 0.25, 1e-15);
  EXPECT_EQ(map.Apply(0.25), 0.5);
  EXPECT_EQ(map.Apply(0), 0);
  EXPECT_EQ(map.Apply(1), 1);
  EXPECT_TRUE(std::isnan(map.Apply(std::nan(""))));
}

TEST(Calibration, OneClassIsRefused) {
  for (const double label : {0.0, 1.0}) {
    try {
      CalibrationMap::Fit(CalibrationMethod::kIsotonic, Rows({0.2, 0.7}, {label, label}).Groups());
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kTrainingData);
    }
  }
}

TEST(Calibration, MapsAreReadOneAfterTheOther) {
  const auto groups = Groups();
  const std::string bytes = CalibrationMap::Fit(CalibrationMethod::kIsotonic, groups).ToBytes() +
                            CalibrationMap::Fit(CalibrationMethod::kSigmoid, groups).ToBytes();
  std::string_view left = bytes;
  for (const auto method : {CalibrationMethod::kIsotonic, CalibrationMethod::kSigmoid}) {
    const CalibrationMap map = CalibrationMap::ReadNext(left);
    for (const double p : {0.0, 0.123, 0.5, 0.99})
      EXPECT_EQ(map.Apply(p), CalibrationMap::Fit(method, groups).Apply(p));
  }
  EXPECT_TRUE(left.empty());
}

TEST(Calibration, ClassesAddUpToOne) {
  std::vector<double> some = {0.2, 0.2, 0.4};
  Normalise(some);
  EXPECT_THAT(some, Pointwise(::testing::DoubleEq(), {0.25, 0.25, 0.5}));
  std::vector<double> none = {0, 0};
  Normalise(none);
  EXPECT_THAT(none, ElementsAre(0.5, 0.5));
}

TEST(CalibrationCurve, IsScikitLearns) {
  const nlohmann::json right = Right();
  ASSERT_EQ(right["curves"].size(), 8U);
  for (const auto& wanted : right["curves"]) {
    const auto strategy =
        wanted[1] == "uniform" ? BucketStrategy::kUniform : BucketStrategy::kQuantile;
    const CalibrationCurve curve = MakeCalibrationCurve(Groups(), wanted[0], strategy);
    const std::string what = wanted[0].dump() + wanted[1].get<std::string>();
    ASSERT_EQ(curve.buckets.size(), wanted[2]["rows"].size()) << what;
    for (size_t i = 0; i < curve.buckets.size(); ++i) {
      EXPECT_EQ(curve.buckets[i].rows, wanted[2]["rows"][i].get<double>()) << what;
      EXPECT_NEAR(curve.buckets[i].mean_probability, wanted[2]["mean"][i], 1e-14) << what;
      EXPECT_NEAR(curve.buckets[i].observed_frequency, wanted[2]["observed"][i], 1e-14) << what;
    }
    const CalibrationSummary& got = curve.summary;
    EXPECT_NEAR(got.expected_calibration_error, wanted[2]["expected_calibration_error"], 1e-14);
    EXPECT_NEAR(got.maximum_calibration_error, wanted[2]["maximum_calibration_error"], 1e-14);
    EXPECT_NEAR(got.brier_score, wanted[2]["brier_score"], 1e-14);
    EXPECT_NEAR(got.reliability, wanted[2]["reliability"], 1e-14);
    EXPECT_NEAR(got.resolution, wanted[2]["resolution"], 1e-14);
    EXPECT_NEAR(got.reliability - got.resolution + got.uncertainty + got.within_bucket_variance -
                    got.within_bucket_covariance,
                got.brier_score, 1e-14)
        << what;
  }
}

TEST(CalibrationCurve, QuantileBoundsLieBetweenRows) {
  const CalibrationCurve curve = MakeCalibrationCurve(
      Rows({0.1, 0.2, 0.4, 0.8}, {0, 0, 1, 1}).Groups(), 2, BucketStrategy::kQuantile);
  ASSERT_EQ(curve.buckets.size(), 2U);
  EXPECT_EQ(curve.buckets[0].lower_bound, 0.1);
  EXPECT_NEAR(curve.buckets[0].upper_bound, 0.3, 1e-15);
  EXPECT_EQ(curve.buckets[1].upper_bound, 0.8);
}

}  // namespace
}  // namespace braid::ml
