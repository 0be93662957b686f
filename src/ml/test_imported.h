// SPDX-License-Identifier: Apache-2.0
// What the tests of imported models share: the files of tests/data/imported and the answers of
// their makers' own libraries.
#pragma once
#include <gtest/gtest.h>

#include "ml/model_kind.h"
#include "ml/test_rows.h"

namespace braid::ml {

inline std::string ImportedFile(const std::string& name) {
  return ReadFile(TestData() / "imported" / name);
}

inline nlohmann::json ImportedReference(const std::string& name) {
  return nlohmann::json::parse(ReadFile(TestData() / "imported/reference.json")).at(name);
}

inline std::vector<double> AnswersOf(const Model& model, const nlohmann::json& reference) {
  TestRows rows;
  const std::vector<InputColumn> inputs = model.input_columns();
  for (size_t c = 0; c < inputs.size(); ++c) {
    std::vector<Text> texts;
    for (const auto& row : reference.at("rows")) {
      const auto& cell = row.at(c);
      texts.push_back(cell.is_null()     ? Text()
                      : cell.is_string() ? Text(cell.get<std::string>())
                                         : Text(fmt::format("{}", cell.get<double>())));
    }
    rows.AddColumn(
        inputs[c].kind == InputKind::kNumeric ? ColumnKind::kDouble : ColumnKind::kString, texts);
  }
  std::vector<double> out(rows.rows() * model.score_count());
  model.Score(rows.BatchOf(0, rows.rows(), inputs.size()), out);
  return out;
}

// One probability or value a row stands for two classes' second one, or for the value.
inline void ExpectAnswers(const Model& model, const std::string& name, double tolerance) {
  const nlohmann::json reference = ImportedReference(name);
  const std::vector<double> answers = AnswersOf(model, reference);
  size_t at = 0;
  for (const auto& row : reference.at("answers"))
    for (size_t k = 0; k < model.score_count(); ++k, ++at) {
      const double expected = row.size() == model.score_count() ? row[k].get<double>()
                              : k == 1                          ? row[0].get<double>()
                                                                : 1 - row[0].get<double>();
      EXPECT_NEAR(answers[at], expected, tolerance * std::max(1.0, std::abs(expected)))
          << name << ", number " << at;
    }
  EXPECT_EQ(at, answers.size());
}

inline Option ClassLabelsOption(const std::vector<OptionValue>& labels) {
  return {"class_labels", {OptionValue::List(labels)}, 0};
}

inline std::vector<InputColumn> Numbers(size_t count) {
  std::vector<InputColumn> inputs;
  for (size_t c = 0; c < count; ++c) inputs.push_back({fmt::format("n{}", c), InputKind::kNumeric});
  return inputs;
}

}  // namespace braid::ml
