// SPDX-License-Identifier: Apache-2.0
// What must hold whatever the kind of model: equal pins give equal bytes, and what does not matter
// to a kind's mathematics does not change its answers.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "ml/model_kind.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

constexpr size_t kRows = 360;

// Numbers of few binary digits, so that moving and doubling them loses nothing.
struct Numbers {
  std::vector<double> a, b, c, d, weight;
  std::vector<std::string> colour;

  double Line(size_t row) const {
    return 2 * a[row] - 3 * b[row] + 0.5 * c[row] * c[row] + (colour[row] == "red" ? 4 : 0) +
           0.25 * d[row];
  }
};

Numbers MakeNumbers() {
  std::mt19937 random(11);
  const auto draw = [&random](double spread) {
    return std::round((static_cast<double>(random()) / 4294967296.0 - 0.5) * spread * 64) / 64;
  };
  Numbers made;
  for (size_t row = 0; row < kRows; ++row) {
    const double centre = row % 3 == 0 ? 9 : row % 3 == 1 ? -9 : 0;
    made.a.push_back(draw(4) + centre);
    made.b.push_back(draw(4) - (row % 3 == 2 ? 9 : 0));
    made.c.push_back(0.5 * made.a.back() + draw(3));
    made.d.push_back(made.b.back() + draw(3));
    made.colour.emplace_back(std::array{"red", "green", "blue"}[random() % 3]);
    made.weight.push_back(static_cast<double>(1 + random() % 3));
  }
  return made;
}

// How the columns are given.
struct Given {
  Numbers numbers = MakeNumbers();
  std::vector<size_t> order;  // empty: as they stand
  size_t threads = 1;
  bool weighs = false;
};

struct Trained {
  std::unique_ptr<Model> model;
  std::vector<double> scores;  // of the rows as `numbers` has them
  std::string artefact;
};

std::vector<Text> Texts(const std::vector<double>& values, const std::vector<size_t>& order) {
  std::vector<Text> texts;
  for (const size_t row : order) texts.emplace_back(fmt::format("{}", values[row]));
  return texts;
}

std::vector<Text> Labels(const ModelKind& kind, const Numbers& numbers,
                         const std::vector<size_t>& order) {
  std::vector<Text> texts;
  for (const size_t row : order) {
    // Not quite a function of the inputs, so that the best weights are finite.
    const double noisy = numbers.Line(row) + 12 * std::sin(static_cast<double>(row) * 1.7);
    if (kind.task == Task::kClassification)
      texts.emplace_back(noisy < -10 ? "low" : noisy < 25 ? "middle" : "high");
    else
      texts.emplace_back(fmt::format("{}", noisy));
  }
  return texts;
}

Option Set(std::string name, decltype(OptionValue::value) value) {
  Option option;
  option.name = std::move(name);
  option.value.value = std::move(value);
  return option;
}

std::vector<Option> SettingsOf(std::string_view kind) {
  if (kind == "kmeans") return {Set("num_clusters", int64_t{3})};
  if (kind == "pca") return {Set("num_principal_components", int64_t{2})};
  if (kind == "factor_analysis") return {Set("num_factors", int64_t{1})};
  if (kind == "matrix_factorization") return {Set("num_factors", int64_t{2}), Set("l2_reg", 1.0)};
  if (kind.starts_with("boosted")) return {Set("max_iterations", int64_t{6})};
  if (kind.starts_with("random")) return {Set("num_parallel_tree", int64_t{9})};
  return {};
}

void FillRatings(const Given& given, const std::vector<size_t>& order, TrainingRequest& request,
                 TestRows& rows) {
  request.inputs = {{"user", InputKind::kCategory}, {"item", InputKind::kCategory}};
  request.label = "rating";
  std::vector<Text> users;
  std::vector<Text> items;
  std::vector<double> ratings;
  for (const size_t row : order) {
    users.emplace_back(fmt::format("u{}", row % 24));
    items.emplace_back(fmt::format("i{}", row / 24));
  }
  for (size_t row = 0; row < kRows; ++row)
    ratings.push_back(1 + std::fmod(std::abs(given.numbers.Line(row)), 5));
  rows.AddColumn(ColumnKind::kString, users);
  rows.AddColumn(ColumnKind::kString, items);
  rows.AddColumn(ColumnKind::kDouble, Texts(ratings, order));
}

