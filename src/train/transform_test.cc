// SPDX-License-Identifier: Apache-2.0
#include "train/transform.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/database.h"

namespace braid::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kRows =
    "(SELECT range AS x, range * 1.0 AS \"two words\", chr(97 + (range % 3)::INTEGER) AS s, range "
    "AS y FROM range(9))";

class TransformTest : public testing::Test {
 protected:
  FrozenTransform Freeze(const std::string& clause, const std::string& rows = kRows) {
    std::vector<lake::Column> columns;
    const engine::StatementInfo info = connection_.DescribeStatement("FROM " + rows);
    for (size_t i = 0; i < info.column_names.size(); ++i)
      columns.push_back({info.column_names[i], info.column_types[i]});
    return FreezeTransform(connection_, {clause, 0}, columns, rows, {"y"});
  }
  std::vector<std::string> Names(const std::string& clause) {
    std::vector<std::string> names;
    for (const session::ProjectedInput& input : Freeze(clause).inputs) names.push_back(input.name);
    return names;
  }
  // A frozen column over one other row.
  nlohmann::ordered_json Value(const std::string& clause, const std::string& row) {
    return connection_.Scalar(fmt::format("SELECT {} FROM (SELECT {}) AS __braid_row",
                                          Freeze(clause).columns.at(0).expression, row));
  }
  // The code of the error, and the clause from its place on.
  std::pair<ErrorCode, std::string> Failure(const std::string& clause) {
    try {
      Freeze(clause);
    } catch (const Error& error) {
      EXPECT_TRUE(error.where());
      const auto column = static_cast<size_t>(error.where() ? error.where()->column - 1 : 0);
      return {error.code(), clause.substr(column)};
    }
    return {ErrorCode::kInternal, ""};
  }

  engine::Database database_{engine::DatabaseOptions{.threads = 2}};
  engine::Connection connection_{database_};
};

TEST_F(TransformTest, StatisticsAreConstants) {
  const FrozenTransform frozen = Freeze("ML.STANDARD_SCALER(x) OVER () AS a, y");
  ASSERT_EQ(frozen.columns.size(), 1U);
  EXPECT_THAT(frozen.columns[0].expression, HasSubstr("__braid_row.x"));
  EXPECT_THAT(frozen.columns[0].expression, Not(HasSubstr("SELECT")));
  EXPECT_EQ(Value("ML.MIN_MAX_SCALER(x) OVER () AS a, y", "4 AS x"), 0.5);
  EXPECT_EQ(Value("ML.MIN_MAX_SCALER(x) OVER () AS a, y", "400 AS x"), 1);
  EXPECT_EQ(Value("ML.IMPUTER(s, 'most_frequent') OVER () AS a, y", "NULL AS s"), "a");
  EXPECT_EQ(Value("ML.LABEL_ENCODER(s, 2, 0) OVER () AS a, y", "'b' AS s"), 2);
  EXPECT_EQ(Value("ML.LABEL_ENCODER(s, 2, 0) OVER () AS a, y", "'unseen' AS s"), 0);
  EXPECT_EQ(Value("ML.QUANTILE_BUCKETIZE(x, 3) OVER () AS a, y", "NULL AS x"), nullptr);
}

TEST_F(TransformTest, NestedStatisticsAreThoseOfWhatIsInside) {
  EXPECT_EQ(
      Value("ML.MAX_ABS_SCALER(ML.MAX_ABS_SCALER(x) OVER () * -10) OVER () AS a, y", "4 AS x"),
      -0.5);
}

TEST_F(TransformTest, OutputsAreNamedByTheirElements) {
  EXPECT_THAT(Names("x, y"), ElementsAre("x"));
  EXPECT_THAT(Names("*"), ElementsAre("x", "two words", "s"));
  EXPECT_THAT(Names("* EXCLUDE (s, x)"), ElementsAre("two words"));
  EXPECT_THAT(Names("ML.ONE_HOT_ENCODER(s, 'none', 10, 1) OVER () AS h, y"),
              ElementsAre("h_a", "h_b", "h_c"));
  EXPECT_THAT(Names("ML.ONE_HOT_ENCODER(s, 'most_frequent', 2, 1) OVER () AS h, y"),
              ElementsAre("h___UNKNOWN__", "h_b"));
  EXPECT_THAT(Names("ML.POLYNOMIAL_EXPAND(STRUCT(x, \"two words\" AS z)) AS p, y"),
              ElementsAre("p_x", "p_z", "p_x_x", "p_x_z", "p_z_z"));
  EXPECT_THAT(Names("[x, x * 2] AS l, y"), ElementsAre("l_1", "l_2"));
}

