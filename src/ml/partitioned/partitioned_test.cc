// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ml/partitioned/partition_trainer.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

using Json = nlohmann::ordered_json;

std::string ArtefactOf(double slope, const std::string& name = "x") {
  return Json{{"format", "f"},  {"version", 1},   {"name", name + "#~\\\"1"},
              {"rows", 7},      {"slope", slope}, {"list", {1.0, -2.5e-300, slope}},
              {"none", nullptr}}
      .dump();
}

TEST(ArtefactPackTest, GivesEqualTextsBack) {
  ArtefactPack pack;
  const std::vector<std::string> texts = {ArtefactOf(0.1), ArtefactOf(1e22), ArtefactOf(-3, "y"),
                                          ArtefactOf(std::numeric_limits<double>::denorm_min())};
  for (const std::string& text : texts) pack.Add(text);
  EXPECT_EQ(pack.shape_count(), 2U);
  const ArtefactPack read = ArtefactPack::FromJson(Json::parse(pack.ToJson().dump()));
  ASSERT_EQ(read.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(Json::parse(pack.Artefact(i)), Json::parse(texts[i]));
    EXPECT_EQ(Json::parse(read.Artefact(i)), Json::parse(texts[i]));
    EXPECT_TRUE(Json::parse(read.Artefact(i))["list"][0].is_number_float());
    EXPECT_TRUE(Json::parse(read.Artefact(i))["rows"].is_number_integer());
  }
  EXPECT_EQ(read.numbers(0)[read.PositionsOf(0, {"/slope"}).front()], 0.1);
  EXPECT_EQ(CodeOf([&] { (void)read.PositionsOf(0, {"/rows"}); }), ErrorCode::kLakeDamaged);
  EXPECT_EQ(CodeOf([&] { (void)read.PositionsOf(0, {"/steep"}); }), ErrorCode::kLakeDamaged);
}

TEST(ArtefactPackTest, RefusesDamage) {
  ArtefactPack pack;
  pack.Add(ArtefactOf(0.5));
  pack.Add(ArtefactOf(0.75));
  const Json good = pack.ToJson();
  for (const char* name : {"constant", "common", "own"}) {
    Json bad = good;
    bad["shapes"][0][name] = "";
    EXPECT_EQ(CodeOf([&] { (void)ArtefactPack::FromJson(bad); }), ErrorCode::kLakeDamaged) << name;
  }
  Json bad = good;
  bad["shape_of"][0] = 1;
  EXPECT_EQ(CodeOf([&] { (void)ArtefactPack::FromJson(bad); }), ErrorCode::kLakeDamaged);
}

TEST(PartitionKeysTest, FindsThemAgain) {
  PartitionKeys keys(2);
  for (int i = 0; i < 5000; ++i)
    EXPECT_TRUE(keys.Add({std::to_string(i % 100),
                          i % 3 == 0 ? std::nullopt : Text(std::to_string(i / 100))}) ||
                i % 3 == 0);
  EXPECT_EQ(keys.NumberOf({"0", "1"}), keys.NumberOf({"0", "1"}));
  EXPECT_FALSE(keys.NumberOf({"0", "x"}).has_value());
  EXPECT_FALSE(keys.NumberOf({std::nullopt, "1"}).has_value());
  EXPECT_FALSE(keys.Add({"5", std::nullopt}));
  for (uint32_t n = 0; n < keys.size(); ++n) EXPECT_EQ(keys.NumberOf(keys.key(n)), n);
}

TEST(PartitionKeysTest, OrdersWholeNumbersByValue) {
  const std::vector<KeyColumn> columns = {{"a", "INTEGER"}, {"b", "VARCHAR"}};
  const std::vector<PartitionKey> ordered = {{"-10", "a"},       {"-9", "a"},         {"9", "10"},
                                             {"9", "9"},         {"9", std::nullopt}, {"10", "a"},
                                             {std::nullopt, "a"}};
  for (size_t i = 0; i < ordered.size(); ++i)
    for (size_t j = 0; j < ordered.size(); ++j)
      EXPECT_EQ(KeyIsLess(columns, ordered[i], ordered[j]), i < j) << i << " " << j;
}

// Rows of two inputs and a label, with gaps.
TestRows SomeRows(size_t rows, size_t batch_rows = 2048) {
  TestRows made(batch_rows);
  std::vector<Text> columns[3];
  for (size_t i = 0; i < rows; ++i) {
    const double a = 1000 + static_cast<double>((i * 37) % 101);
    const double b = static_cast<double>((i * 53) % 17) / 8;
    columns[0].push_back(i % 13 == 5 ? Text() : Text(fmt::format("{}", a)));
    columns[1].push_back(fmt::format("{}", b));
    columns[2].push_back(
        i % 19 == 7 ? Text() : Text(fmt::format("{}", 2 * a - 3 * b + static_cast<double>(i % 5))));
  }
  for (const auto& column : columns) made.AddColumn(ColumnKind::kDouble, column);
  return made;
}

