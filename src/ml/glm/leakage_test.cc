// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/leakage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ml/test_rows.h"

namespace braid::ml {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::Not;

const std::vector<double> kLabel = {1, 2.5, 3, 1, 2.5, 3, 1, 2.5, 3, 1};
const std::vector<double> kOther = {0, 1, 0, 0, 2, 5, 1, 1, 4, 2};

std::vector<std::string> NoticesFor(bool with_category) {
  TestTraining training;
  training.request.label = "y";
  training.request.inputs = {{"other", InputKind::kNumeric}, {"copy", InputKind::kNumeric}};
  training.rows.AddNumbers(kOther);
  training.rows.AddNumbers(kLabel);
  if (with_category) {
    training.request.inputs.push_back({"code", InputKind::kCategory});
    std::vector<Text> codes;
    for (const double label : kLabel) codes.emplace_back(label > 2 ? "high" : "low");
    codes[2] = codes[5] = codes[8] = "highest";
    training.rows.AddColumn(ColumnKind::kString, codes);
  }
  training.rows.AddNumbers(kLabel);
  return Train(training).notices;
}

TEST(Leakage, NamesACopyOfTheLabel) {
  for (const bool with_category : {false, true}) {
    EXPECT_THAT(NoticesFor(with_category), Contains(EndsWith("predicting: copy")));
    EXPECT_THAT(NoticesFor(with_category), Not(Contains(EndsWith("other"))));
  }
}

TEST(Leakage, NamesACategoryThatFixesTheLabel) {
  EXPECT_THAT(NoticesFor(true), Contains(EndsWith("predicting: code")));
}

}  // namespace
}  // namespace braid::ml
