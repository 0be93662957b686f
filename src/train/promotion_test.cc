// SPDX-License-Identifier: Apache-2.0
#include "train/promotion.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "lake/lake.h"
#include "lake/write_transaction.h"
#include "ml/glm/glm_model.h"
#include "session/scoring.h"
#include "syntax/parse.h"
#include "train/training_run.h"

namespace braid::train {
namespace {

using testing::HasSubstr;

class PromotionTest : public testing::Test {
 protected:
  PromotionTest() {
    std::string name = (std::filesystem::temp_directory_path() / "braid_train_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    lake_ = std::make_unique<lake::Lake>(
        lake::LakeOptions{.home = folder_, .engine = {.threads = 2}}, clock_);
    models_ = std::make_unique<session::ModelStore>(lake_->model_folder());
    run_ = lake_->Connect(lake::Scope::kRun);
    session::RegisterScoringFunctions(*run_, *models_);
  }
  ~PromotionTest() override {
    run_.reset();
    lake_.reset();
    std::filesystem::remove_all(folder_);
  }

  // A version that says y = slope * x, or that the odds of true are as exp(slope * x).
  catalog::ModelVersion Version(int64_t number, double slope,
                                ml::GlmType type = ml::GlmType::kLinearReg) {
    const bool classifies = type == ml::GlmType::kLogisticReg;
    ml::GlmParts parts{
        .type = type, .label = "y", .inputs = {{.name = "x", .mean = 0, .standard_deviation = 1}}};
    if (classifies) parts.classes = {"false", "true"};
    parts.scores = {{.intercept = 0, .weights = {slope}}};
    const session::StoredModel stored{
        .projection = {.inputs = {{.name = "x", .expression = "__braid_row.\"x\""}},
                       .label = "y",
                       .label_type = classifies ? "BOOLEAN" : "DOUBLE"},
        .core = std::make_shared<ml::GlmModel>(std::move(parts))};
    return {.model = "m", .version = number, .artefact_sha256 = models_->Put(stored)};
  }
  Promotion Judge(double champion, double candidate, const std::optional<std::string>& query,
                  ml::GlmType type = ml::GlmType::kLinearReg) {
    return Decide(*run_, *models_, Version(1, champion, type), Version(2, candidate, type), query);
  }

  // CREATE OR REPLACE MODEL m, as a run brings it about; says what came of it.
  std::string Train(const std::string& query, const std::string& promotion_query) {
    const std::string text = fmt::format(
        "CREATE OR REPLACE MODEL m OPTIONS (model_type = 'linear_reg', input_label_cols = ['y'], "
        "threads = 1, promotion_query = '{}') AS {}",
        promotion_query, query);
    catalog::Object object{.kind = catalog::ObjectKind::kModel,
                           .key = "m",
                           .owner = "project",
                           .file = "m.sql",
                           .line = 1,
                           .definition = text};
    object.statement = std::make_shared<const syntax::Statement>(syntax::Parse(text, "m.sql"));
    lake::WriteTransaction transaction(*lake_, *run_, "a test");
    session::Change change{
        *run_, state_, "run-1", transaction.base_snapshot(), "2024-01-01T00:00:00Z", {}, {}, {}};
    const session::ChangeOutcome outcome = braid::train::Train(object, change, *models_);
    transaction.Commit("a test", "a test", "{}");
    return outcome.reason;
  }
  int64_t Champion() { return state_.Champion("m")->version; }

  SystemClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<lake::Lake> lake_;
  std::unique_ptr<session::ModelStore> models_;
  std::unique_ptr<engine::Connection> run_;
  catalog::State state_;
};

// y = 2x.
constexpr const char* kRows = "SELECT range AS x, range * 2.0 AS y FROM range(1, 11)";
constexpr const char* kTruths = "SELECT range AS x, range > 0 AS y FROM range(-5, 6)";

TEST_F(PromotionTest, ABetterVersionWins) {
  const Promotion promotion = Judge(1, 1.9, kRows);
  EXPECT_TRUE(promotion.promoted);
  // The champion misses x by x: the root of the mean of 1, 4, …, 100.
  EXPECT_THAT(promotion.reason, HasSubstr(fmt::format("{:.6f} of version 1", std::sqrt(38.5))));
  EXPECT_THAT(promotion.reason, HasSubstr("on 10 rows"));
}

TEST_F(PromotionTest, AWorseOrEqualVersionDoesNot) {
  EXPECT_FALSE(Judge(1.9, 1, kRows).promoted);
  EXPECT_FALSE(Judge(1.9, 1.9, kRows).promoted);
  // As far above as the other is below.
  EXPECT_FALSE(Judge(1, 3, kRows).promoted);
}

TEST_F(PromotionTest, LogLossDecidesBetweenClassifications) {
  const Promotion promotion = Judge(0.5, 2, kTruths, ml::GlmType::kLogisticReg);
  EXPECT_TRUE(promotion.promoted);
  EXPECT_THAT(promotion.reason, HasSubstr("log loss"));
  EXPECT_FALSE(Judge(2, 0.5, kTruths, ml::GlmType::kLogisticReg).promoted);
  EXPECT_FALSE(Judge(2, 2, kTruths, ml::GlmType::kLogisticReg).promoted);
  EXPECT_FALSE(Judge(2, -2, kTruths, ml::GlmType::kLogisticReg).promoted);
}

// A champion that is sure of what is wrong can be replaced; one that is sure and right wins.
TEST_F(PromotionTest, CertainVersionsAreJudgedToo) {
  EXPECT_TRUE(Judge(-1e6, 1, kTruths, ml::GlmType::kLogisticReg).promoted);
  EXPECT_FALSE(Judge(1, -1e6, kTruths, ml::GlmType::kLogisticReg).promoted);
  EXPECT_TRUE(
      Judge(1, 1e6, "SELECT range AS x, TRUE AS y FROM range(1, 5)", ml::GlmType::kLogisticReg)
          .promoted);
  EXPECT_TRUE(Judge(1e200, 1, kRows).promoted);
  EXPECT_FALSE(Judge(1, 1e200, kRows).promoted);
}

TEST_F(PromotionTest, WithoutAQueryTheNewestWins) {
  EXPECT_TRUE(Judge(2, 0, std::nullopt).promoted);
}

TEST_F(PromotionTest, WithoutRowsTheChampionStays) {
  EXPECT_FALSE(Judge(0, 2, std::string(kRows) + " WHERE FALSE").promoted);
  const std::string unlabelled = "SELECT range AS x, NULL::DOUBLE AS y FROM range(10)";
  EXPECT_FALSE(Judge(0, 2, unlabelled).promoted);
  const std::string unknown = "SELECT range AS x, NULL::BOOLEAN AS y FROM range(10)";
  EXPECT_FALSE(Judge(0, 2, unknown, ml::GlmType::kLogisticReg).promoted);
}

TEST_F(PromotionTest, RowsWithoutALabelDoNotCount) {
  const std::string query =
      fmt::format("{} UNION ALL SELECT 1000 AS x, NULL AS y FROM range(7)", kRows);
  const Promotion promotion = Judge(1, 2, query);
  EXPECT_TRUE(promotion.promoted);
  EXPECT_THAT(promotion.reason, HasSubstr(fmt::format("{:.6f} of version 1", std::sqrt(38.5))));
  EXPECT_THAT(promotion.reason, HasSubstr("on 10 rows"));
}

TEST_F(PromotionTest, AQueryMayEndWithAComment) {
  EXPECT_TRUE(Judge(1, 2, std::string(kRows) + " -- the last line").promoted);
}

TEST_F(PromotionTest, VersionsAreJudgedAsTheyAreTrained) {
  const std::string judges = "SELECT range AS x, range * 2.0 AS y FROM range(1000, 1010)";
  EXPECT_THAT(Train("SELECT range AS x, range * 3.0 AS y FROM range(50)", judges),
              HasSubstr("the first version"));
  EXPECT_EQ(Champion(), 1);
  Train("SELECT range AS x, range * 9.0 AS y FROM range(50)", judges);
  EXPECT_EQ(Champion(), 1);
  Train("SELECT range AS x, range * 3.0 AS y FROM range(50)", judges);
  EXPECT_EQ(Champion(), 1);
  Train("SELECT range AS x, range * 2.5 AS y FROM range(50)", judges);
  EXPECT_EQ(Champion(), 4);
  EXPECT_EQ(run_->Scalar("SELECT list(version ORDER BY version) FROM lake.braid.alias_event"),
            nlohmann::ordered_json({1, 4}));
  EXPECT_EQ(state_.versions.at("m").size(), 4U);
}

TEST_F(PromotionTest, TheFirstVersionNeedsNoRowsToBeJudgedOn) {
  Train("SELECT range AS x, range * 3.0 AS y FROM range(50)",
        "SELECT 1 AS x, 2.0 AS y WHERE FALSE");
  EXPECT_EQ(Champion(), 1);
}

TEST_F(PromotionTest, RowsThatAreTrainedOnDoNotJudge) {
  const std::string judges = "SELECT range AS x, range * 3.0 AS y FROM range(49, 60)";
  try {
    Train("SELECT range AS x, range * 3.0 AS y FROM range(50)", judges);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTrainingData);
    EXPECT_THAT(error.message(), testing::EndsWith(": 1"));
  }
  EXPECT_EQ(state_.Champion("m"), nullptr);
  EXPECT_TRUE(state_.versions["m"].empty());
}

}  // namespace
}  // namespace braid::train