void FillTable(const ModelKind& kind, const Given& given, const std::vector<size_t>& order,
               TrainingRequest& request, TestRows& rows) {
  request.inputs = {{"a", InputKind::kNumeric},
                    {"b", InputKind::kNumeric},
                    {"c", InputKind::kNumeric},
                    {"d", InputKind::kNumeric}};
  const Numbers& numbers = given.numbers;
  for (const auto* column : {&numbers.a, &numbers.b, &numbers.c, &numbers.d})
    rows.AddColumn(ColumnKind::kDouble, Texts(*column, order));
  if (!IsSupervised(kind.task)) return;
  request.inputs.push_back({"colour", InputKind::kCategory});
  std::vector<Text> colours;
  for (const size_t row : order) colours.emplace_back(numbers.colour[row]);
  rows.AddColumn(ColumnKind::kString, colours);
  request.label = "y";
  // The label is of the numbers as they were made, however they are given.
  const bool classifies = kind.task == Task::kClassification;
  rows.AddColumn(classifies ? ColumnKind::kString : ColumnKind::kDouble,
                 Labels(kind, MakeNumbers(), order));
  if (!given.weighs) return;
  request.has_weight = true;
  rows.AddColumn(ColumnKind::kDouble, Texts(numbers.weight, order));
}

Trained Train(const ModelKind& kind, const Given& given, const std::vector<Option>& more = {}) {
  std::vector<size_t> as_they_stand(kRows);
  std::iota(as_they_stand.begin(), as_they_stand.end(), size_t{0});
  TrainingRequest request{.kind = std::string(kind.name),
                          .settings = SettingsOf(kind.name),
                          .seed = 3,
                          .threads = given.threads};
  request.settings.insert(request.settings.end(), more.begin(), more.end());
  TestRows rows(100);
  TestRows asked;
  TrainingRequest unused;
  const std::vector<size_t>& order = given.order.empty() ? as_they_stand : given.order;
  if (kind.task == Task::kRecommendation) {
    FillRatings(given, order, request, rows);
    FillRatings(given, as_they_stand, unused, asked);
  } else {
    FillTable(kind, given, order, request, rows);
    FillTable(kind, given, as_they_stand, unused, asked);
  }
  Trained trained{.model = kind.train(request, rows, {}).model, .scores = {}, .artefact = {}};
  trained.scores.resize(kRows * trained.model->score_count());
  trained.model->Score(asked.BatchOf(0, kRows, request.inputs.size()), trained.scores);
  trained.artefact = trained.model->ToArtefact();
  return trained;
}

std::vector<const ModelKind*> TrainedKinds() {
  std::vector<const ModelKind*> kinds;
  for (const ModelKind* kind : ModelKinds())
    if (kind->train != nullptr) kinds.push_back(kind);
  return kinds;
}

// Of axes the sign means nothing.
void ExpectSame(const ModelKind& kind, const std::vector<double>& one,
                const std::vector<double>& two, double tolerance) {
  ASSERT_EQ(one.size(), two.size()) << kind.name;
  const bool has_sign = kind.task != Task::kProjection;
  double apart = 0;
  for (size_t i = 0; i < one.size(); ++i)
    apart = std::max(apart, has_sign ? std::abs(one[i] - two[i])
                                     : std::abs(std::abs(one[i]) - std::abs(two[i])));
  EXPECT_LE(apart, tolerance) << kind.name;
}

bool IsTree(const ModelKind& kind) {
  return kind.name.starts_with("boosted") || kind.name.starts_with("random");
}
// Trees add single-precision numbers.
double Rounding(const ModelKind& kind) { return IsTree(kind) ? 2e-4 : 1e-9; }

TEST(EveryKind, EqualPinsGiveEqualBytes) {
  for (const ModelKind* kind : TrainedKinds())
    EXPECT_EQ(Train(*kind, {}).artefact, Train(*kind, {}).artefact) << kind->name;
}

TEST(EveryKind, AnotherSeedIsAnotherPinWhereChanceHasASay) {
  // A seed that nobody reads would pass the test above.
  const ModelKind& kind = FindModelKind("random_forest_regressor");
  TrainingRequest request{.kind = "random_forest_regressor"};
  const std::string first = Train(kind, {}).artefact;
  std::vector<size_t> order(kRows);
  std::iota(order.begin(), order.end(), size_t{0});
  TestRows rows(100);
  FillTable(kind, {}, order, request, rows);
  request.settings = SettingsOf(kind.name);
  request.seed = 4;
  request.threads = 1;
  EXPECT_NE(kind.train(request, rows, {}).model->ToArtefact(), first);
}