void ExpectNear(const GramMoments& a, const GramMoments& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.skipped, b.skipped);
  EXPECT_EQ(a.null_count, b.null_count);
  for (size_t i = 0; i < a.centred.size(); ++i)
    EXPECT_NEAR(a.centred[i], b.centred[i], 1e-10 * (1 + std::abs(b.centred[i])));
  for (size_t i = 0; i < a.mean.size(); ++i) EXPECT_NEAR(a.mean[i], b.mean[i], 1e-10);
}

TEST(GramPartsTest, PickedRowsGiveTheSameMoments) {
  for (const size_t batch_rows : {7, 500}) {
    TestRows rows = SomeRows(500, batch_rows);
    GramAccumulator whole(2);
    GroupMoments parts[2] = {GroupMoments(2), GroupMoments(2)};
    rows.Scan([&](const Batch& batch) {
      whole.Add(batch);
      std::vector<uint32_t> picked[2];
      for (uint32_t row = 0; row < batch.rows; ++row) picked[row % 3 == 0 ? 0 : 1].push_back(row);
      for (size_t p = 0; p < 2; ++p) parts[p].Add(batch, picked[p]);
    });
    parts[0].Merge(GroupMoments::Deserialize(parts[1].Serialize()));
    EXPECT_EQ(parts[0].given(), 500);
    ExpectNear(parts[0].gram().Finish(), whole.Finish());
  }
}

TEST(GramPartsTest, AnInfiniteValueSpoilsItsGroupAlone) {
  TestRows rows;
  rows.AddNumbers({1, 2, std::numeric_limits<double>::infinity()});
  rows.AddNumbers({1, 2, 3});
  GroupMoments group(1);
  const std::vector<uint32_t> all = {0, 1, 2};
  group.Add(rows.BatchOf(0, 3, 2), all);
  EXPECT_EQ(group.failure(), "Infinite value in numeric input number 1");
  GroupMoments other(1);
  other.Merge(GroupMoments::Deserialize(group.Serialize()));
  EXPECT_EQ(other.failure(), group.failure());
  EXPECT_EQ(other.given(), 3);
  EXPECT_EQ(CodeOf([] { (void)GroupMoments::Deserialize("short"); }), ErrorCode::kInternal);
}

TEST(GramPartsTest, TellsTheErrorsOfAScore) {
  TestRows rows = SomeRows(200);
  GramAccumulator gram(2);
  double sum = 0;
  double squares = 0;
  rows.Scan([&](const Batch& batch) {
    gram.Add(batch);
    for (size_t row = 0; row < batch.rows; ++row) {
      if (!batch.columns[2].IsValid(row)) continue;
      const double a = batch.columns[0].IsValid(row) ? batch.columns[0].doubles()[row] : 1040;
      const double error =
          batch.columns[2].doubles()[row] - (5 + 1.9 * a - 2 * batch.columns[1].doubles()[row]);
      sum += error;
      squares += error * error;
    }
  });
  const GramAccumulator::Errors errors =
      gram.ErrorsOf(5, std::vector<double>{1.9, -2}, std::vector<double>{1040, 7});
  EXPECT_NEAR(errors.sum, sum, 1e-9 * std::abs(sum));
  EXPECT_NEAR(errors.squares, squares, 1e-9 * squares);
}

TEST(GramPartsTest, LeavesAnInputOut) {
  TestRows rows = SomeRows(200);
  for (const size_t left_out : {0, 1}) {
    GramAccumulator both(2);
    GramAccumulator one(1);
    rows.Scan([&](const Batch& batch) {
      both.Add(batch);
      one.Add({batch.rows, {batch.columns[1 - left_out], batch.columns[2]}});
    });
    ExpectNear(both.Without(left_out).Finish(), one.Finish());
  }
}

class PartitionTrainerTest : public testing::Test {
 protected:
  static TrainingRequest Request() {
    TrainingRequest request;
    request.kind = "linear_reg";
    request.inputs = {{"a"}, {"b"}};
    request.label = "y";
    return request;
  }
  static PartitionTrainer Trainer(PartitionOptions options = {}) {
    return {Request(), {{"g", "INTEGER"}}, options, {}};
  }
  // Group g has the rows whose number leaves g when it is divided by three.
  static std::vector<std::pair<PartitionKey, GroupMoments>> Groups(TestRows& rows) {
    std::vector<std::pair<PartitionKey, GroupMoments>> groups;
    for (const char* key : {"10", "9"}) groups.emplace_back(PartitionKey{key}, GroupMoments(2));
    groups.emplace_back(PartitionKey{std::nullopt}, GroupMoments(2));
    rows.Scan([&](const Batch& batch) {
      for (uint32_t row = 0; row < batch.rows; ++row)
        groups[row % 3].second.Add(batch, std::vector<uint32_t>{row});
    });
    return groups;
  }
};

