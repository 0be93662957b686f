// SPDX-License-Identifier: Apache-2.0
#include "ml/search_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "ml/model_kind.h"
#include "ml/option_reader.h"
#include "ml/options.h"
#include "ml/tuning_options.h"

namespace braid::ml {
namespace {

using Call = OptionValue::Call;
using List = OptionValue::List;
using testing::ElementsAre;
using testing::HasSubstr;

Option Make(std::string name, decltype(OptionValue::value) value) {
  return {.name = std::move(name), .value = {std::move(value)}};
}
Option Range(std::string name, OptionValue low, OptionValue high) {
  return Make(std::move(name), Call{"hparam_range", {std::move(low), std::move(high)}});
}
Option Candidates(std::string name, List values) {
  return Make(std::move(name), Call{"hparam_candidates", {{std::move(values)}}});
}

SearchSpace SpaceOf(std::string_view kind, const std::vector<Option>& options) {
  return {FindModelKind(kind), options};
}

std::vector<double> Column(const std::vector<SearchPoint>& points, size_t column) {
  std::vector<double> numbers;
  for (const SearchPoint& point : points)
    numbers.push_back(AsNumber(point.at(column).value).value());
  return numbers;
}

std::string FailureOf(std::string_view kind, const std::vector<Option>& options,
                      SearchAlgorithm algorithm = SearchAlgorithm::kRandom) {
  try {
    SpaceOf(kind, options).Points(algorithm, 10, 0);
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(SearchSpace, GridTurnsTheLastOptionFirst) {
  const SearchSpace space =
      SpaceOf("boosted_tree_regressor", {Candidates("l2_reg", {{int64_t{0}}, {0.5}}),
                                         Range("max_tree_depth", {int64_t{2}}, {int64_t{4}})});
  const auto points = space.Points(SearchAlgorithm::kGrid, 100, 7);
  EXPECT_THAT(Column(points, 0), ElementsAre(0, 0, 0, 0.5, 0.5, 0.5));
  EXPECT_THAT(Column(points, 1), ElementsAre(2, 3, 4, 2, 3, 4));
  EXPECT_EQ(points[0][0].name, "l2_reg");
  EXPECT_TRUE(std::holds_alternative<int64_t>(points[0][1].value.value));
  EXPECT_EQ(space.Points(SearchAlgorithm::kGrid, 4, 7).size(), 4U);
}

TEST(SearchSpace, DrawsAreTheSeedsAlone) {
  const std::vector<Option> options = {Range("l1_reg", {0.5}, {int64_t{5}}),
                                       Range("l2_reg", {0.5}, {int64_t{5}})};
  const SearchSpace space = SpaceOf("linear_reg", options);
  const auto points = space.Points(SearchAlgorithm::kRandom, 20, 3);
  EXPECT_EQ(Column(points, 0), Column(space.Points(SearchAlgorithm::kRandom, 20, 3), 0));
  EXPECT_NE(Column(points, 0), Column(space.Points(SearchAlgorithm::kRandom, 20, 4), 0));
  // More trials go on where fewer ended.
  const auto fewer = Column(space.Points(SearchAlgorithm::kRandom, 5, 3), 1);
  const auto all = Column(points, 1);
  EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), all.begin()));
}

// The distribution of log(x) over a logarithmic range is uniform: Kolmogorov's distance to it stays
// below the bound of one in a million.
TEST(SearchSpace, PenaltiesAreDrawnOnALogarithmicScale) {
  const auto points = SpaceOf("linear_reg", {Range("l2_reg", {1e-4}, {100.0})})
                          .Points(SearchAlgorithm::kRandom, 2000, 1);
  std::vector<double> drawn = Column(points, 0);
  drawn.erase(drawn.begin());  // where the search starts
  std::sort(drawn.begin(), drawn.end());
  const auto n = static_cast<double>(drawn.size());
  double distance = 0;
  for (size_t i = 0; i < drawn.size(); ++i) {
    ASSERT_GE(drawn[i], 1e-4);
    ASSERT_LE(drawn[i], 100);
    const double share = (std::log10(drawn[i]) + 4) / 6;
    distance = std::max(distance, std::abs(share - (static_cast<double>(i) + 0.5) / n));
  }
  EXPECT_LT(distance, std::sqrt(-0.5 * std::log(0.5e-6) / n));
}

TEST(SearchSpace, ZeroIsTinyOnALogarithmicScale) {
  const SearchDimension dimension{.hyperparameter = {.option = "l1_reg", .log_scale = true},
                                  .low = 0,
                                  .high = 5,
                                  .candidates = {}};
  EXPECT_NEAR(*AsNumber(dimension.At(0)), 5, 1e-12);
  EXPECT_NEAR(*AsNumber(dimension.At(0.5)), std::sqrt(5e-14), 1e-12);
  EXPECT_GE(*AsNumber(dimension.At(std::nextafter(1.0, 0.0))), 1e-14);
}

TEST(SearchSpace, LinearRangesAreDrawnEvenly) {
  const auto points = SpaceOf("boosted_tree_regressor", {Range("subsample", {0.0}, {0.5})})
                          .Points(SearchAlgorithm::kRandom, 2000, 1);
  double sum = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    const double value = *AsNumber(points[i][0].value);
    ASSERT_GT(value, 0);
    ASSERT_LE(value, 0.5);
    sum += value;
  }
  // Mean 0.25; five standard errors of 0.5/sqrt(12 n).
  EXPECT_NEAR(sum / 1999, 0.25, 5 * 0.5 / std::sqrt(12 * 1999.0));
}

