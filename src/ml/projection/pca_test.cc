// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "ml/projection/pca_kind.h"
#include "ml/projection/pca_trainer.h"
#include "ml/random_stream.h"
#include "ml/test_rows.h"

namespace braid::ml {
namespace {

struct Rows {
  TrainingRequest request{.kind = "pca"};
  TestRows rows;

  void Add(const std::string& name, InputKind kind, const std::vector<Text>& values) {
    request.inputs.push_back({name, kind});
    rows.AddColumn(kind == InputKind::kNumeric ? ColumnKind::kDouble : ColumnKind::kString, values);
  }
  std::unique_ptr<PcaModel> Train(const PcaOptions& options = {}) {
    return TrainPca(request, options, rows, {});
  }
  std::unique_ptr<PcaModel> TrainFromMoments(const PcaOptions& options = {}) {
    GramAccumulator gram(request.inputs.size());
    TestRows with_label = rows_with_label();
    with_label.Scan([&](const Batch& batch) { gram.Add(batch); });
    return TrainPcaFromMoments(request, options, gram, rows, {});
  }

 private:
  TestRows rows_with_label() {
    TestRows copy;
    for (const auto& values : numbers) copy.AddColumn(ColumnKind::kDouble, values);
    copy.AddNumbers(std::vector<double>(rows.rows()));
    return copy;
  }

 public:
  std::vector<std::vector<Text>> numbers;
  void AddNumeric(const std::string& name, const std::vector<Text>& values) {
    numbers.push_back(values);
    Add(name, InputKind::kNumeric, values);
  }
};

Rows OfTable(const std::string& name, const std::vector<std::string>& inputs) {
  const TestTable table = ReadOracleTable(name);
  Rows rows;
  for (const std::string& input : inputs) rows.AddNumeric(input, table.Column(input));
  return rows;
}

void ExpectNear(const std::vector<double>& got, const std::vector<double>& wanted,
                double tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], wanted[i], tolerance * (1 + std::abs(wanted[i])));
}

std::vector<double> Column(const std::vector<double>& scores, size_t width, size_t column) {
  std::vector<double> values;
  for (size_t i = column; i < scores.size(); i += width) values.push_back(scores[i]);
  return values;
}

TEST(Pca, AgreesWithScikitLearn) {
  const nlohmann::json reference =
      nlohmann::json::parse(ReadFile(TestData() / "cluster/reference.json"));
  for (const auto& fit : reference.at("pca")) {
    Rows rows = OfTable(fit.at("table"), fit.at("inputs").get<std::vector<std::string>>());
    const size_t width = rows.request.inputs.size();
    const PcaOptions options{.scale_features = fit.at("scale").get<bool>()};
    PcaOptions one = options;
    one.num_principal_components = 1;
    std::vector<double> components;
    for (const auto& component : fit.at("components"))
      for (const double value : component) components.push_back(value);
    for (const bool from_moments : {false, true}) {
      const auto model = from_moments ? rows.TrainFromMoments(options) : rows.Train(options);
      ExpectNear(model->parts().eigenvalues, fit.at("eigenvalues").get<std::vector<double>>(),
                 1e-12);
      // Of two inputs both coordinates are the largest, so rounding decides the sign.
      std::vector<double> found = model->parts().components;
      const double sign = found[0] * components[0] < 0 ? -1 : 1;
      for (size_t k = 0; k < width; ++k) {
        const bool turned = found[k * width] * components[k * width] < 0;
        EXPECT_TRUE(width == 2 || !turned);
        for (size_t f = 0; turned && f < width; ++f) found[k * width + f] *= -1;
      }
      ExpectNear(found, components, 1e-10);
      std::vector<double> scores(rows.rows.rows() * width);
      model->Score(rows.rows.BatchOf(0, rows.rows.rows(), width), scores);
      for (double& score : scores) score *= sign;
      ExpectNear(Column(scores, width, 0), fit.at("first_scores").get<std::vector<double>>(),
                 1e-11);
      const auto first = from_moments ? rows.TrainFromMoments(one) : rows.Train(one);
      std::vector<double> errors(rows.rows.rows());
      std::vector<int64_t> unused(errors.size());
      first->AnomalyScores(rows.rows.BatchOf(0, errors.size(), width), errors, unused);
      ExpectNear(errors, fit.at("error_of_one").get<std::vector<double>>(), 1e-11);
    }
  }
}

// R 4.2.2: prcomp(USArrests, scale. = TRUE).
TEST(Pca, AgreesWithPrcomp) {
  Rows rows = OfTable("pca_usarrests", {"Murder", "Assault", "UrbanPop", "Rape"});
  const auto expected = ReadOracle("pca_usarrests").at("expected");
  const auto deviations = expected.at("standard_deviations").get<std::vector<double>>();
  const auto model = rows.Train();
  for (size_t k = 0; k < 4; ++k) {
    EXPECT_NEAR(std::sqrt(model->parts().eigenvalues[k]), deviations[k], 1e-13);
    const auto& loadings = expected.at("loadings").at(fmt::format("PC{}", k + 1));
    for (size_t f = 0; f < 4; ++f)
      EXPECT_NEAR(std::abs(model->parts().components[k * 4 + f]),
                  std::abs(loadings.at(rows.request.inputs[f].name).get<double>()), 1e-12);
  }
}

