// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/xgboost_import.h"

#include "ml/test_imported.h"

namespace braid::ml {

namespace {

ImportedModel Import(const std::string& file, std::vector<Option> settings = {},
                     std::vector<InputColumn> inputs = {}) {
  return ImportXgboost(
      {.file = file, .inputs = std::move(inputs), .label = "", .settings = std::move(settings)});
}

class XgboostFile : public testing::TestWithParam<std::string> {};

TEST_P(XgboostFile, AnswersAsTheLibrary) {
  const bool named = GetParam() != "forest.ubj" && GetParam() != "dart.json";
  const ImportedModel imported =
      Import(ImportedFile(GetParam()), {}, named ? std::vector<InputColumn>() : Numbers(10));
  ExpectAnswers(*imported.model, GetParam(), 1e-6);
  EXPECT_EQ(imported.label_type, imported.model->task() == Task::kRegression ? "DOUBLE" : "BIGINT");
  const std::string artefact = imported.model->ToArtefact();
  EXPECT_EQ(FindModelKind(imported.model->kind()).load(artefact)->ToArtefact(), artefact);
}
INSTANTIATE_TEST_SUITE_P(All, XgboostFile,
                         testing::Values("binary.json", "classes.ubj", "two_classes.json",
                                         "forest.ubj", "dart.json"));

TEST(XgboostImport, ContributionsAndBaselineAreTheScore) {
  const ImportedModel imported = Import(ImportedFile("forest.ubj"), {}, Numbers(10));
  TestRows rows;
  for (int c = 0; c < 10; ++c) rows.AddNumbers({0.01 * c, -0.02, 0.03});
  const Batch& batch = rows.BatchOf(0, 3, 10);
  std::vector<double> values(3);
  imported.model->Score(batch, values);
  std::vector<double> explained(3 * 11);
  imported.model->Explain(batch, explained);
  for (size_t row = 0; row < 3; ++row) {
    double sum = 0;
    for (size_t c = 0; c < 11; ++c) sum += explained[row * 11 + c];
    EXPECT_NEAR(sum, values[row], 1e-4);
  }
}

TEST(XgboostImport, LabelsGiveTheClassesTheirNames) {
  const nlohmann::json reference = ImportedReference("binary.json");
  const double p = reference.at("answers")[0][0].get<double>();  // of the second label
  const ImportedModel imported =
      Import(ImportedFile("binary.json"), {ClassLabelsOption({{"other"}, {"a virginica"}})});
  EXPECT_EQ(imported.model->classes(), (std::vector<std::string>{"a virginica", "other"}));
  EXPECT_NEAR(AnswersOf(*imported.model, reference)[0], p, 1e-6);
  const ImportedModel three =
      Import(ImportedFile("classes.ubj"), {ClassLabelsOption({{"c"}, {"a"}, {"b"}})});
  const nlohmann::json classes = ImportedReference("classes.ubj");
  EXPECT_NEAR(AnswersOf(*three.model, classes)[2], classes.at("answers")[0][0].get<double>(), 1e-6);
}

TEST(XgboostImport, RefusesWhatHasNoSuchForm) {
  const auto code = [](const std::string& file, std::vector<InputColumn> inputs = {}) {
    return CodeOf([&] { Import(file, {}, inputs); });
  };
  EXPECT_EQ(code(ImportedFile("poisson.json"), Numbers(10)), ErrorCode::kModelImport);
  EXPECT_EQ(code(ImportedFile("forest.ubj")), ErrorCode::kModelImport);  // unnamed inputs
  EXPECT_EQ(code(ImportedFile("forest.ubj"), Numbers(9)), ErrorCode::kModelImport);
  EXPECT_EQ(code(ImportedFile("iris_forest.onnx")), ErrorCode::kModelImport);
  EXPECT_EQ(code(""), ErrorCode::kModelImport);
  EXPECT_EQ(code("{}"), ErrorCode::kModelImport);
  EXPECT_EQ(code("{\"a\":" + std::string(100'000, '[')), ErrorCode::kModelImport);
  EXPECT_EQ(code("{U\x01"
                 "a" +
                 std::string(100'000, '[')),
            ErrorCode::kModelImport);
  EXPECT_EQ(code(std::string("{U\x01"
                             "a[$Z#l\x7f\xff\xff\xff",
                             12)),
            ErrorCode::kModelImport);
}

// Every cut, and every number of the trees replaced by a hostile one: an error or a model, no
// crash.
TEST(XgboostImport, DamagedFilesAreErrors) {
  for (const char* name : {"binary.json", "classes.ubj"}) {
    const std::string file = ImportedFile(name);
    for (size_t size = 0; size < file.size(); size += 61)
      EXPECT_EQ(CodeOf([&] { Import(file.substr(0, size)); }), ErrorCode::kModelImport);
  }
  const nlohmann::json whole = nlohmann::json::parse(ImportedFile("binary.json"));
  const nlohmann::json::json_pointer trees("/learner/gradient_booster/model/trees/0");
  for (const char* column : {"left_children", "right_children", "split_indices"})
    for (const int64_t value :
         {INT64_MIN, int64_t{-2}, int64_t{0}, int64_t{1}, int64_t{4}, int64_t{1000}, INT64_MAX}) {
      nlohmann::json damaged = whole;
      damaged[trees][column][1] = value;
      try {
        Import(damaged.dump());
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kModelImport) << column << " " << value;
      }
    }
}

}  // namespace

}  // namespace braid::ml
