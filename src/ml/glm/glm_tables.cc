// SPDX-License-Identifier: Apache-2.0
// What a GlmModel tells of itself: ML.WEIGHTS, ML.TRAINING_INFO, and contributions of its inputs.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ml/glm/glm_model.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::vector<TableFunction> GlmModel::table_functions() const {
  return {{"WEIGHTS", {"standardize"}},
          {"ADVANCED_WEIGHTS", {"standardize", "confidence_level", "distribution"}},
          {"VIF"},
          {"TRAINING_INFO"}};
}

Table GlmModel::TableOf(std::string_view function, const std::vector<Option>& settings) const {
  if (function == "TRAINING_INFO") return TrainingInfoTable(parts_.training_info);
  if (function == "ADVANCED_WEIGHTS") return AdvancedWeights(settings);
  if (function == "VIF") return VarianceInflation();
  BRAID_CHECK(function == "WEIGHTS");
  const bool by_class = parts_.scores.size() > 1;
  Table table{.columns = {{"processed_input", "VARCHAR"},
                          {"weight", "DOUBLE"},
                          {"category_weights", "STRUCT(category VARCHAR, weight DOUBLE)[]"}},
              .rows = {}};
  if (by_class) table.columns.push_back({"class_label", "VARCHAR"});
  for (const WeightRow& row : Weights(OptionReader(settings).Boolean("standardize", false))) {
    Json categories = Json::array();
    for (const auto& [category, weight] : row.category_weights)
      categories.push_back({{"category", OrNull(category)}, {"weight", weight}});
    table.rows.push_back({row.processed_input, OrNull(row.weight), std::move(categories)});
    if (by_class) table.rows.back().emplace_back(row.class_label);
  }
  return table;
}

// A category's mean weight is over the training rows, in which each level has its count.
void GlmModel::Explain(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  const size_t width = parts_.inputs.size() + 1;
  const size_t scores = parts_.scores.size();
  BRAID_CHECK(out.size() == inputs.rows * scores * width);
  std::vector<double> baseline(scores);
  for (size_t s = 0; s < scores; ++s) baseline[s] = parts_.scores[s].intercept;
  for (size_t c = 0; c + 1 < width; ++c) {
    const GlmInput& input = parts_.inputs[c];
    const ColumnView& column = inputs.columns[c];
    std::vector<double> values(inputs.rows * scores, 0.0);
    if (input.kind == InputKind::kCategory)
      ScoreCategories(column, inputs.rows, c, inputs.rows, values.data());
    for (size_t s = 0; s < scores; ++s) {
      const double* weights = &parts_.scores[s].weights[index_[c].first];
      double mean = 0;
      if (input.kind == InputKind::kNumeric) {
        mean = weights[0] * input.mean;
        for (size_t row = 0; row < inputs.rows; ++row) {
          const double value = column.doubles()[row];
          const bool known = column.IsValid(row) && !std::isnan(value);
          values[s * inputs.rows + row] = weights[0] * (known ? value : input.mean);
        }
      } else {
        double count = 0;
        for (size_t level = 0; level < input.categories.size(); ++level) {
          const auto rows = static_cast<double>(input.categories[level].count);
          count += rows;
          mean += rows * weights[level];
        }
        mean = count > 0 ? mean / count : 0;
      }
      baseline[s] += mean;
      for (size_t row = 0; row < inputs.rows; ++row)
        out[(row * scores + s) * width + c] = values[s * inputs.rows + row] - mean;
    }
  }
  for (size_t row = 0; row < inputs.rows; ++row)
    for (size_t s = 0; s < scores; ++s) out[(row * scores + s) * width + width - 1] = baseline[s];
}

}  // namespace braid::ml
