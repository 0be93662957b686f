// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_trainer.h"
#include "ml/onnx/onnx_model.h"
#include "ml/test_imported.h"

namespace braid::ml {

namespace {

ImportedModel Import(const std::string& name, std::vector<Option> settings = {},
                     std::vector<InputColumn> inputs = {}, const std::string& label = "") {
  return FindModelKind("onnx").import({.file = ImportedFile(name),
                                       .inputs = std::move(inputs),
                                       .label = label,
                                       .settings = std::move(settings)});
}

const Option kSpecies = ClassLabelsOption({{"setosa"}, {"versicolor"}, {"virginica"}});

TEST(OnnxImport, AForestAnswersAsScikitLearn) {
  const ImportedModel imported = Import("iris_forest.onnx", {kSpecies}, {}, "species");
  EXPECT_EQ(imported.model->task(), Task::kClassification);
  EXPECT_EQ(imported.label, "species");
  EXPECT_EQ(imported.label_type, "VARCHAR");
  ASSERT_EQ(imported.columns.size(), 1U);
  EXPECT_EQ(imported.columns[0].name, "flower");
  EXPECT_EQ(imported.columns[0].width, 4U);
  ExpectAnswers(*imported.model, "iris_forest.onnx", 1e-6);
}

TEST(OnnxImport, LabelsInAnotherOrderMoveTheProbabilities) {
  const ImportedModel imported =
      Import("iris_forest.onnx", {ClassLabelsOption({{"c"}, {"b"}, {"a"}})});
  EXPECT_EQ(imported.model->classes(), (std::vector<std::string>{"a", "b", "c"}));
  const nlohmann::json reference = ImportedReference("iris_forest.onnx");
  const std::vector<double> answers = AnswersOf(*imported.model, reference);
  EXPECT_NEAR(answers[0], reference.at("answers")[0][2].get<double>(), 1e-6);
  EXPECT_NEAR(answers[2], reference.at("answers")[0][0].get<double>(), 1e-6);
}

TEST(OnnxImport, IntegerLabelsAreOrderedAsNumbers) {
  const ImportedModel imported = Import(
      "iris_forest.onnx", {ClassLabelsOption({{int64_t{10}}, {int64_t{9}}, {int64_t{100}}})});
  EXPECT_EQ(imported.label_type, "BIGINT");
  EXPECT_EQ(imported.model->classes(), (std::vector<std::string>{"9", "10", "100"}));
}

TEST(OnnxImport, ABatchOfOneRowIsRunRowByRow) {
  const ImportedModel imported = Import("iris_one_row.onnx", {kSpecies});
  ExpectAnswers(*imported.model, "iris_forest.onnx", 1e-6);
}

TEST(OnnxImport, InputNamesTheColumnsAndTheirNumber) {
  EXPECT_EQ(CodeOf([] { Import("diabetes_ridge.onnx", {}, {}, "progress"); }),
            ErrorCode::kModelImport);  // of unknown width
  const ImportedModel imported = Import("diabetes_ridge.onnx", {}, Numbers(10), "progress");
  EXPECT_EQ(imported.model->task(), Task::kRegression);
  EXPECT_EQ(imported.columns.size(), 10U);
  ExpectAnswers(*imported.model, "diabetes_ridge.onnx", 1e-9);
}

TEST(OnnxImport, TextsAndNumbersMayBeMixed) {
  const ImportedModel imported = Import("mixed_logistic.onnx", {kSpecies});
  ASSERT_EQ(imported.model->input_columns().size(), 2U);
  EXPECT_EQ(imported.model->input_columns()[1].kind, InputKind::kCategory);
  ExpectAnswers(*imported.model, "mixed_logistic.onnx", 1e-5);
  // The graph has no form for a text that is NULL.
  nlohmann::json reference = ImportedReference("mixed_logistic.onnx");
  reference.at("rows")[1][1] = nullptr;
  const std::vector<double> answers = AnswersOf(*imported.model, reference);
  EXPECT_TRUE(std::isnan(answers[3]));
  EXPECT_FALSE(std::isnan(answers[0]));
}

TEST(OnnxImport, WithoutALabelOutputsAreColumns) {
  const ImportedModel imported = Import("iris_forest.onnx");
  EXPECT_EQ(imported.model->task(), Task::kProjection);
  EXPECT_EQ(
      imported.model->score_names(),
      (std::vector<std::string>{"label", "probabilities_1", "probabilities_2", "probabilities_3"}));
  const std::vector<double> answers =
      AnswersOf(*imported.model, ImportedReference("iris_forest.onnx"));
  EXPECT_EQ(answers[0], 0);
  EXPECT_NEAR(answers[1], 1, 1e-6);
}

TEST(OnnxImport, RefusesWhatCannotAnswer) {
  const auto code = [](const std::function<void()>& run) { return CodeOf(run); };
  EXPECT_EQ(code([] { Import("binary.json"); }), ErrorCode::kModelImport);
  EXPECT_EQ(code([] { Import("iris_zipmap.onnx", {kSpecies}); }), ErrorCode::kModelImport);
  EXPECT_EQ(code([] { Import("iris_forest.onnx", {ClassLabelsOption({{"a"}, {"b"}})}); }),
            ErrorCode::kModelImport);
  EXPECT_EQ(code([] { Import("iris_forest.onnx", {ClassLabelsOption({{"a"}, {"a"}, {"b"}})}); }),
            ErrorCode::kInvalidOption);
  EXPECT_EQ(code([] { Import("iris_forest.onnx", {kSpecies}, Numbers(3)); }),
            ErrorCode::kModelImport);
  EXPECT_EQ(code([] { Import("mixed_logistic.onnx", {kSpecies}, Numbers(2)); }),
            ErrorCode::kModelImport);  // text, not a number
  const std::string file = ImportedFile("iris_forest.onnx");
  for (size_t size = 0; size < file.size(); size += 97)
    EXPECT_EQ(code([&] {
                OnnxModel(OnnxParts{.file = file.substr(0, size), .classes = {{"a", "b", "c"}}});
              }),
              ErrorCode::kModelImport)
        << size;
}

TEST(OnnxImport, ArtefactsGiveTheSameModel) {
  const ImportedModel imported = Import("mixed_logistic.onnx", {kSpecies}, {}, "species");
  const std::string artefact = imported.model->ToArtefact();
  const std::unique_ptr<Model> loaded = FindModelKind("onnx").load(artefact);
  EXPECT_EQ(loaded->ToArtefact(), artefact);
  ExpectAnswers(*loaded, "mixed_logistic.onnx", 1e-5);
  EXPECT_EQ(CodeOf([&] { FindModelKind("onnx").load(artefact.substr(0, artefact.size() / 2)); }),
            ErrorCode::kLakeDamaged);
}

TEST(OnnxImport, OurOwnExportComesBack) {
  TestTable table = ReadTable(TestData() / "penguins/penguins_tutorial.csv");
  const size_t species = 0;
  for (size_t row = 0; row < table.rows(); row += 9) table.columns[1][row].reset();
  TestTraining training = MakeTraining(GlmType::kLogisticReg, table, table.names[species],
                                       {"culmen_length_mm", "body_mass_g", "island"}, {"island"});
  const TrainedGlm trained = Train(training);
  const OnnxModel imported(OnnxParts{.file = trained.model.ToOnnx()});
  EXPECT_EQ(imported.label(), table.names[species]);
  EXPECT_EQ(imported.classes(), trained.model.classes());
  const std::vector<double> own = PredictAll(trained.model, training.rows);
  std::vector<double> out(own.size());
  imported.Score(training.rows.BatchOf(0, training.rows.rows(), 3), out);
  for (size_t n = 0; n < own.size(); ++n) EXPECT_NEAR(out[n], own[n], 1e-12);
}

}  // namespace

}  // namespace braid::ml
