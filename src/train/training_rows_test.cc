// SPDX-License-Identifier: Apache-2.0
#include "train/training_rows.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/database.h"

namespace braid::train {
namespace {

using ml::DataSplitMethod;
using testing::ElementsAre;

class TrainingRowsTest : public testing::Test {
 protected:
  static ml::ModelOptions Split(DataSplitMethod method, double fraction = 0.2,
                                std::optional<std::string> column = {}) {
    ml::ModelOptions options;
    options.data_split_method = method;
    options.data_split_eval_fraction = fraction;
    options.data_split_col = std::move(column);
    return options;
  }
  int64_t Count(const std::string& query) {
    return connection_.Scalar("SELECT count(*) FROM " + query).get<int64_t>();
  }
  // What is trained on and what is held out; together they must be all rows, each once.
  std::pair<int64_t, int64_t> Parts(const std::string& query, const ml::ModelOptions& options) {
    const TrainingRows rows(connection_, query, options);
    EXPECT_EQ(Count(rows.AllQuery()), rows.count());
    return {Count(rows.TrainingQuery()), Count(rows.EvaluationQuery())};
  }
  // A column of the held-out rows, sorted.
  std::string HeldOut(const std::string& query, const ml::ModelOptions& options,
                      const std::string& column = "x") {
    const TrainingRows rows(connection_, query, options);
    return connection_
        .Scalar(fmt::format("SELECT list({0} ORDER BY {0} NULLS LAST) FROM {1}", column,
                            rows.EvaluationQuery()))
        .dump();
  }
  static std::string Range(int64_t rows) {
    return fmt::format("SELECT range AS x, range * 2 AS y FROM range({})", rows);
  }

