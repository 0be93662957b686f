// SPDX-License-Identifier: Apache-2.0
// Against tests/data/factorization, and against the normal equations of every user.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ml/factorization/alternating_squares.h"
#include "ml/factorization/factorization_kind.h"
#include "ml/factorization/factorization_model.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

Option Set(std::string name, decltype(OptionValue::value) value) {
  Option option;
  option.name = std::move(name);
  option.value.value = std::move(value);
  return option;
}

TestRows RowsOf(const TestTable& table) {
  TestRows rows(100);
  rows.AddColumn(ColumnKind::kString, table.Column("user"));
  rows.AddColumn(ColumnKind::kString, table.Column("item"));
  rows.AddColumn(ColumnKind::kDouble, table.Column("rating"));
  return rows;
}

TestTable TableFrom(const std::vector<std::vector<Text>>& columns) {
  return {{"user", "item", "rating"}, columns};
}

std::unique_ptr<Model> TrainOn(const TestTable& table, std::vector<Option> settings,
                               size_t threads = 1) {
  TrainingRequest request{
      .kind = "matrix_factorization",
      .inputs = {{"user", InputKind::kCategory}, {"item", InputKind::kCategory}},
      .label = "rating",
      .settings = std::move(settings),
      .seed = 1,
      .threads = threads};
  TestRows rows = RowsOf(table);
  return MatrixFactorizationKind().train(request, rows, {}).model;
}

// The table, and the minimum that was found for it by other means.
struct Reference {
  std::string table;
  FactorizationOptions options;
  nlohmann::json minimum;
};

Reference ReadReference(Feedback feedback) {
  const bool is_explicit = feedback == Feedback::kExplicit;
  const nlohmann::json all = nlohmann::json::parse(
      ReadFile(TestData() / "factorization" / "factorization_reference.json"));
  Reference reference{is_explicit ? "ratings.csv" : "counts.csv",
                      {.feedback = feedback},
                      all.at(is_explicit ? "explicit" : "implicit")};
  reference.options.l2_reg = reference.minimum.at("l2_reg").get<double>();
  if (!is_explicit) reference.options.wals_alpha = reference.minimum.at("wals_alpha").get<double>();
  return reference;
}

class FactorizationReferenceTest : public testing::TestWithParam<Feedback> {
 protected:
  FactorizationReferenceTest()
      : reference_(ReadReference(GetParam())),
        table_(ReadTable(TestData() / "factorization" / reference_.table)) {
    TestRows rows = RowsOf(table_);
    ratings_ = ReadRatings(rows, GetParam(), {});
  }
  AlternatingSquares Start(size_t threads) const {
    return {ratings_, reference_.options, 2, 1, threads, {}};
  }
  Reference reference_;
  TestTable table_;
  Ratings ratings_;
};

TEST_P(FactorizationReferenceTest, ObjectiveNeverRisesAndReachesTheMinimum) {
  AlternatingSquares squares = Start(1);
  double previous = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 2000; ++i) {
    squares.Iterate();
    const double objective = squares.Objective();
    ASSERT_LE(objective, previous * (1 + 1e-13));
    previous = objective;
  }
  EXPECT_NEAR(previous / reference_.minimum.at("objective").get<double>(), 1, 1e-9);
  const nlohmann::json& predictions = reference_.minimum.at("predictions");
  for (size_t user = 0; user < ratings_.users.size(); ++user)
    for (size_t item = 0; item < ratings_.items.size(); ++item) {
      double score = squares.mean() + squares.users().Bias(user) + squares.items().Bias(item);
      for (size_t k = 0; k < 2; ++k)
        score += squares.users().Row(user)[k] * squares.items().Row(item)[k];
      ASSERT_NEAR(score, predictions.at(user).at(item).get<double>(), 1e-5);
    }
}

