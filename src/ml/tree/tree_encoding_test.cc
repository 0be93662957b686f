// SPDX-License-Identifier: Apache-2.0
// Against tests/data/trees/encodings.json: XGBoost over pandas.get_dummies and scikit-learn's
// TargetEncoder.
#include <gtest/gtest.h>

#include <cmath>

#include "ml/test_rows.h"
#include "ml/tree/training_encoding.h"
#include "ml/tree/tree_trainer.h"

namespace braid::ml {
namespace {

struct Case {
  TreeRequest request;
  TestRows rows;
};

nlohmann::json Reference() {
  return nlohmann::json::parse(ReadFile(TestData() / "trees" / "encodings.json"));
}

Case MakeCase(const nlohmann::json& reference, const nlohmann::json& expected,
              TreeEncodingKind encoding) {
  const TestTable table = ReadTable(TestData() / "trees" / "encodings.csv");
  Case made;
  const auto classes = expected.at("classes").get<size_t>();
  made.request.type = classes == 0 ? TreeType::kBoostedRegressor : TreeType::kBoostedClassifier;
  made.request.options = ParseTreeOptions(made.request.type, {});
  made.request.options.category_encoding = encoding;
  made.request.options.max_iterations = reference.at("rounds").get<int64_t>();
  made.request.options.early_stop = false;
  made.request.seed = reference.at("seed").get<int64_t>();
  made.request.label = expected.at("label").get<std::string>();
  made.request.inputs = {
      {"x", InputKind::kNumeric}, {"city", InputKind::kCategory}, {"size", InputKind::kCategory}};
  made.rows.AddColumn(ColumnKind::kDouble, table.Column("x"));
  std::vector<Text> cities = table.Column("city");
  for (Text& city : cities)
    if (city && city->empty()) city.reset();
  made.rows.AddColumn(ColumnKind::kString, cities);
  made.rows.AddColumn(ColumnKind::kString, table.Column("size"));
  made.rows.AddColumn(classes == 0 ? ColumnKind::kDouble : ColumnKind::kString,
                      table.Column(made.request.label));
  return made;
}

// Predictions, and contributions summed by input, of the training rows as rows to be scored.
void ExpectAnswers(Case& made, const nlohmann::json& expected) {
  const TrainedModel trained = TrainTrees(made.request, made.rows);
  const auto loaded = TreeModel::FromArtefact(trained.model->ToArtefact());
  EXPECT_EQ(loaded.ToArtefact(), trained.model->ToArtefact());
  const Batch batch = made.rows.BatchOf(0, made.rows.rows(), 3);
  std::vector<double> scores(batch.rows * loaded.score_count());
  loaded.Score(batch, scores);
  const size_t margins = loaded.margin_count();
  std::vector<double> parts(batch.rows * margins * 4);
  loaded.Explain(batch, parts);
  const std::vector<uint32_t>& input_of = loaded.parts().encoding.input_of();
  for (size_t row = 0; row < batch.rows; ++row) {
    const nlohmann::json& prediction = expected.at("predictions")[row];
    if (prediction.is_array()) {
      for (size_t k = 0; k < prediction.size(); ++k)
        ASSERT_NEAR(scores[row * prediction.size() + k], prediction[k].get<double>(), 1e-6);
    } else {
      const double wanted = prediction.get<double>();
      ASSERT_NEAR(scores[loaded.classes().empty() ? row : 2 * row + 1], wanted,
                  1e-6 * std::max(1.0, std::abs(wanted)));
    }
    const nlohmann::json& contributions = expected.at("contributions")[row];
    for (size_t k = 0; k < margins; ++k) {
      const nlohmann::json& of_margin = margins > 1 ? contributions[k] : contributions;
      std::vector<double> sums(3);
      for (size_t i = 0; i < input_of.size(); ++i) sums[input_of[i]] += of_margin[i].get<double>();
      for (size_t c = 0; c < 3; ++c) ASSERT_NEAR(parts[(row * margins + k) * 4 + c], sums[c], 1e-5);
    }
  }
}

TEST(TreeEncoding, OneHotIsXgboostOverIndicators) {
  const nlohmann::json reference = Reference();
  for (const nlohmann::json& expected : reference.at("cases")) {
    Case made = MakeCase(reference, expected, TreeEncodingKind::kOneHot);
    ExpectAnswers(made, expected.at("one_hot"));
  }
}

TEST(TreeEncoding, TargetEncodingIsThatOfScikitLearn) {
  const nlohmann::json reference = Reference();
  for (const nlohmann::json& expected : reference.at("cases")) {
    const nlohmann::json& target = expected.at("target");
    Case made = MakeCase(reference, expected, TreeEncodingKind::kTarget);
    const TreeRows rows = LoadTreeRows(made.request, made.rows, {});
    const std::vector<uint8_t> fold = DealFolds(rows, made.request.seed);
    const size_t width = rows.encoding.width();
    for (size_t row = 0; row < rows.rows; ++row) {
      ASSERT_EQ(fold[row], target.at("fold")[row].get<uint8_t>());
      for (size_t i = 1; i < width; ++i) {
        const auto wanted = target.at("encoded")[row][i - 1].get<double>();
        ASSERT_NEAR(rows.values[row * width + i], wanted, 1e-6 * std::max(1.0, std::abs(wanted)));
      }
    }
    // Of rows that come later: the cities, NULL, a text that training did not see.
    const size_t targets = rows.encoding.targets();
    const std::vector<double>& values = rows.encoding.encoded()[1].values;
    for (size_t code = 0; code < values.size() / targets; ++code)
      for (size_t t = 0; t < targets; ++t)
        ASSERT_NEAR(values[code * targets + t], target.at("levels")[code][t].get<double>(), 1e-12);
    ExpectAnswers(made, target);
  }
}

// A category of its own for each row tells nothing of the label: trees must not learn it.
TEST(TreeEncoding, TargetEncodingDoesNotLeak) {
  TreeRequest request{{.label = "y"}, TreeType::kBoostedRegressor, {}};
  request.options = ParseTreeOptions(request.type, {});
  request.options.category_encoding = TreeEncodingKind::kTarget;
  request.inputs = {{"id", InputKind::kCategory}};
  TestRows rows;
  std::vector<Text> ids;
  std::vector<double> labels;
  for (size_t row = 0; row < 200; ++row) {
    ids.push_back(fmt::format("id{}", row));
    labels.push_back(static_cast<double>((row * 7919) % 200));
  }
  rows.AddColumn(ColumnKind::kString, ids);
  rows.AddNumbers(labels);
  const TrainedModel trained = TrainTrees(request, rows);
  std::vector<double> scores(200);
  trained.model->Score(rows.BatchOf(0, 200, 1), scores);
  double errors = 0;
  double variance = 0;
  for (size_t row = 0; row < 200; ++row) {
    errors += (scores[row] - labels[row]) * (scores[row] - labels[row]);
    variance += (labels[row] - 99.5) * (labels[row] - 99.5);
  }
  EXPECT_GT(errors, 0.9 * variance);
}

TEST(TreeEncoding, OneRowAndNoValues) {
  TreeRequest request{{.label = "y"}, TreeType::kBoostedRegressor, {}};
  request.options = ParseTreeOptions(request.type, {});
  request.inputs = {{"c", InputKind::kCategory}};
  TestRows rows;
  rows.AddColumn(ColumnKind::kString, {"a"});
  rows.AddNumbers({5});
  request.options.category_encoding = TreeEncodingKind::kTarget;
  std::vector<double> score(1);
  TrainTrees(request, rows).model->Score(rows.BatchOf(0, 1, 1), score);
  EXPECT_NEAR(score[0], 5, 1e-6);
  TestRows nothing;
  nothing.AddColumn(ColumnKind::kString, {Text(), Text()});
  nothing.AddNumbers({5, 6});
  request.options.category_encoding = TreeEncodingKind::kOneHot;
  EXPECT_EQ(CodeOf([&] { TrainTrees(request, nothing); }), ErrorCode::kTrainingData);
}

// A weight counts as that many equal rows.
TEST(TreeEncoding, WeightsAreDuplicatesInTargetValues) {
  TreeRows twice{.rows = 4, .label = {1, 1, 4, 9}};
  TreeRows weighted{.rows = 3, .label = {1, 4, 9}, .weight = {2, 1, 1}};
  const std::vector<double> one =
      TargetValues(twice, {0, 0, 0, 1}, 2, 0, {0, 0, 0, 0}, kTargetFolds);
  const std::vector<double> two = TargetValues(weighted, {0, 0, 1}, 2, 0, {0, 0, 0}, kTargetFolds);
  ASSERT_EQ(one.size(), 4U);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], two[i], 1e-12);
}

TEST(TreeEncoding, DamagedArtefactsAreRefused) {
  const nlohmann::json reference = Reference();
  Case made = MakeCase(reference, reference.at("cases")[1], TreeEncodingKind::kTarget);
  const auto good =
      nlohmann::ordered_json::parse(TrainTrees(made.request, made.rows).model->ToArtefact());
  EXPECT_EQ(good.at("version"), 2);
  const auto load = [](const nlohmann::ordered_json& json) {
    return CodeOf([&] { TreeModel::FromArtefact(json.dump()); });
  };
  auto damaged = good;
  damaged["category_encoding"] = "guessed";
  EXPECT_EQ(load(damaged), ErrorCode::kLakeDamaged);
  damaged = good;
  damaged["inputs"][1]["values"].erase(0);
  EXPECT_EQ(load(damaged), ErrorCode::kLakeDamaged);
  damaged = good;
  damaged["version"] = 3;
  EXPECT_EQ(load(damaged), ErrorCode::kLakeFormat);
}

}  // namespace
}  // namespace braid::ml