  engine::Database database_{engine::DatabaseOptions{.threads = 2}};
  engine::Connection connection_{database_};
};

TEST_F(TrainingRowsTest, WithoutASplitAllRowsTrainAndJudge) {
  EXPECT_EQ(Parts(Range(1000), Split(DataSplitMethod::kNoSplit)), std::pair(1000L, 1000L));
}

TEST_F(TrainingRowsTest, AutomaticSplitsDependOnTheNumberOfRows) {
  const ml::ModelOptions options = Split(DataSplitMethod::kAutoSplit);
  EXPECT_EQ(Parts(Range(0), options), std::pair(0L, 0L));
  EXPECT_EQ(Parts(Range(1), options), std::pair(1L, 1L));
  EXPECT_EQ(Parts(Range(499), options), std::pair(499L, 499L));
  for (const int64_t count : {500, 50'000}) {
    const auto [trained, held_out] = Parts(Range(count), options);
    EXPECT_EQ(trained + held_out, count);
    EXPECT_NEAR(static_cast<double>(held_out), 0.2 * static_cast<double>(count),
                0.1 * static_cast<double>(count));
  }
  const auto [trained, held_out] = Parts(Range(200'000), options);
  EXPECT_EQ(trained + held_out, 200'000);
  EXPECT_NEAR(static_cast<double>(held_out), 10'000, 1'000);
}

TEST_F(TrainingRowsTest, ARandomSplitHasItsShare) {
  for (const double fraction : {0.0, 0.1, 0.5, 1.0}) {
    const auto [trained, held_out] =
        Parts(Range(10'000), Split(DataSplitMethod::kRandom, fraction));
    EXPECT_EQ(trained + held_out, 10'000);
    EXPECT_NEAR(static_cast<double>(held_out), fraction * 10'000, 300) << fraction;
  }
}

// A row falls to one side by what it holds: order, other rows and threads do not matter.
TEST_F(TrainingRowsTest, ARandomSplitIsOfTheRowsContent) {
  ml::ModelOptions options = Split(DataSplitMethod::kRandom, 0.3);
  const std::string held_out = HeldOut(Range(300), options);
  EXPECT_EQ(HeldOut(Range(300) + " ORDER BY x DESC", options), held_out);
  EXPECT_EQ(HeldOut("SELECT * FROM (" + Range(900) + ") WHERE x < 300", options), held_out);
  options.seed = 1;
  EXPECT_NE(HeldOut(Range(300), options), held_out);
}

TEST_F(TrainingRowsTest, EqualRowsFallToOneSide) {
  const auto [trained, held_out] =
      Parts("SELECT 1 AS x, 2 AS y FROM range(100)", Split(DataSplitMethod::kRandom, 0.5));
  EXPECT_TRUE(trained == 0 || held_out == 0) << trained << " " << held_out;
}

TEST_F(TrainingRowsTest, ASequentialSplitHoldsOutTheLargest) {
  EXPECT_EQ(HeldOut(Range(10), Split(DataSplitMethod::kSeq, 0.3, "x")), "[7,8,9]");
  EXPECT_EQ(HeldOut(Range(10), Split(DataSplitMethod::kSeq, 0.3, "X")), "[7,8,9]");
  EXPECT_EQ(HeldOut("SELECT -range AS x FROM range(10)", Split(DataSplitMethod::kSeq, 0.2, "x")),
            "[-1,0]");
  // A fraction that is no whole number of rows is rounded down.
  EXPECT_EQ(Parts(Range(4), Split(DataSplitMethod::kSeq, 0.2, "x")), std::pair(4L, 0L));
  EXPECT_EQ(Parts(Range(0), Split(DataSplitMethod::kSeq, 0.2, "x")), std::pair(0L, 0L));
}

// Rows that cannot be told apart by the column are on one side, so that each time the same rows
// are.
TEST_F(TrainingRowsTest, TiesOfASequentialSplitAreHeldOutTogether) {
  const std::string query = "SELECT range AS id, range // 4 AS x FROM range(20)";
  EXPECT_EQ(HeldOut(query, Split(DataSplitMethod::kSeq, 0.1, "x"), "id"), "[16,17,18,19]");
  EXPECT_EQ(HeldOut(query + " ORDER BY id DESC", Split(DataSplitMethod::kSeq, 0.1, "x"), "id"),
            "[16,17,18,19]");
}

// As BigQuery ML does: what has no place in the order cannot be said to come before.
TEST_F(TrainingRowsTest, NullsOfASequentialSplitAreHeldOut) {
  EXPECT_EQ(HeldOut("SELECT nullif(range, 0) AS x FROM range(10)",
                    Split(DataSplitMethod::kSeq, 0.2, "x")),
            "[9,null]");
}

TEST_F(TrainingRowsTest, AColumnDecidesACustomSplit) {
  const std::string query =
      "SELECT range AS x, CASE range % 3 WHEN 0 THEN TRUE WHEN 1 THEN FALSE END AS judge "
      "FROM range(9)";
  const ml::ModelOptions options = Split(DataSplitMethod::kCustom, 0.2, "judge");
  EXPECT_EQ(HeldOut(query, options), "[0,2,3,5,6,8]");
  EXPECT_EQ(Parts(query, options), std::pair(3L, 6L));
}

TEST_F(TrainingRowsTest, SplitsByAColumnNeedIt) {
  for (const DataSplitMethod method : {DataSplitMethod::kSeq, DataSplitMethod::kCustom}) {
    try {
      const TrainingRows rows(connection_, Range(10), Split(method));
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    }
    EXPECT_THROW(Parts(Range(10), Split(method, 0.2, "nothing")), Error);
  }
}

TEST_F(TrainingRowsTest, RowsAreTheQuerysOwnColumns) {
  for (const DataSplitMethod method : {DataSplitMethod::kSeq, DataSplitMethod::kRandom}) {
    const TrainingRows rows(connection_, Range(10), Split(method, 0.2, "x"));
    for (const std::string& query : {rows.TrainingQuery(), rows.EvaluationQuery(), rows.AllQuery()})
      EXPECT_THAT(connection_.DescribeStatement("SELECT * FROM " + query).column_names,
                  ElementsAre("x", "y"));
  }
}

TEST_F(TrainingRowsTest, NothingIsLeftBehind) {
  {
    const TrainingRows rows(connection_, Range(10), Split(DataSplitMethod::kNoSplit));
  }
  EXPECT_EQ(Count("duckdb_tables()"), 0);
}

TEST(MakeInputs, TheColumnOfTheSplitIsNone) {
  const std::vector<lake::Column> columns = {{"x", "DOUBLE"}, {"At", "DATE"}, {"y", "DOUBLE"}};
  ml::ModelOptions options;
  options.data_split_col = "at";
  for (const DataSplitMethod method : {DataSplitMethod::kSeq, DataSplitMethod::kCustom}) {
    options.data_split_method = method;
    const auto inputs = MakeInputs(columns, "Y", options);
    ASSERT_EQ(inputs.size(), 1U);
    EXPECT_EQ(inputs[0].name, "x");
    EXPECT_FALSE(inputs[0].is_category);
  }
}

TEST(MakeInputs, TypesDecideWhatAnInputIs) {
  const std::vector<lake::Column> columns = {{"b", "BOOLEAN"},
                                             {"d", "DECIMAL(10,2)"},
                                             {"s", "STRUCT(a INTEGER, \"b c\" VARCHAR)"},
                                             {"t", "TIMESTAMP"},
                                             {"label", "BIGINT"}};
  std::vector<std::string> names;
  for (const auto& input : MakeInputs(columns, "label", {}))
    names.push_back(input.name + (input.is_category ? " category" : " number"));
  EXPECT_THAT(names, ElementsAre("b category", "d number", "s_a number", "s_b c category",
                                 "t number", "_TS_DOM_t category", "_TS_DOW_t category",
                                 "_TS_MOY_t category", "_TS_HOD_t category", "_TS_MOH_t category",
                                 "_TS_WOY_t category", "_TS_YEAR_t category"));
  for (const char* type : {"BLOB", "DOUBLE[]", "MAP(VARCHAR, DOUBLE)", "INTERVAL",
                           "DECIMAL(10,2)[]", "STRUCT(a BLOB)"})
    EXPECT_THROW(MakeInputs({{"c", type}, {"label", "BIGINT"}}, "label", {}), Error) << type;
  EXPECT_THROW(MakeInputs({{"label", "BIGINT"}}, "label", {}), Error);
}

}  // namespace
}  // namespace braid::train
