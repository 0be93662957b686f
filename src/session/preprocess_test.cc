// SPDX-License-Identifier: Apache-2.0
#include "session/preprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace braid::session {
namespace {

using syntax::MappedText;
using testing::HasSubstr;

// The only function of a text; statistics are shown as <pattern|values>.
class PreprocessTest : public testing::Test {
 protected:
  std::string Sql(const std::string& text) {
    const syntax::QueryExtensions found = syntax::FindExtensions(text);
    PreprocessingScope scope;
    scope.rewrite = [](const syntax::SourceText& argument) {
      MappedText sql;
      sql.AppendOriginal(argument.text, argument.offset);
      return sql;
    };
    scope.statistic = [this](std::string_view pattern, const MappedText& values) {
      statistics_.push_back(std::string(pattern) + "|" + values.text());
      MappedText sql;
      sql.Append("S");
      return sql;
    };
    scope.fail = [this](const Error& error, size_t offset) {
      offset_ = offset;
      throw error;
    };
    return PreprocessingSql(found.functions.at(0), scope).text();
  }
  // Code and hint of the error, and the text from its place on.
  std::pair<ErrorCode, std::string> Failure(const std::string& text) {
    try {
      Sql(text);
    } catch (const Error& error) {
      hint_ = error.hint();
      return {error.code(), text.substr(offset_)};
    }
    return {ErrorCode::kInternal, ""};
  }

  std::vector<std::string> statistics_;
  std::string hint_;
  size_t offset_ = 0;
};

TEST_F(PreprocessTest, StatisticsAreAskedForOfTheArgument) {
  EXPECT_THAT(Sql("ML.STANDARD_SCALER(a + 1) OVER ()"), HasSubstr("(a + 1)"));
  ASSERT_EQ(statistics_.size(), 2U);
  EXPECT_THAT(statistics_[0], HasSubstr("avg(v)"));
  EXPECT_THAT(statistics_[0], HasSubstr("|nullif(CAST((a + 1) AS DOUBLE)"));
  EXPECT_THAT(statistics_[1], HasSubstr("stddev_samp(v)"));
}

TEST_F(PreprocessTest, FunctionsOfARowAskForNone) {
  for (const char* text :
       {"ML.BUCKETIZE(x, [1, 2])", "ML.NORMALIZER(x)", "ML.POLYNOMIAL_EXPAND(STRUCT(x))",
        "ML.FEATURE_CROSS(STRUCT(x, y))", "ML.HASH_BUCKETIZE(x, 3)", "ML.NGRAMS(x, 2)",
        "ML.ROBUST_SCALER(x, [25, 75], FALSE, FALSE) OVER ()"})
    Sql(text);
  EXPECT_TRUE(statistics_.empty());
  EXPECT_TRUE(IsAnalytic("IMPUTER"));
  EXPECT_FALSE(IsAnalytic("BUCKETIZE"));
  EXPECT_FALSE(IsAnalytic("PREDICT"));
}

TEST_F(PreprocessTest, ErrorsNameTheirPlaceAndWhatToWrite) {
  EXPECT_EQ(Failure("1, ML.STANDARD_SCALR(x) OVER ()"),
            std::pair(ErrorCode::kNotSupported, std::string("ML.STANDARD_SCALR(x) OVER ()")));
  EXPECT_EQ(hint_, "did you mean ML.STANDARD_SCALER?");
  EXPECT_EQ(Failure("ML.STANDARD_SCALER(x)").first, ErrorCode::kSyntax);
  EXPECT_EQ(hint_, "write ML.STANDARD_SCALER(x) OVER ()");
  EXPECT_EQ(Failure("ML.STANDARD_SCALER(x) OVER (ORDER BY y)"),
            std::pair(ErrorCode::kSyntax, std::string("ORDER BY y)")));
  EXPECT_EQ(Failure("ML.NGRAMS(x, 2) OVER ()").first, ErrorCode::kSyntax);
  EXPECT_EQ(Failure("ML.IMPUTER(x) OVER ()").first, ErrorCode::kSyntax);
  EXPECT_EQ(Failure("ML.IMPUTER(x, 'mode') OVER ()"),
            std::pair(ErrorCode::kInvalidOption, std::string("'mode') OVER ()")));
  EXPECT_EQ(Failure("ML.QUANTILE_BUCKETIZE(x, 1) OVER ()"),
            std::pair(ErrorCode::kInvalidOption, std::string("1) OVER ()")));
  EXPECT_EQ(Failure("ML.LABEL_ENCODER(x, y) OVER ()").first, ErrorCode::kInvalidOption);
  EXPECT_EQ(Failure("ML.LABEL_ENCODER(x, 1000000) OVER ()").first, ErrorCode::kInvalidOption);
  EXPECT_EQ(Failure("ML.NGRAMS(x, [3, 2])").first, ErrorCode::kInvalidOption);
  EXPECT_EQ(Failure("ML.POLYNOMIAL_EXPAND(STRUCT(1 AS a, x + 1))"),
            std::pair(ErrorCode::kSyntax, std::string("x + 1))")));
}

}  // namespace
}  // namespace braid::session
