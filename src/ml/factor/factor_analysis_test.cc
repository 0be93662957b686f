// SPDX-License-Identifier: Apache-2.0
// Against R's factanal, psych and GPArotation (tests/data/factor_analysis/make_oracle.R).
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "ml/factor/factor_kind.h"
#include "ml/factor/factor_model.h"
#include "ml/factor/factor_rotation.h"
#include "ml/test_rows.h"

namespace braid::ml {

namespace {

const std::filesystem::path kData = TestData() / "factor_analysis";

TrainedModel TrainOn(const TestTable& table, std::vector<Option> settings, int64_t seed = 0) {
  TrainingRequest request{.kind = "factor_analysis", .settings = std::move(settings), .seed = seed};
  TestRows rows;
  for (size_t c = 0; c < table.names.size(); ++c) {
    request.inputs.push_back({table.names[c], InputKind::kNumeric});
    rows.AddColumn(ColumnKind::kDouble, table.columns[c]);
  }
  return FactorAnalysisKind().train(request, rows, {});
}

Option Words(const std::string& name, const std::string& value) {
  return {.name = name, .value = {value}};
}
Option Number(const std::string& name, int64_t value) { return {.name = name, .value = {value}}; }

const FactorParts& PartsOf(const TrainedModel& trained) {
  return dynamic_cast<const FactorModel&>(*trained.model).parts();
}

// case + quantity → (row, column) → value
using Cells = std::map<std::pair<size_t, size_t>, double>;
std::map<std::string, Cells> ReadCells() {
  const TestTable table = ReadTable(kData / "oracle.csv");
  std::map<std::string, Cells> all;
  for (size_t r = 0; r < table.rows(); ++r)
    all[*table.columns[0][r] + " " + *table.columns[1][r]]
       [{std::stoul(*table.columns[2][r]), std::stoul(*table.columns[3][r])}] =
           std::stod(*table.columns[4][r]);
  return all;
}

double Furthest(const Matrix& matrix, const Cells& cells) {
  double furthest = matrix.cells.size() == cells.size() ? 0 : INFINITY;
  for (const auto& [at, value] : cells)
    furthest = std::max(furthest, std::abs(matrix(at.first, at.second) - value));
  return furthest;
}

TestTable Columns(const std::vector<std::vector<double>>& columns) {
  TestTable table;
  for (const std::vector<double>& column : columns) {
    table.names.push_back(fmt::format("c{}", table.names.size()));
    std::vector<Text>& texts = table.columns.emplace_back();
    for (const double value : column) texts.emplace_back(fmt::format("{}", value));
  }
  return table;
}

struct Case {
  std::string data;
  int64_t factors;
};
const std::vector<Case> kCases = {{"ability", 2}, {"harman74", 4}};

}  // namespace

TEST(FactorAnalysis, LoadingsAreThoseOfR) {
  const auto oracle = ReadCells();
  for (const auto& [data, factors] : kCases) {
    const TestTable table = ReadTable(kData / (data + ".csv"));
    for (const std::string rotation :
         {"none", "varimax", "promax", "quartimax", "oblimin", "geomin"}) {
      SCOPED_TRACE(data + " " + rotation);
      const TrainedModel trained =
          TrainOn(table, {Number("num_factors", factors), Words("extraction_method", "ML"),
                          Words("rotation", rotation)});
      const std::string name = data + "_ml_" + rotation;
      EXPECT_LT(Furthest(PartsOf(trained).loadings, oracle.at(name + " loadings")), 2e-6);
      EXPECT_LT(Furthest(PartsOf(trained).correlations, oracle.at(name + " correlations")), 2e-6);
    }
  }
}

TEST(FactorAnalysis, MinresAndPrincipalAxesReachTheSameOptimum) {
  const auto oracle = ReadCells();
  for (const auto& [data, factors] : kCases) {
    const TestTable table = ReadTable(kData / (data + ".csv"));
    for (const std::string method : {"MINRES", "PRINCIPAL_AXIS"}) {
      SCOPED_TRACE(data + " " + method);
      const TrainedModel trained =
          TrainOn(table, {Number("num_factors", factors), Words("extraction_method", method),
                          Words("rotation", "NONE"), Number("max_iterations", 100000)});
      // psych stops its minimisation earlier.
      EXPECT_LT(Furthest(PartsOf(trained).loadings, oracle.at(data + "_minres_none loadings")),
                2e-4);
    }
  }
}

TEST(FactorAnalysis, FitIsThatOfR) {
  const auto oracle = ReadCells();
  for (const auto& [data, factors] : kCases) {
    SCOPED_TRACE(data);
    const TrainedModel trained =
        TrainOn(ReadTable(kData / (data + ".csv")),
                {Number("num_factors", factors), Words("extraction_method", "ML")});
    const FactorParts& parts = PartsOf(trained);
    const Cells& fit = oracle.at(data + "_ml_none fit");
    EXPECT_EQ(parts.fit.degrees_of_freedom, fit.at({0, 0}));
    EXPECT_NEAR(*parts.fit.chi_square, fit.at({1, 0}), 1e-6);
    EXPECT_NEAR(*parts.fit.p_value, fit.at({2, 0}), 1e-7);
    const Cells& psych = oracle.at(data + "_ml_none psych");
    EXPECT_NEAR(*parts.fit.rmsea, psych.at({0, 0}), 1e-6);
    EXPECT_NEAR(*parts.fit.tli, psych.at({1, 0}), 1e-6);
    EXPECT_NEAR(*parts.fit.bic, psych.at({2, 0}), 1e-4);
    EXPECT_NEAR(parts.fit.srmr, psych.at({3, 0}), 1e-6);
    const Cells& bartlett = oracle.at(data + " bartlett");
    EXPECT_NEAR(*parts.fit.bartlett_chi_square, bartlett.at({0, 0}), 1e-6);
    EXPECT_EQ(parts.fit.bartlett_df, bartlett.at({1, 0}));
    EXPECT_NEAR(*parts.fit.bartlett_p_value / bartlett.at({2, 0}), 1, 1e-6);
    EXPECT_NEAR(*parts.fit.kmo, oracle.at(data + " kmo").at({0, 0}), 1e-9);
    for (const auto& [at, value] : oracle.at(data + " msa"))
      EXPECT_NEAR(*parts.adequacy[at.first], value, 1e-9);
    for (const auto& [at, value] : oracle.at(data + " eigenvalues"))
      EXPECT_NEAR(parts.eigenvalues[at.first], value, 1e-9);
  }
}

TEST(FactorAnalysis, ParallelAnalysisCountsFactorsAndIsSeeded) {
  const TestTable table = ReadTable(kData / "harman74.csv");
  const TrainedModel first = TrainOn(table, {}, 7);
  EXPECT_EQ(first.model->ToArtefact(), TrainOn(table, {}, 7).model->ToArtefact());
  EXPECT_NE(first.model->ToArtefact(), TrainOn(table, {}, 8).model->ToArtefact());
  // Of 100 replicates here, of 2000 there.
  const Cells random = ReadCells().at("harman74 random_eigenvalues");
  size_t above = 0;
  while (PartsOf(first).eigenvalues[above] > random.at({above, 0})) ++above;
  EXPECT_EQ(first.model->score_count(), above);
  for (const auto& [at, value] : random)
    EXPECT_NEAR(PartsOf(first).reference_eigenvalues[at.first], value, 0.04);
}

TEST(FactorAnalysis, ScoresAreThoseOfR) {
  const auto oracle = ReadCells();
  for (const auto& [data, factors] : kCases) {
    const TestTable table = ReadTable(kData / (data + ".csv"));
    TestRows rows;
    for (const std::vector<Text>& column : table.columns)
      rows.AddColumn(ColumnKind::kDouble, column);
    for (const std::string scores : {"regression", "bartlett"}) {
      const TrainedModel trained =
          TrainOn(table, {Number("num_factors", factors), Words("extraction_method", "ML"),
                          Words("rotation", "NONE"), Words("scores", scores)});
      Matrix found(5, static_cast<size_t>(factors));
      trained.model->Score(rows.BatchOf(0, 5, table.names.size()), found.cells);
      EXPECT_LT(Furthest(found, oracle.at(data + " " + scores + "_scores")), 1e-5)
          << data << scores;
    }
  }
}

// The least criteria that factor_analyzer finds from 60 starts (rotation_starts.py).
TEST(FactorAnalysis, StartsFindTheLeastCriterion) {
  const auto reference = nlohmann::json::parse(ReadFile(kData / "rotation_starts.json"));
  const std::map<std::string, Rotation> rotations = {{"geomin", Rotation::kGeomin},
                                                     {"oblimin", Rotation::kOblimin},
                                                     {"quartimax", Rotation::kQuartimax},
                                                     {"varimax", Rotation::kVarimax}};
  size_t better = 0;
  for (const nlohmann::json& data : reference.at("cases")) {
    const auto rows = data.at("loadings").get<std::vector<std::vector<double>>>();
    Matrix loadings(rows.size(), rows[0].size());
    for (size_t i = 0; i < loadings.rows; ++i)
      for (size_t j = 0; j < loadings.columns; ++j) loadings(i, j) = rows[i][j];
    for (const nlohmann::json& expected : data.at("rotations")) {
      const auto name = expected.at("rotation").get<std::string>();
      SCOPED_TRACE(data.at("name").get<std::string>() + " " + name);
      const Rotation rotation = rotations.at(name);
      const Rotated once = RotateFactors(loadings, rotation, false, {});
      const Rotated found = RotateFactors(loadings, rotation, false, {.starts = 30});
      EXPECT_TRUE(found.converged);
      // factor_analyzer's varimax goes another way, and stops a little early.
      const auto least = expected.at("least").get<double>();
      EXPECT_LE(found.criterion, least + 1e-6);
      EXPECT_NEAR(found.criterion, least, name == "varimax" ? 1e-5 : 1e-6);
      EXPECT_LE(found.criterion, once.criterion * (once.criterion < 0 ? 1 - 1e-8 : 1 + 1e-8));
      if (found.criterion < once.criterion - 1e-4) ++better;
      const Rotated by_four =
          RotateFactors(loadings, rotation, false, {.starts = 30, .threads = 4});
      EXPECT_EQ(by_four.loadings.cells, found.loadings.cells);
    }
  }
  // Both geomins from the unrotated loadings alone end higher.
  EXPECT_EQ(better, 2U);
}

TEST(FactorAnalysis, StopsBetweenStarts) {
  std::stop_source stop;
  stop.request_stop();
  Matrix loadings(4, 2);
  for (size_t i = 0; i < 4; ++i) loadings(i, i % 2) = 0.5 + 0.1 * static_cast<double>(i);
  EXPECT_EQ(CodeOf([&] {
              RotateFactors(loadings, Rotation::kGeomin, false,
                            {.starts = 30, .stop = stop.get_token()});
            }),
            ErrorCode::kInterrupted);
}

TEST(FactorAnalysis, AnArtefactGivesTheSameModel) {
  const TrainedModel trained = TrainOn(ReadTable(kData / "ability.csv"), {});
  const std::string text = trained.model->ToArtefact();
  EXPECT_EQ(FactorModel::FromArtefact(text).ToArtefact(), text);
  EXPECT_EQ(CodeOf([&] { FactorModel::FromArtefact(text.substr(0, text.size() / 2)); }),
            ErrorCode::kLakeDamaged);
}

TEST(FactorAnalysis, UnfitRowsAreRefused) {
  const auto failure = [](const TestTable& table, std::vector<Option> settings = {}) {
    return CodeOf([&] { TrainOn(table, std::move(settings)); });
  };
  EXPECT_EQ(failure(Columns({{}, {}, {}})), ErrorCode::kTrainingData);
  EXPECT_EQ(failure(Columns({{1}, {2}, {3}})), ErrorCode::kTrainingData);
  EXPECT_EQ(failure(Columns({{1, 2, 3, 4}, {2, 1, 5, 2}})), ErrorCode::kTrainingData);
  EXPECT_EQ(failure(Columns({{1, 2, 3, 4}, {2, 1, 5, 2}, {7, 7, 7, 7}})), ErrorCode::kTrainingData);
  EXPECT_EQ(failure(Columns({{1, 2, 3, 4}, {2, 1, 5, 2}, {7, INFINITY, 7, 7}})),
            ErrorCode::kTrainingData);
  const TestTable ability = ReadTable(kData / "ability.csv");
  EXPECT_EQ(failure(ability, {Number("num_factors", 4)}), ErrorCode::kInvalidOption);
  EXPECT_EQ(failure(ability, {Number("num_factors", 0)}), ErrorCode::kInvalidOption);
  EXPECT_EQ(failure(ability, {Number("num_starts", 0)}), ErrorCode::kInvalidOption);
  EXPECT_EQ(failure(ability, {Number("num_starts", 1001)}), ErrorCode::kInvalidOption);
}

TEST(FactorAnalysis, SingularCorrelationsHaveNoChiSquare) {
  TestTable table = ReadTable(kData / "ability.csv");
  table.names.emplace_back("again");
  table.columns.push_back(table.columns[0]);
  const TrainedModel trained = TrainOn(table, {Number("num_factors", 2)});
  EXPECT_FALSE(PartsOf(trained).fit.chi_square);
  EXPECT_FALSE(PartsOf(trained).fit.kmo);
  EXPECT_FALSE(trained.notices.empty());
  EXPECT_EQ(CodeOf([&] { TrainOn(table, {Words("extraction_method", "ML")}); }),
            ErrorCode::kTrainingData);
}

TEST(FactorAnalysis, FiveRowsOfSixInputs) {
  TestTable table = ReadTable(kData / "ability.csv");
  for (std::vector<Text>& column : table.columns) column.resize(5);
  const TrainedModel trained = TrainOn(table, {});
  for (const double loading : PartsOf(trained).loadings.cells) EXPECT_LE(std::abs(loading), 1.01);
}

}  // namespace braid::ml