TEST(SearchSpace, WholeRangesReachBothEndsAndEndWhenAllAreSeen) {
  const auto points = SpaceOf("kmeans", {Range("num_clusters", {int64_t{2}}, {int64_t{6}})})
                          .Points(SearchAlgorithm::kRandom, 50, 2);
  std::set<double> seen;
  for (const double value : Column(points, 0)) seen.insert(value);
  EXPECT_THAT(seen, ElementsAre(2, 3, 4, 5, 6));
  EXPECT_EQ(points.size(), 5U);
}

TEST(SearchSpace, StartsAtWhatHoldsWithoutTuning) {
  const auto start = [](const Option& option) {
    return SpaceOf("boosted_tree_regressor", {option})
        .Points(SearchAlgorithm::kRandom, 1, 9)[0][0]
        .value.value;
  };
  EXPECT_EQ(std::get<double>(start(Range("learn_rate", {0.1}, {1.0}))), 0.3);
  EXPECT_EQ(std::get<double>(start(Range("learn_rate", {0.5}, {1.0}))), 0.5);
  EXPECT_EQ(std::get<double>(start(Range("l1_reg", {int64_t{0}}, {int64_t{5}}))), 0);
  EXPECT_EQ(std::get<int64_t>(start(Candidates("max_tree_depth", {{int64_t{2}}, {int64_t{5}}}))),
            5);
  EXPECT_EQ(std::get<std::string>(start(Candidates("booster_type", {{"DART"}, {"gbtree"}}))),
            "gbtree");
}

TEST(SearchSpace, WithoutSetsOfValuesAllThatIsNotGivenIsSearched) {
  const SearchSpace all = SpaceOf("linear_reg", {});
  ASSERT_EQ(all.dimensions().size(), 2U);
  EXPECT_EQ(all.dimensions()[0].high, 10);
  const SearchSpace one = SpaceOf("linear_reg", {Make("l1_reg", 0.5)});
  ASSERT_EQ(one.dimensions().size(), 1U);
  EXPECT_EQ(one.dimensions()[0].hyperparameter.option, "l2_reg");
  EXPECT_THAT(FailureOf("linear_reg", {Make("l1_reg", 0.5), Make("l2_reg", 0.5)}),
              HasSubstr("nothing to tune"));
}

TEST(SearchSpace, RefusesWhatCannotBeSearched) {
  EXPECT_THAT(FailureOf("linear_reg", {Range("l2_reg", {5.0}, {1.0})}), HasSubstr("reversed"));
  EXPECT_THAT(FailureOf("linear_reg", {Range("l2_reg", {1.0}, {1.0})}), HasSubstr("empty"));
  EXPECT_THAT(FailureOf("linear_reg", {Range("l2_reg", {-1.0}, {1.0})}), HasSubstr("L2_REG takes"));
  EXPECT_THAT(FailureOf("linear_reg", {Range("l2_reg", {"a"}, {1.0})}), HasSubstr("HPARAM_RANGE"));
  EXPECT_THAT(FailureOf("linear_reg", {Make("l2_reg", Call{"hparam_range", {{1.0}}})}),
              HasSubstr("HPARAM_RANGE takes"));
  EXPECT_THAT(FailureOf("linear_reg", {Candidates("l2_reg", {})}), HasSubstr("no candidates"));
  EXPECT_THAT(FailureOf("linear_reg", {Candidates("l2_reg", {{1.0}, {int64_t{1}}})}),
              HasSubstr("twice"));
  EXPECT_THAT(FailureOf("linear_reg", {Candidates("l2_reg", {{"a"}})}), HasSubstr("L2_REG takes"));
  EXPECT_THAT(FailureOf("kmeans", {Candidates("num_clusters", {{2.5}})}),
              HasSubstr("whole numbers from 2 to"));
  EXPECT_THAT(FailureOf("kmeans", {Range("distance_type", {1.0}, {2.0})}),
              HasSubstr("DISTANCE_TYPE cannot be tuned"));
  EXPECT_THAT(FailureOf("boosted_tree_regressor", {Range("booster_type", {1.0}, {2.0})}),
              HasSubstr("is no number"));
  EXPECT_THAT(FailureOf("boosted_tree_regressor", {Candidates("booster_type", {{"LINEAR"}})}),
              HasSubstr("'GBTREE', 'DART'"));
  EXPECT_THAT(FailureOf("linear_reg", {Make("l2_reg", Call{"hparam_log", {{1.0}}})}),
              HasSubstr("unknown function: HPARAM_LOG"));
  EXPECT_THAT(FailureOf("linear_reg", {Range("l2_reg", {0.0}, {1.0})}, SearchAlgorithm::kGrid),
              HasSubstr("continuous"));
}

