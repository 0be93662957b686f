// SPDX-License-Identifier: Apache-2.0
#include "ml/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ml/glm/glm_options.h"
#include "ml/model_kind.h"

namespace braid::ml {
namespace {

using List = OptionValue::List;
using Struct = OptionValue::Struct;

Option Make(std::string name, decltype(OptionValue::value) value) {
  return {.name = std::move(name), .value = {std::move(value)}};
}

const Option kLinear = Make("model_type", "linear_reg");

std::pair<ErrorCode, std::string> FailureOf(const std::vector<Option>& options) {
  try {
    ParseModelOptions(options);
  } catch (const Error& error) {
    return {error.code(), error.hint()};
  }
  return {ErrorCode::kInternal, "no error"};
}

TEST(ModelOptions, DefaultsAreBigQuerys) {
  const ModelOptions options = ParseModelOptions({kLinear});
  EXPECT_EQ(options.kind->name, "linear_reg");
  EXPECT_EQ(options.label, "label");
  EXPECT_EQ(options.data_split_method, DataSplitMethod::kAutoSplit);
  EXPECT_EQ(options.data_split_eval_fraction, 0.2);
  const GlmOptions glm = ParseGlmOptions(GlmType::kLinearReg, {kLinear});
  EXPECT_FALSE(glm.bounded);
  EXPECT_TRUE(glm.fit_intercept);
  EXPECT_EQ(glm.max_iterations, 20);
}

TEST(ModelOptions, ReadsGeneralOptionsInAnyCase) {
  const ModelOptions options = ParseModelOptions(
      {Make("MODEL_TYPE", "Logistic_Reg"), Make("input_label_cols", List{{"late"}}),
       Make("data_split_method", "seq"), Make("data_split_col", "day"),
       Make("data_split_eval_fraction", 0.25), Make("promotion_query", "FROM t"),
       Make("seed", int64_t{7}), Make("threads", int64_t{1})});
  EXPECT_EQ(options.kind->name, "logistic_reg");
  EXPECT_EQ(options.label, "late");
  EXPECT_TRUE(options.label_given);
  EXPECT_EQ(options.data_split_method, DataSplitMethod::kSeq);
  EXPECT_EQ(options.data_split_col, "day");
  EXPECT_EQ(options.promotion_query, "FROM t");
  EXPECT_EQ(options.seed, 7);
}

TEST(GlmOptions, ReadsItsOwn) {
  const std::vector<Option> options = {
      Make("l2_reg", int64_t{3}), Make("Fit_Intercept", false),
      Make("category_encoding_method", "dummy_encoding"),
      Make("class_weights", List{{Struct{{"", {"a"}}, {"", {0.25}}}},
                                 {Struct{{"", {int64_t{1}}}, {"", {int64_t{2}}}}}})};
  const GlmOptions glm = ParseGlmOptions(GlmType::kLogisticReg, options);
  EXPECT_EQ(glm.l2_reg, 3);
  EXPECT_FALSE(glm.fit_intercept);
  EXPECT_EQ(glm.category_encoding, CategoryEncoding::kDummy);
  EXPECT_THAT(glm.class_weights, ::testing::ElementsAre(std::pair("a", 0.25), std::pair("1", 2.0)));
  EXPECT_FALSE(glm.bounded);
}

TEST(GlmOptions, StoppingOptionsBoundTheTraining) {
  for (const Option& option :
       {Make("max_iterations", int64_t{5}), Make("early_stop", false),
        Make("min_rel_progress", 0.1), Make("learn_rate", 0.2), Make("ls_init_learn_rate", 0.2),
        Make("learn_rate_strategy", "constant")})
    EXPECT_TRUE(ParseGlmOptions(GlmType::kLinearReg, {option}).bounded) << option.name;
}

TEST(Options, UnknownNamesSuggestTheNearest) {
  EXPECT_EQ(FailureOf({kLinear, Make("l2_rge", 1.0)}),
            std::pair(ErrorCode::kInvalidOption, std::string("did you mean L2_REG?")));
  EXPECT_EQ(FailureOf({Make("model_type", "linear_regg")}),
            std::pair(ErrorCode::kInvalidOption, std::string("did you mean linear_reg?")));
}

TEST(Options, WrongValuesAreErrors) {
  for (const Option& option :
       {Make("l2_reg", -1.0), Make("l2_reg", "1"), Make("max_iterations", int64_t{0}),
        Make("max_iterations", 2.5), Make("early_stop", "yes"), Make("learn_rate", 0.0),
        Make("optimize_strategy", "newton"), Make("input_label_cols", "y"),
        Make("input_label_cols", List{}), Make("input_label_cols", List{{"a"}, {"b"}}),
        Make("data_split_method", "half"), Make("data_split_method", "custom"),
        Make("data_split_col", "c"), Make("data_split_eval_fraction", 1.0),
        Make("class_weights", List{{"a"}}), Make("auto_class_weights", true),
        Make("model_type", "x")})
    EXPECT_EQ(FailureOf({kLinear, option}).first, ErrorCode::kInvalidOption) << option.name;
  EXPECT_EQ(FailureOf({}).first, ErrorCode::kInvalidOption);
}

TEST(Options, WhatIsMissingSaysSo) {
  EXPECT_EQ(FailureOf({Make("model_type", "autoencoder")}).first, ErrorCode::kNotSupported);
  const Option pca = Make("model_type", "pca");
  EXPECT_EQ(FailureOf({pca, Make("warm_start", true)}).first, ErrorCode::kNotSupported);
  EXPECT_EQ(FailureOf({pca, Make("warm_start", false)}).second, "no error");
  EXPECT_EQ(
      FailureOf({kLinear, Make("optimize_strategy", "normal_equation"), Make("l1_reg", 1.0)}).first,
      ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace braid::ml