// Each user's derivative of the objective is zero, written out from its definition.
TEST_P(FactorizationReferenceTest, UsersSolveTheirNormalEquations) {
  const bool is_explicit = GetParam() == Feedback::kExplicit;
  AlternatingSquares squares = Start(1);
  squares.Iterate();
  const double alpha = reference_.options.wals_alpha;
  for (size_t user = 0; user < ratings_.users.size(); ++user) {
    const double* x = squares.users().Row(user);
    std::vector<double> slope = {reference_.options.l2_reg * x[0], reference_.options.l2_reg * x[1],
                                 reference_.options.l2_reg * squares.users().Bias(user)};
    for (size_t item = 0; item < ratings_.items.size(); ++item) {
      double rating = 0;
      for (size_t at = ratings_.by_user.begin[user]; at < ratings_.by_user.begin[user + 1]; ++at)
        if (ratings_.by_user.entries[at].column == item)
          rating = ratings_.by_user.entries[at].value;
      if (is_explicit && rating == 0) continue;  // no rating of the table is 0
      const double* y = squares.items().Row(item);
      const double score = squares.mean() + squares.users().Bias(user) +
                           squares.items().Bias(item) + x[0] * y[0] + x[1] * y[1];
      const double pull =
          is_explicit ? score - rating : (1 + alpha * rating) * (score - (rating > 0 ? 1 : 0));
      slope[0] += pull * y[0];
      slope[1] += pull * y[1];
      slope[2] += is_explicit ? pull : 0;
    }
    for (const double part : slope) ASSERT_NEAR(part, 0, 1e-11);
  }
}

TEST_P(FactorizationReferenceTest, ThreadsChangeNothing) {
  AlternatingSquares one = Start(1);
  AlternatingSquares four = Start(4);
  for (int i = 0; i < 3; ++i) {
    one.Iterate();
    four.Iterate();
  }
  EXPECT_EQ(one.users().factors, four.users().factors);
  EXPECT_EQ(one.items().biases, four.items().biases);
  EXPECT_EQ(one.Objective(), four.Objective());
}

INSTANTIATE_TEST_SUITE_P(Both, FactorizationReferenceTest,
                         testing::Values(Feedback::kExplicit, Feedback::kImplicit));

TEST(FactorizationTest, ArtefactGivesAnEqualModel) {
  const TestTable table = ReadTable(TestData() / "factorization" / "ratings.csv");
  const std::unique_ptr<Model> model = TrainOn(table, {});
  const std::string artefact = model->ToArtefact();
  EXPECT_EQ(TrainOn(table, {}, 3)->ToArtefact(), artefact);
  const std::unique_ptr<Model> loaded = MatrixFactorizationKind().load(artefact);
  EXPECT_EQ(loaded->ToArtefact(), artefact);
  EXPECT_EQ(loaded->known_categories(1), model->known_categories(1));
  // log2 of 338 rows.
  EXPECT_EQ(dynamic_cast<const FactorizationModel&>(*loaded).parts().user_side.width, 8U);
}

TEST(FactorizationTest, DamagedArtefactsAreRefused) {
  const std::string good =
      TrainOn(TableFrom({{"a", "b"}, {"x", "y"}, {"1", "2"}}), {})->ToArtefact();
  const auto load = [](const nlohmann::ordered_json& json) {
    return CodeOf([&] { MatrixFactorizationKind().load(json.dump()); });
  };
  const auto json = nlohmann::ordered_json::parse(good);
  auto damaged = json;
  damaged["users"]["factors"] = "AAAA";
  EXPECT_EQ(load(damaged), ErrorCode::kLakeDamaged);
  damaged = json;
  damaged["users"]["ids"] = {"b", "a"};
  EXPECT_EQ(load(damaged), ErrorCode::kLakeDamaged);
  damaged = json;
  damaged["factors"] = 0;
  EXPECT_EQ(load(damaged), ErrorCode::kLakeDamaged);
  damaged = json;
  damaged["version"] = 99;
  EXPECT_EQ(load(damaged), ErrorCode::kLakeFormat);
}