TEST_F(PartitionTrainerTest, AnswersEachRowByItsGroup) {
  TestRows rows = SomeRows(300);
  PartitionTrainer trainer = Trainer();
  trainer.TrainFromMoments(Groups(rows));
  EXPECT_TRUE(trainer.waiting().empty());
  const TrainedModel trained = trainer.Finish();
  const auto loaded = LoadModel("linear_reg", trained.model->ToArtefact());
  EXPECT_EQ(loaded->ToArtefact(), trained.model->ToArtefact());
  EXPECT_EQ(loaded->rows(), trained.model->rows());
  TestRows asked;
  asked.AddColumn(ColumnKind::kString, {"9", "10", Text(), "11", "9"});
  asked.AddColumn(ColumnKind::kDouble, {"1000", "1001", "1002", "1003", Text()});
  asked.AddNumbers({1, 2, 3, 4, 5});
  std::vector<double> answers(5);
  loaded->Score(asked.BatchOf(0, 5, 3), answers);
  EXPECT_TRUE(std::isnan(answers[3]));
  EXPECT_TRUE(loaded->may_be_silent());
  const size_t group_of[] = {1, 0, 2, 3, 1};
  for (const size_t row : {0, 1, 2, 4}) {
    // The model of that group alone.
    const auto groups = Groups(rows);
    GlmRequest request{Request(), GlmType::kLinearReg, {}};
    const TrainedGlm alone = TrainLinearFromGram(request, groups[group_of[row]].second.gram());
    std::vector<double> answer(1);
    const Batch& batch = asked.BatchOf(row, 1, 3);
    alone.model.Score({1, {batch.columns[1], batch.columns[2]}}, answer);
    EXPECT_NEAR(answers[row], answer[0], 1e-12 * std::abs(answer[0])) << row;
  }
}

TEST_F(PartitionTrainerTest, OrdersGroupsAndTellsOfThem) {
  TestRows rows = SomeRows(300);
  PartitionTrainer trainer = Trainer();
  trainer.TrainFromMoments(Groups(rows));
  const TrainedModel trained = trainer.Finish();
  const Table info = trained.model->TableOf("PARTITION_INFO", {});
  ASSERT_EQ(info.rows.size(), 3U);
  EXPECT_EQ(info.rows[0][0], "9");
  EXPECT_EQ(info.rows[1][0], "10");
  EXPECT_TRUE(info.rows[2][0].is_null());
  EXPECT_EQ(info.columns[0].type, "INTEGER");
  const Table weights = trained.model->TableOf("WEIGHTS", {});
  EXPECT_EQ(weights.columns[0].name, "g");
  EXPECT_EQ(weights.rows.size(), 9U);
  EXPECT_EQ(CodeOf([&] { (void)trained.model->ToOnnx(); }), ErrorCode::kExportUnsupported);
}

TEST_F(PartitionTrainerTest, AFewRowsFailAlone) {
  TestRows rows = SomeRows(300);
  auto groups = Groups(rows);
  groups.emplace_back(PartitionKey{"11"}, GroupMoments(2));
  PartitionTrainer trainer = Trainer({.min_rows = 5, .pooled = true});
  trainer.TrainFromMoments(std::move(groups));
  ASSERT_TRUE(trainer.pooled_moments().has_value());
  GramAccumulator all(2);
  rows.Scan([&](const Batch& batch) { all.Add(batch); });
  ExpectNear(trainer.pooled_moments()->Finish(), all.Finish());
  const TrainedModel trained = trainer.Finish();
  ASSERT_EQ(trained.notices.size(), 1U);
  EXPECT_TRUE(trained.notices[0].starts_with("1 of 4 partitions were not trained"));
  EXPECT_EQ(trained.model->TrainingMetrics().at("partitions_trained"), 3);
}

TEST_F(PartitionTrainerTest, NoGroupIsAnError) {
  EXPECT_EQ(CodeOf([] { (void)Trainer().Finish(); }), ErrorCode::kTrainingData);
  PartitionTrainer trainer = Trainer({.min_rows = 1000});
  TestRows rows = SomeRows(30);
  trainer.TrainFromMoments(Groups(rows));
  EXPECT_EQ(CodeOf([&] { (void)trainer.Finish(); }), ErrorCode::kTrainingData);
}

TEST_F(PartitionTrainerTest, DamagedArtefactsAreRefused) {
  TestRows rows = SomeRows(300);
  PartitionTrainer trainer = Trainer();
  trainer.TrainFromMoments(Groups(rows));
  const Json good = Json::parse(trainer.Finish().model->ToArtefact());
  const auto expect = [&](const char* what, const std::function<void(Json&)>& damage) {
    Json bad = good;
    damage(bad);
    EXPECT_EQ(CodeOf([&] { (void)LoadModel("linear_reg", bad.dump()); }), ErrorCode::kLakeDamaged)
        << what;
  };
  expect("a key twice", [](Json& json) { json["keys"][0][1] = "9"; });
  expect("a list cut short", [](Json& json) { json["loss"].erase(0); });
  expect("an unknown text", [](Json& json) { json["error"][0] = 9; });
  expect("a model too many", [](Json& json) { json["pooled"] = true; });
  expect("other inputs", [](Json& json) { json["inputs"].erase(0); });
  expect("no keys", [](Json& json) { json["key_columns"] = Json::array(); });
}

}  // namespace
}  // namespace braid::ml