TEST(Pca, KeepsAsManyComponentsAsAskedFor) {
  Rows rows = OfTable("pca_usarrests", {"Murder", "Assault", "UrbanPop", "Rape"});
  EXPECT_EQ(rows.Train()->score_count(), 4U);
  EXPECT_EQ(rows.Train({.num_principal_components = 3})->score_count(), 3U);
  EXPECT_EQ(rows.Train({.explained_variance_ratio = 0.62})->score_count(), 1U);
  EXPECT_EQ(rows.Train({.explained_variance_ratio = 0.8})->score_count(), 2U);
  EXPECT_EQ(rows.Train({.explained_variance_ratio = 1.0})->score_count(), 4U);
  EXPECT_EQ(CodeOf([&] { rows.Train({.num_principal_components = 5}); }), ErrorCode::kTrainingData);
}

TEST(Pca, RandomisedFindsTheSameComponents) {
  RandomStream random(3);
  Rows rows;
  std::vector<std::vector<double>> factors(5, std::vector<double>(800));
  for (auto& factor : factors)
    for (double& value : factor) value = random.Gaussian();
  for (int column = 0; column < 60; ++column) {
    std::vector<Text> values;
    std::vector<double> weights;
    for (size_t k = 0; k < factors.size(); ++k)
      weights.push_back(random.Gaussian() / static_cast<double>(1 + k));
    for (size_t row = 0; row < 800; ++row) {
      double value = 0.01 * random.Gaussian();
      for (size_t k = 0; k < factors.size(); ++k) value += weights[k] * factors[k][row];
      values.emplace_back(fmt::format("{}", value));
    }
    rows.AddNumeric(fmt::format("x{}", column), values);
  }
  const PcaOptions full{
      .num_principal_components = 5, .scale_features = false, .solver = PcaSolver::kFull};
  PcaOptions randomised = full;
  randomised.solver = PcaSolver::kRandomized;
  const auto a = rows.Train(full);
  const auto b = rows.Train(randomised);
  rows.request.threads = 3;
  EXPECT_EQ(rows.Train(randomised)->ToArtefact(), b->ToArtefact());
  ExpectNear(b->parts().eigenvalues, a->parts().eigenvalues, 1e-10);
  ExpectNear(b->parts().components, a->parts().components, 1e-8);
  EXPECT_NEAR(a->parts().total_variance, b->parts().total_variance, 1e-9);
}

// Two levels are one direction, along which the indicators differ; the coordinates have mean 0.
TEST(Pca, CategoriesAreIndicatorsAboutTheirShare) {
  Rows rows;
  rows.Add("c", InputKind::kCategory, {"a", "a", "a", {}});
  const auto model = rows.Train();
  EXPECT_EQ(model->score_count(), 2U);
  EXPECT_NEAR(model->parts().eigenvalues[0], 0.5, 1e-15);
  EXPECT_NEAR(model->parts().eigenvalues[1], 0, 1e-15);
  std::vector<double> scores(8);
  model->Score(rows.rows.BatchOf(0, 4, 1), scores);
  EXPECT_NEAR(std::abs(scores[0]), std::sqrt(0.5) / 2, 1e-15);
  EXPECT_NEAR(scores[0] * 3 + scores[6], 0, 1e-15);
  Rows unseen;
  unseen.Add("c", InputKind::kCategory, {"b"});
  std::vector<double> score(2);
  model->Score(unseen.rows.BatchOf(0, 1, 1), score);
  EXPECT_TRUE(std::isfinite(score[0]));
}

TEST(Pca, NullIsTheMean) {
  Rows rows;
  rows.AddNumeric("x", {"1", {}, "3", "nan", "2"});
  rows.AddNumeric("y", {"1", "2", "4", "0", {}});
  const auto from_rows = rows.Train();
  const auto from_moments = rows.TrainFromMoments();
  ExpectNear(from_rows->parts().eigenvalues, from_moments->parts().eigenvalues, 1e-14);
  std::vector<double> scores(10);
  from_rows->Score(rows.rows.BatchOf(0, 5, 2), scores);
  EXPECT_NEAR(scores[0] + scores[2] + scores[4] + scores[6] + scores[8], 0, 1e-14);
}

TEST(Pca, RefusesRowsThatDoNotVary) {
  Rows one;
  one.AddNumeric("x", {"4"});
  Rows constant;
  constant.AddNumeric("x", {"4", "4", "4"});
  Rows none;
  none.AddNumeric("x", {});
  Rows infinite;
  infinite.AddNumeric("x", {"1", "-inf"});
  for (Rows* rows : {&one, &constant, &none, &infinite}) {
    EXPECT_EQ(CodeOf([&] { rows->Train(); }), ErrorCode::kTrainingData);
    EXPECT_EQ(CodeOf([&] { rows->TrainFromMoments(); }), ErrorCode::kTrainingData);
  }
}

TEST(Pca, ArtefactGivesAnEqualModel) {
  Rows rows = OfTable("pca_usarrests", {"Murder", "Assault", "UrbanPop", "Rape"});
  const std::string artefact = rows.Train({.num_principal_components = 2})->ToArtefact();
  EXPECT_EQ(PcaKind().load(artefact)->ToArtefact(), artefact);
  EXPECT_EQ(CodeOf([&] { PcaKind().load(R"({"format":"braid.pca","version":1})"); }),
            ErrorCode::kLakeDamaged);
}

}  // namespace
}  // namespace braid::ml