TEST(FactorizationTest, OneRatingIsItsOwnPrediction) {
  const std::unique_ptr<Model> model = TrainOn(TableFrom({{"a"}, {"x"}, {"4"}}), {});
  TestRows rows = RowsOf(
      TableFrom({{"a", "b", "a", std::nullopt}, {"x", "x", "z", "x"}, {"0", "0", "0", "0"}}));
  std::vector<double> scores(4);
  model->Score(rows.BatchOf(0, 4, 2), scores);
  EXPECT_NEAR(scores[0], 4, 1e-12);
  EXPECT_TRUE(std::isnan(scores[1]) && std::isnan(scores[2]) && std::isnan(scores[3]));
}

TEST(FactorizationTest, RowsWithoutARatingAreLeftOut) {
  const std::unique_ptr<Model> model = TrainOn(
      TableFrom(
          {{"a", std::nullopt, "b", "c"}, {"x", "x", std::nullopt, "x"}, {"4", "1", "1", "nan"}}),
      {});
  EXPECT_EQ(model->rows(), 1);
  EXPECT_EQ(model->known_categories(0), std::vector<std::string>{"a"});
}

// Without a penalty, one rating leaves its factors undetermined.
TEST(FactorizationTest, NoPenaltyFindsAFiniteAnswer) {
  const std::unique_ptr<Model> model =
      TrainOn(TableFrom({{"a", "a", "b"}, {"x", "y", "x"}, {"1", "2", "3"}}),
              {Set("l2_reg", 0.0), Set("num_factors", int64_t{4})});
  TestRows rows = RowsOf(TableFrom({{"a", "b"}, {"y", "x"}, {"0", "0"}}));
  std::vector<double> scores(2);
  model->Score(rows.BatchOf(0, 2, 2), scores);
  EXPECT_NEAR(scores[0], 2, 1e-6);
  EXPECT_NEAR(scores[1], 3, 1e-6);
}

TEST(FactorizationTest, ImplicitRatingsAddUp) {
  const std::vector<Option> settings = {Set("feedback_type", std::string("implicit"))};
  const auto once = TrainOn(TableFrom({{"a", "b"}, {"x", "x"}, {"3", "1"}}), settings);
  const auto parts =
      TrainOn(TableFrom({{"a", "b", "a", "b"}, {"x", "x", "x", "x"}, {"1", "1", "2", "0"}}), [&] {
        std::vector<Option> same = settings;
        same.push_back(Set("num_factors", int64_t{1}));
        return same;
      }());
  TestRows rows = RowsOf(TableFrom({{"a", "b"}, {"x", "x"}, {"0", "0"}}));
  std::vector<double> a(2);
  std::vector<double> b(2);
  once->Score(rows.BatchOf(0, 2, 2), a);
  parts->Score(rows.BatchOf(0, 2, 2), b);
  EXPECT_EQ(a, b);
  EXPECT_EQ(once->score_names(), std::vector<std::string>{"predicted_rating_confidence"});
}

TEST(FactorizationTest, RefusesRowsThatCannotBeTrainedOn) {
  const std::vector<Option> implicit = {Set("feedback_type", std::string("IMPLICIT"))};
  const auto code = [](const std::vector<std::vector<Text>>& columns,
                       const std::vector<Option>& settings) {
    return CodeOf([&] { TrainOn(TableFrom(columns), settings); });
  };
  EXPECT_EQ(code({{}, {}, {}}, {}), ErrorCode::kTrainingData);
  EXPECT_EQ(code({{"a"}, {"x"}, {"inf"}}, {}), ErrorCode::kTrainingData);
  EXPECT_EQ(code({{"a", "b"}, {"x", "x"}, {"1e300", "-1e300"}}, {}), ErrorCode::kTrainingData);
  EXPECT_EQ(code({{"a"}, {"x"}, {"-1"}}, implicit), ErrorCode::kTrainingData);
  EXPECT_EQ(code({{"a"}, {"x"}, {"0"}}, implicit), ErrorCode::kTrainingData);
}