// What each kind says of its hyperparameters agrees with what its options take.
TEST(SearchSpace, KindsTakeTheirOwnPoints) {
  for (const ModelKind* kind : ModelKinds()) {
    if (kind->hyperparameters.empty()) continue;
    const std::vector<Option> type = {Make("model_type", std::string(kind->name)),
                                      Make("num_trials", int64_t{30})};
    const std::optional<TuningOptions> tuning = ParseTuningOptions(type);
    ASSERT_TRUE(tuning) << kind->name;
    EXPECT_EQ(tuning->points.size(), kind->name == "kmeans" ? 9U : 30U) << kind->name;
    for (size_t i = 0; i < tuning->points.size(); ++i)
      EXPECT_NO_THROW(ParseModelOptions(tuning->SettingsOf(i))) << kind->name << " trial " << i;
    for (const Hyperparameter& hyperparameter : kind->hyperparameters)
      EXPECT_THAT(kind->option_names, testing::Contains(hyperparameter.option)) << kind->name;
  }
}

std::pair<ErrorCode, std::string> TuningFailure(std::vector<Option> options) {
  options.push_back(Make("model_type", "linear_reg"));
  try {
    ParseTuningOptions(options);
  } catch (const Error& error) {
    return {error.code(), error.message()};
  }
  return {ErrorCode::kInternal, "no error"};
}

TEST(TuningOptions, NeedNumTrials) {
  EXPECT_THAT(TuningFailure({Candidates("l2_reg", {{1.0}})}).second, HasSubstr("NUM_TRIALS"));
  EXPECT_THAT(TuningFailure({Make("max_parallel_trials", int64_t{2})}).second,
              HasSubstr("MAX_PARALLEL_TRIALS needs NUM_TRIALS"));
  EXPECT_THAT(TuningFailure({Make("data_split_test_fraction", 0.2)}).second,
              HasSubstr("NUM_TRIALS"));
  EXPECT_FALSE(ParseTuningOptions({Make("model_type", "linear_reg")}));
}

TEST(TuningOptions, AreBigQuerys) {
  const Option trials = Make("num_trials", int64_t{4});
  const Option type = Make("model_type", "logistic_reg");
  const auto parsed = ParseTuningOptions({type, trials, Candidates("l2_reg", {{1.0}, {2.0}})});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->objective, "roc_auc");
  EXPECT_EQ(parsed->parallel_trials, 1U);
  EXPECT_EQ(parsed->points.size(), 2U);
  EXPECT_EQ(parsed->settings.size(), 2U);
  const auto given = ParseTuningOptions(
      {type, trials, Make("hparam_tuning_objectives", List{{"log_loss"}}),
       Make("hparam_tuning_algorithm", "grid_search"), Candidates("l2_reg", {{2.0}, {1.0}}),
       Make("max_parallel_trials", int64_t{5})});
  EXPECT_EQ(given->objective, "log_loss");
  EXPECT_FALSE(given->higher_is_better);
  EXPECT_THAT(Column(given->points, 0), ElementsAre(2, 1));
}

TEST(TuningOptions, RefuseWhatDoesNotFit) {
  const Option trials = Make("num_trials", int64_t{4});
  EXPECT_THAT(TuningFailure({Make("num_trials", int64_t{101})}).second,
              HasSubstr("NUM_TRIALS takes a whole number from 1 to 100"));
  EXPECT_THAT(TuningFailure({trials, Make("max_parallel_trials", int64_t{6})}).second,
              HasSubstr("from 1 to 5"));
  EXPECT_THAT(TuningFailure({trials, Make("hparam_tuning_objectives", List{{"roc_auc"}})}).second,
              HasSubstr("one of R2_SCORE, "));
  EXPECT_EQ(TuningFailure({trials, Make("hparam_tuning_algorithm", "vizier_default")}).first,
            ErrorCode::kNotSupported);
  EXPECT_EQ(TuningFailure({trials, Make("hparam_tuning_algorithm", "grid_search")}).first,
            ErrorCode::kInvalidOption);
  EXPECT_THROW(ParseTuningOptions({Make("model_type", "pca"), trials}), Error);
}

}  // namespace
}  // namespace braid::ml