TEST_F(TransformTest, EncodedElementsAreTheirTexts) {
  const std::string rows = "(SELECT unnest(['it''s', 'it''s', '$1', NULL]) AS s, 1 AS y)";
  const FrozenTransform frozen =
      Freeze("ML.ONE_HOT_ENCODER(s, 'none', 9, 1) OVER () AS s, y", rows);
  const auto values = [&](const std::string& s) {
    std::vector<double> list;
    for (const session::ProjectedInput& input : frozen.inputs)
      list.push_back(connection_
                         .Scalar(fmt::format("SELECT {} FROM (SELECT {} AS s) AS __braid_row",
                                             input.expression, s))
                         .get<double>());
    return list;
  };
  ASSERT_EQ(frozen.inputs.size(), 3U);
  EXPECT_EQ(frozen.inputs[2].name, "s_it's");
  EXPECT_THAT(values("'it''s'"), ElementsAre(0, 0, 1));
  EXPECT_THAT(values("'$1'"), ElementsAre(0, 1, 0));
  EXPECT_THAT(values("'new'"), ElementsAre(1, 0, 0));
  EXPECT_THAT(values("NULL"), ElementsAre(1, 0, 0));
}

TEST_F(TransformTest, QuotedNamesAndLambdasAreKept) {
  EXPECT_EQ(Value("\"two words\" + 1 AS a, y", "2 AS \"Two Words\""), 3);
  EXPECT_EQ(Value("list_max(list_transform([x], lambda q: q + x)) AS a, y", "2 AS x"), 4);
}

TEST_F(TransformTest, ErrorsStandWhereTheyAre) {
  EXPECT_EQ(Failure("x, avg(x) AS a, y"),
            std::pair(ErrorCode::kNotSupported, std::string("avg(x) AS a, y")));
  EXPECT_EQ(Failure("1 + (SELECT 2) AS a, y"),
            std::pair(ErrorCode::kNotSupported, std::string("(SELECT 2) AS a, y")));
  EXPECT_EQ(Failure("x, ML.STANDARD_SCALER(z) OVER () AS a, y"),
            std::pair(ErrorCode::kBinder, std::string("z) OVER () AS a, y")));
  EXPECT_EQ(Failure("ML.IMPUTER(ML.IMPUTR(x, 'mean') OVER (), 'mean') OVER () AS a, y").second,
            "ML.IMPUTR(x, 'mean') OVER (), 'mean') OVER () AS a, y");
  EXPECT_EQ(Failure("x, x + 1, y"), std::pair(ErrorCode::kSyntax, std::string("x + 1, y")));
  EXPECT_EQ(Failure("x, x + 1 AS x, y").second, "x + 1 AS x, y");
  EXPECT_EQ(Failure("x, y + 1 AS y"),
            std::pair(ErrorCode::kTrainingData, std::string("y + 1 AS y")));
  EXPECT_EQ(Failure("[x] AS a, x AS A_1, y"),
            std::pair(ErrorCode::kTrainingData, std::string("x AS A_1, y")));
  EXPECT_EQ(Failure("x").first, ErrorCode::kTrainingData);
  EXPECT_EQ(Failure("y").first, ErrorCode::kTrainingData);
  EXPECT_EQ(Failure("[s] AS a, y").first, ErrorCode::kTrainingData);
  EXPECT_EQ(Failure("x, COLUMNS(s) AS a, y").first, ErrorCode::kNotSupported);
}

TEST_F(TransformTest, NoRowsGiveNoStatistics) {
  const std::string none = "(SELECT 1 AS x, 1 AS y WHERE FALSE)";
  const FrozenTransform frozen = Freeze("ML.STANDARD_SCALER(x) OVER () AS a, y", none);
  EXPECT_EQ(connection_.Scalar(fmt::format("SELECT {} FROM (SELECT 3 AS x) AS __braid_row",
                                           frozen.columns.at(0).expression)),
            nullptr);
  EXPECT_THROW(Freeze("[x] AS a, y", none), Error);
}

}  // namespace
}  // namespace braid::train