TEST(FactorizationTest, RefusesOptions) {
  for (const Option& option :
       {Set("feedback_type", std::string("GUESSED")), Set("num_factors", int64_t{0}),
        Set("num_factors", int64_t{1001}), Set("num_starts", int64_t{0}),
        Set("num_starts", int64_t{1001}), Set("l2_reg", -1.0), Set("wals_alpha", 2.0),
        Set("max_iterations", int64_t{0}), Set("item_col", std::string("User"))})
    EXPECT_EQ(CodeOf([&] { ParseFactorizationOptions({option}); }), ErrorCode::kInvalidOption)
        << option.name;
}

// The library implicit and L-BFGS agree on the minimum (tests/data/factorization/ranking.py).
TEST(FactorizationTest, ReachesTheObjectiveOfTheLibraryImplicit) {
  const nlohmann::json expected =
      nlohmann::json::parse(ReadFile(TestData() / "factorization" / "ranking.json"))
          .at("models")
          .at("all");
  TestRows rows = RowsOf(ReadTable(TestData() / "factorization" / "counts.csv"));
  const Ratings ratings = ReadRatings(rows, Feedback::kImplicit, {});
  FactorizationOptions options{.feedback = Feedback::kImplicit};
  options.l2_reg = expected.at("l2_reg").get<double>();
  options.wals_alpha = expected.at("wals_alpha").get<double>();
  AlternatingSquares squares(ratings, options, 2, 1, 1, {});
  for (int i = 0; i < 3000; ++i) squares.Iterate();
  EXPECT_NEAR(squares.Objective() / expected.at("objective").get<double>(), 1, 1e-10);
}

// Errors and penalty, from the answers and ML.WEIGHTS' numbers.
double ObjectiveOf(const Model& model, const TestTable& table, double l2_reg) {
  TestRows rows = RowsOf(table);
  std::vector<double> scores(table.rows());
  model.Score(rows.BatchOf(0, table.rows(), 2), scores);
  double objective = 0;
  for (size_t row = 0; row < scores.size(); ++row) {
    const double error = std::stod(*table.Column("rating")[row]) - scores[row];
    objective += error * error;
  }
  const FactorizationParts& parts = dynamic_cast<const FactorizationModel&>(model).parts();
  for (const FactorSide* side : {&parts.user_side, &parts.item_side}) {
    for (const double factor : side->factors) objective += l2_reg * factor * factor;
    for (const double bias : side->biases) objective += l2_reg * bias * bias;
  }
  return objective;
}

TEST(FactorizationTest, MoreStartsAreNeverWorse) {
  const TestTable table = ReadTable(TestData() / "factorization" / "ratings.csv");
  double before = std::numeric_limits<double>::infinity();
  for (const int64_t starts : {1, 3, 20}) {
    const auto model = TrainOn(
        table, {Set("num_factors", int64_t{2}), Set("l2_reg", 0.5), Set("num_starts", starts)});
    const double objective = ObjectiveOf(*model, table, 0.5);
    EXPECT_LE(objective, before * (1 + 1e-12));
    before = objective;
  }
  // The least there is, found by L-BFGS.
  const double least = ReadReference(Feedback::kExplicit).minimum.at("objective").get<double>();
  EXPECT_LT(before, 1.03 * least);
}

TEST(FactorizationTest, StopsWhenAsked) {
  const TestTable table = ReadTable(TestData() / "factorization" / "ratings.csv");
  TestRows rows = RowsOf(table);
  const Ratings ratings = ReadRatings(rows, Feedback::kExplicit, {});
  std::stop_source stop;
  AlternatingSquares squares(ratings, {}, 2, 1, 2, stop.get_token());
  stop.request_stop();
  EXPECT_EQ(CodeOf([&] { squares.Iterate(); }), ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace braid::ml