TEST(EveryKind, MoreThreadsStayWithinRounding) {
  for (const ModelKind* kind : TrainedKinds())
    ExpectSame(*kind, Train(*kind, {}).scores, Train(*kind, {.threads = 3}).scores,
               Rounding(*kind));
}

TEST(EveryKind, AnArtefactAnswersAsTheModelDid) {
  for (const ModelKind* kind : TrainedKinds()) {
    const Trained trained = Train(*kind, {});
    const auto loaded = kind->load(trained.artefact);
    EXPECT_EQ(loaded->ToArtefact(), trained.artefact) << kind->name;
    EXPECT_EQ(loaded->rows(), trained.model->rows()) << kind->name;
    EXPECT_EQ(loaded->classes(), trained.model->classes()) << kind->name;
  }
}

// Where no chance has a say: k-means draws rows to start at, and forests draw rows for each tree.
TEST(EveryKind, TheOrderOfRowsDoesNotMatter) {
  Given shuffled;
  shuffled.order.resize(kRows);
  std::iota(shuffled.order.begin(), shuffled.order.end(), size_t{0});
  std::shuffle(shuffled.order.begin(), shuffled.order.end(), std::mt19937(5));
  for (const ModelKind* kind : TrainedKinds()) {
    if (kind->name.starts_with("random")) continue;
    Trained straight = Train(*kind, {});
    Trained mixed = Train(*kind, shuffled);
    if (kind->task == Task::kClustering)
      // The clouds are the same; which number each has is chance.
      for (Trained* trained : {&straight, &mixed})
        for (size_t row = 0; row < kRows; ++row)
          std::sort(trained->scores.begin() + static_cast<std::ptrdiff_t>(3 * row),
                    trained->scores.begin() + static_cast<std::ptrdiff_t>(3 * row + 3));
    ExpectSame(*kind, straight.scores, mixed.scores, Rounding(*kind));
  }
}

TEST(EveryKind, UnitsOfInputsDoNotMatter) {
  Given moved;
  for (double& value : moved.numbers.a) value = value * 1024 + 4096;
  for (double& value : moved.numbers.b) value /= 4096;
  for (double& value : moved.numbers.c) value = -value;
  for (const ModelKind* kind : TrainedKinds()) {
    if (kind->task == Task::kRecommendation) continue;
    Given given = moved;
    // A tree splits between two values that it saw: turned round, the other way.
    if (IsTree(*kind)) given.numbers.c = MakeNumbers().c;
    ExpectSame(*kind, Train(*kind, {}).scores, Train(*kind, given).scores, Rounding(*kind));
  }
}

TEST(EveryKind, TurningTheAxesDoesNotMatterToWhatHasNone) {
  Given turned;
  for (size_t row = 0; row < kRows; ++row) {
    const double a = turned.numbers.a[row];
    const double b = turned.numbers.b[row];
    turned.numbers.a[row] = 0.8 * a - 0.6 * b;
    turned.numbers.b[row] = 0.6 * a + 0.8 * b;
  }
  const std::map<std::string, std::vector<Option>> kinds = {
      {"linear_reg", {}},
      {"logistic_reg", {}},
      {"kmeans", {Set("standardize_features", false)}},
      {"pca", {Set("scale_features", false)}}};
  for (const auto& [name, settings] : kinds) {
    const ModelKind& kind = FindModelKind(name);
    ExpectSame(kind, Train(kind, {}, settings).scores, Train(kind, turned, settings).scores, 1e-9);
  }
}

TEST(EveryKind, AWeightIsThatManyRows) {
  Given weighed{.weighs = true};
  Given copied;
  for (size_t row = 0; row < kRows; ++row)
    for (int copy = 0; copy < static_cast<int>(copied.numbers.weight[row]); ++copy)
      copied.order.push_back(row);
  for (const ModelKind* kind : TrainedKinds()) {
    // Forests draw rows, of which there are more when they are copied.
    if (!kind->takes_weights || kind->name.starts_with("random")) continue;
    ExpectSame(*kind, Train(*kind, weighed).scores, Train(*kind, copied).scores, Rounding(*kind));
  }
}

}  // namespace
}  // namespace braid::ml
