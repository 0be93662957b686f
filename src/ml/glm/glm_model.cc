// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ml/kernels.h"

namespace braid::ml {

namespace {

double Logistic(double score) {
  const double e = std::exp(-std::abs(score));
  return score >= 0 ? 1 / (1 + e) : e / (1 + e);
}

// out[row] += weight · value, the mean standing for NULL.
void AddNumeric(const ColumnView& column, size_t rows, double weight, double mean, double* out) {
  if (column.validity == nullptr) {
    AddScaled(column.doubles(), weight, mean, rows, out);
    return;
  }
  const double* values = column.doubles();
  for (size_t row = 0; row < rows; ++row) {
    const bool known = column.IsValid(row) && !std::isnan(values[row]);
    out[row] += weight * (known ? values[row] : mean);
  }
}

}  // namespace

GlmModel::GlmModel(GlmParts parts) : parts_(std::move(parts)) {
  size_t weights = 0;
  for (const GlmInput& input : parts_.inputs) {
    InputIndex index{.first = weights};
    for (size_t level = 0; level < input.categories.size(); ++level) {
      const CategoryLevel& category = input.categories[level];
      if (category.text)
        index.levels.emplace(*category.text, level);
      else
        index.null_level = level;
    }
    weights += input.kind == InputKind::kNumeric ? 1 : input.categories.size();
    index_.push_back(std::move(index));
  }
  const size_t classes = parts_.classes.size();
  const bool regression = parts_.type == GlmType::kLinearReg;
  BRAID_CHECK(regression ? classes == 0 : classes >= 2);
  BRAID_CHECK(parts_.scores.size() == (classes > 2 ? classes : 1));
  for (const GlmScore& score : parts_.scores) BRAID_CHECK(score.weights.size() == weights);
}

std::vector<InputColumn> GlmModel::input_columns() const {
  std::vector<InputColumn> columns;
  for (const GlmInput& input : parts_.inputs) columns.push_back({input.name, input.kind});
  return columns;
}

// Adds one level's weight a row. `scores` weights lie `stride` apart in `out`: all scores at once,
// so that a text is looked up once.
void GlmModel::ScoreCategories(const ColumnView& column, size_t rows, size_t input, size_t stride,
                               double* out) const {
  const InputIndex& index = index_[input];
  const std::string_view* texts = column.strings();
  for (size_t row = 0; row < rows; ++row) {
    std::optional<size_t> level = index.null_level;
    if (column.IsValid(row)) {
      const auto found = index.levels.find(texts[row]);
      if (found == index.levels.end()) continue;
      level = found->second;
    }
    if (!level) continue;
    for (size_t s = 0; s < parts_.scores.size(); ++s)
      out[s * stride + row] += parts_.scores[s].weights[index.first + *level];
  }
}

// Writes the scores: all rows of the first, then of the next.
void GlmModel::AddScores(const Batch& inputs, double* out) const {
  CheckInputs(inputs);
  const size_t rows = inputs.rows;
  for (size_t s = 0; s < parts_.scores.size(); ++s)
    std::fill_n(out + s * rows, rows, parts_.scores[s].intercept);
  for (size_t c = 0; c < parts_.inputs.size(); ++c) {
    if (parts_.inputs[c].kind == InputKind::kCategory) {
      ScoreCategories(inputs.columns[c], rows, c, rows, out);
      continue;
    }
    for (size_t s = 0; s < parts_.scores.size(); ++s)
      AddNumeric(inputs.columns[c], rows, parts_.scores[s].weights[index_[c].first],
                 parts_.inputs[c].mean, out + s * rows);
  }
}

Task GlmModel::task() const {
  return parts_.type == GlmType::kLinearReg ? Task::kRegression : Task::kClassification;
}

void GlmModel::Score(const Batch& inputs, std::span<double> out) const {
  const size_t classes = parts_.classes.size();
  const size_t rows = inputs.rows;
  BRAID_CHECK(out.size() == rows * score_count());
  if (classes == 0) {
    AddScores(inputs, out.data());
    return;
  }
  std::vector<double> scores(rows * parts_.scores.size());
  AddScores(inputs, scores.data());
  for (size_t row = 0; row < rows; ++row) {
    double* p = &out[row * classes];
    if (classes == 2) {
      p[0] = Logistic(-scores[row]);
      p[1] = Logistic(scores[row]);
      continue;
    }
    double largest = scores[row];
    for (size_t k = 1; k < classes; ++k) largest = std::max(largest, scores[k * rows + row]);
    double sum = 0;
    for (size_t k = 0; k < classes; ++k) sum += p[k] = std::exp(scores[k * rows + row] - largest);
    for (size_t k = 0; k < classes; ++k) p[k] /= sum;
  }
}

std::vector<WeightRow> GlmModel::Weights(bool standardize) const {
  std::vector<WeightRow> rows;
  for (size_t s = 0; s < parts_.scores.size(); ++s) {
    const GlmScore& score = parts_.scores[s];
    const std::string label = parts_.scores.size() > 1 ? parts_.classes[s] : "";
    double intercept = score.intercept;
    for (size_t c = 0; c < parts_.inputs.size(); ++c) {
      const GlmInput& input = parts_.inputs[c];
      WeightRow row{.processed_input = input.name, .class_label = label};
      const double* weights = &score.weights[index_[c].first];
      if (input.kind == InputKind::kNumeric) {
        row.weight = standardize ? weights[0] * input.standard_deviation : weights[0];
        intercept += standardize ? weights[0] * input.mean : 0;
      }
      for (size_t level = 0; level < input.categories.size(); ++level)
        if (!input.categories[level].dropped)
          row.category_weights.emplace_back(input.categories[level].text, weights[level]);
      rows.push_back(std::move(row));
    }
    if (parts_.fit_intercept)
      rows.push_back(
          {.processed_input = "__INTERCEPT__", .weight = intercept, .class_label = label});
  }
  return rows;
}

}  // namespace braid::ml
