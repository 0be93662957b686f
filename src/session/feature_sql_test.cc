// SPDX-License-Identifier: Apache-2.0
#include "session/feature_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace braid::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FeatureColumnsTest, TypesDecide) {
  std::vector<std::string> names;
  std::vector<FeatureKind> kinds;
  for (const FeatureColumn& column :
       FeatureColumns({{"a b", "DECIMAL(18,3)"},
                       {"c", "TIMESTAMP WITH TIME ZONE"},
                       {"d", "STRUCT(x STRUCT(y BIGINT, \"z z\" VARCHAR), n DOUBLE[3])"},
                       {"e", "DECIMAL(4,1)[]"},
                       {"f", "STRUCT(i UBIGINT, v FLOAT)[]"},
                       {"g", "STRUCT(i DOUBLE, v FLOAT)[]"},
                       {"h", "VARCHAR[]"},
                       {"i", "MAP(VARCHAR, BIGINT)"}})) {
    names.push_back(column.name);
    kinds.push_back(column.kind);
  }
  EXPECT_THAT(names, ElementsAre("a b", "c", "d_x_y", "d_x_z z", "d_n", "e", "f", "g", "h", "i"));
  using enum FeatureKind;
  EXPECT_THAT(kinds, ElementsAre(kNumber, kCategory, kNumber, kCategory, kNumbers, kNumbers,
                                 kSparse, kCategories, kCategories, kCategory));
}

TEST(FeatureInfoTest, OldModelsAreTrainedAgain) {
  const catalog::ModelVersion version{.model = "old"};
  const StoredModel stored;
  try {
    FeatureInfoSql({version, stored});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotSupported);
    EXPECT_THAT(error.hint(), HasSubstr("trains it again"));
  }
}

TEST(FeatureStatisticsTest, JsonReadsBack) {
  const ml::FeatureStatistics numbers{
      .name = "x",
      .values = ml::NumberStatistics{.rows = 9,
                                     .nulls = 2,
                                     .infinite = 1,
                                     .minimum = -0.1,
                                     .maximum = 1e300,
                                     .mean = 1.0 / 3,
                                     .median = {},
                                     .standard_deviation = 7,
                                     .histogram = {-0.1, 1e300, {1, 0, 5}}},
      .dimension = 4};
  const ml::FeatureStatistics categories{
      .name = "\"s\"",
      .values = ml::CategoryStatistics{
          .rows = 5, .nulls = 1, .categories = 3, .most = {{"b", 2}, {"", 1}}}};
  for (const ml::FeatureStatistics& statistics : {numbers, categories}) {
    const ml::FeatureStatistics read = ml::ReadFeatureStatistics(ml::ToJson(statistics));
    EXPECT_EQ(read.is_category(), statistics.is_category());
    EXPECT_EQ(ml::ToJson(read), ml::ToJson(statistics));
  }
  const auto read = ml::ReadFeatureStatistics(ml::ToJson(numbers));
  EXPECT_EQ(std::get<ml::NumberStatistics>(read.values).histogram.low, -0.1);
  EXPECT_EQ(read.dimension, 4);
}

}  // namespace
}  // namespace braid::session
