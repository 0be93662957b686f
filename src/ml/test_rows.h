// SPDX-License-Identifier: Apache-2.0
// Tables in memory for the tests of this folder.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "ml/glm/glm_trainer.h"

namespace braid::ml {

using Text = std::optional<std::string>;

inline std::filesystem::path TestData() {
  return std::filesystem::path(__FILE__).parent_path() / "../../tests/data";
}

struct TestTable {
  std::vector<std::string> names;
  std::vector<std::vector<Text>> columns;

  size_t rows() const { return columns.empty() ? 0 : columns[0].size(); }
  const std::vector<Text>& Column(const std::string& name) const {
    for (size_t c = 0; c < names.size(); ++c)
      if (names[c] == name) return columns[c];
    throw Error(ErrorCode::kInternal, "No such column: " + name);
  }
};

// Comma-separated, without quotes; an empty field is NULL.
inline TestTable ReadTable(const std::filesystem::path& path) {
  const std::string text = ReadFile(path);
  TestTable table;
  size_t line_begin = 0;
  while (line_begin < text.size()) {
    const size_t line_end = std::min(text.find('\n', line_begin), text.size());
    std::string_view line(text.data() + line_begin, line_end - line_begin);
    std::vector<Text> fields;
    while (true) {
      const size_t comma = std::min(line.find(','), line.size());
      fields.push_back(comma == 0 ? Text() : Text(std::string(line.substr(0, comma))));
      if (comma == line.size()) break;
      line.remove_prefix(comma + 1);
    }
    if (table.names.empty()) {
      for (const Text& field : fields) table.names.push_back(*field);
      table.columns.resize(fields.size());
    } else {
      for (size_t c = 0; c < fields.size(); ++c) table.columns[c].push_back(fields[c]);
    }
    line_begin = line_end + 1;
  }
  return table;
}

// A column as batches hold it.
class TestColumn {
 public:
  TestColumn(ColumnKind kind, const std::vector<Text>& values) : kind_(kind), texts_(values) {
    for (const Text& value : values) {
      doubles_.push_back(kind == ColumnKind::kDouble && value ? std::stod(*value) : 0);
      valid_.push_back(value.has_value());
    }
    for (const Text& value : texts_) views_.emplace_back(value ? std::string_view(*value) : "");
  }
  // `validity` receives the bits of the rows of this view.
  ColumnView View(size_t begin, size_t count, std::vector<uint64_t>& validity) const {
    validity.assign(count / 64 + 1, 0);
    for (size_t i = 0; i < count; ++i)
      if (valid_[begin + i]) validity[i / 64] |= uint64_t{1} << (i % 64);
    const void* data = kind_ == ColumnKind::kDouble ? static_cast<const void*>(&doubles_[begin])
                                                    : static_cast<const void*>(&views_[begin]);
    return {.kind = kind_, .data = data, .validity = validity.data()};
  }
  size_t size() const { return valid_.size(); }

 private:
  ColumnKind kind_;
  std::vector<Text> texts_;
  std::vector<double> doubles_;
  std::vector<std::string_view> views_;
  std::vector<bool> valid_;
};

// Rows for training, in batches of `batch_rows`.
class TestRows : public RowSource {
 public:
  explicit TestRows(size_t batch_rows = 2048) : batch_rows_(batch_rows) {}
  void AddColumn(ColumnKind kind, const std::vector<Text>& values) {
    columns_.push_back(std::make_unique<TestColumn>(kind, values));
  }
  void AddNumbers(const std::vector<double>& values) {
    std::vector<Text> texts;
    for (const double value : values) texts.emplace_back(fmt::format("{}", value));
    AddColumn(ColumnKind::kDouble, texts);
  }
  void Scan(const std::function<void(const Batch&)>& visit) override {
    ++scans;
    const size_t rows = columns_.empty() ? 0 : columns_[0]->size();
    for (size_t begin = 0; begin < rows; begin += batch_rows_)
      visit(BatchOf(begin, std::min(batch_rows_, rows - begin), columns_.size()));
  }
  // The first `columns` columns of some rows; valid until the next call.
  const Batch& BatchOf(size_t begin, size_t count, size_t columns) {
    validity_.resize(columns_.size());
    batch_ = {.rows = count, .columns = {}};
    for (size_t c = 0; c < columns; ++c)
      batch_.columns.push_back(columns_[c]->View(begin, count, validity_[c]));
    return batch_;
  }
  size_t rows() const { return columns_[0]->size(); }
  int scans = 0;

 private:
  size_t batch_rows_;
  std::vector<std::unique_ptr<TestColumn>> columns_;
  std::vector<std::vector<uint64_t>> validity_;
  Batch batch_;
};

// A request and its rows out of a table; inputs named in `categories` are categories.
struct TestTraining {
  GlmRequest request;
  TestRows rows;
};

inline TestTraining MakeTraining(GlmType type, const TestTable& table, const std::string& label,
                                 const std::vector<std::string>& inputs,
                                 const std::vector<std::string>& categories = {}) {
  TestTraining training;
  training.request.type = type;
  training.request.label = label;
  for (const std::string& input : inputs) {
    const bool category =
        std::find(categories.begin(), categories.end(), input) != categories.end();
    training.request.inputs.push_back(
        {input, category ? InputKind::kCategory : InputKind::kNumeric});
    training.rows.AddColumn(category ? ColumnKind::kString : ColumnKind::kDouble,
                            table.Column(input));
  }
  training.rows.AddColumn(type == GlmType::kLinearReg ? ColumnKind::kDouble : ColumnKind::kString,
                          table.Column(label));
  return training;
}

inline TrainedGlm Train(TestTraining& training) {
  return TrainGlm(training.request, training.rows);
}

// Of the error that this throws.
inline ErrorCode CodeOf(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
}

inline std::vector<double> PredictAll(const GlmModel& model, TestRows& rows) {
  std::vector<double> out(rows.rows() * std::max<size_t>(1, model.classes().size()));
  const Batch& batch = rows.BatchOf(0, rows.rows(), model.inputs().size());
  model.Score(batch, out);
  return out;
}

// A weight of ML.WEIGHTS, of an input or of one of its categories.
inline double WeightOf(const GlmModel& model, const std::string& input, const Text& category = {},
                       const std::string& label = "") {
  for (const WeightRow& row : model.Weights(false)) {
    if (row.processed_input != input || row.class_label != label) continue;
    if (row.weight) return *row.weight;
    for (const auto& [text, weight] : row.category_weights)
      if (text == category) return weight;
  }
  throw Error(ErrorCode::kInternal, "No such weight: " + input);
}

inline nlohmann::json ReadOracle(const std::string& name) {
  return nlohmann::json::parse(ReadFile(TestData() / "oracles/models" / (name + ".json")));
}

inline TestTable ReadOracleTable(const std::string& name) {
  return ReadTable(TestData() / "oracles/models" / (name + ".csv"));
}

}  // namespace braid::ml
