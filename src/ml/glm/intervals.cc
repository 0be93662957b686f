// SPDX-License-Identifier: Apache-2.0
// What a GlmModel tells of its uncertainty: ML.ADVANCED_WEIGHTS, ML.VIF, ML.PREDICT_INTERVAL.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "ml/distributions.h"
#include "ml/glm/glm_model.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

// By which distribution a weight over its standard error is judged.
struct Judge {
  bool normal = true;
  double degrees_of_freedom = 0;
  double quantile = 0;

  double PValue(double statistic) const {
    return normal ? NormalTwoSidedP(statistic) : StudentTwoSidedP(statistic, degrees_of_freedom);
  }
};

std::vector<Json> Row(const std::string& input, const Json& category, double weight, double error,
                      const Judge& judge) {
  const bool known = error > 0;
  const double statistic = known ? weight / error : 0;
  return {input,
          category,
          weight,
          error,
          known ? Json(judge.PValue(statistic)) : Json(nullptr),
          known ? Json(statistic) : Json(nullptr),
          weight - judge.quantile * error,
          weight + judge.quantile * error};
}

}  // namespace

const GlmInference& GlmModel::RequireInference(std::string_view function) const {
  if (!parts_.inference)
    throw Error(ErrorCode::kNotSupported,
                fmt::format("ML.{} needs a model trained with CALCULATE_P_VALUES", function),
                "train it with CALCULATE_P_VALUES = TRUE, CATEGORY_ENCODING_METHOD = "
                "'DUMMY_ENCODING'");
  return *parts_.inference;
}

Table GlmModel::AdvancedWeights(const std::vector<Option>& settings) const {
  const GlmInference& inference = RequireInference("ADVANCED_WEIGHTS");
  const OptionReader reader(settings);
  const bool standardize = reader.Boolean("standardize", false);
  const double confidence = reader.Between("confidence_level", 0, 1, 0.95);
  Judge judge{.normal = reader.Word("distribution", true, {{"NORMAL", true}, {"STUDENT_T", false}}),
              .degrees_of_freedom = inference.degrees_of_freedom};
  if (!judge.normal && parts_.type != GlmType::kLinearReg)
    throw Error(ErrorCode::kInvalidOption, "The distribution 'STUDENT_T' is for linear_reg",
                "leave the setting out: a log loss has the normal distribution");
  if (!(confidence > 0 && confidence < 1))
    OptionReader::Refuse(*reader.Find("confidence_level"), "a number between 0 and 1");
  const double p = (1 + confidence) / 2;
  judge.quantile = judge.normal ? NormalQuantile(p) : StudentQuantile(p, judge.degrees_of_freedom);
  Table table{.columns = {{"processed_input", "VARCHAR"},
                          {"category", "VARCHAR"},
                          {"weight", "DOUBLE"},
                          {"standard_error", "DOUBLE"},
                          {"p_value", "DOUBLE"},
                          {"statistic", "DOUBLE"},
                          {"confidence_interval_lower", "DOUBLE"},
                          {"confidence_interval_upper", "DOUBLE"}},
              .rows = {}};
  const bool by_class = parts_.scores.size() > 1;
  if (by_class) table.columns.push_back({"class_label", "VARCHAR"});
  for (size_t s = 0; s < parts_.scores.size(); ++s) {
    const GlmScore& score = parts_.scores[s];
    const GlmScore& errors = inference.standard_errors[s];
    const size_t begin = table.rows.size();
    double intercept = score.intercept;
    for (size_t c = 0; c < parts_.inputs.size(); ++c) {
      const GlmInput& input = parts_.inputs[c];
      const size_t first = index_[c].first;
      if (input.kind == InputKind::kNumeric) {
        const double unit = standardize ? input.standard_deviation : 1;
        intercept += standardize ? score.weights[first] * input.mean : 0;
        table.rows.push_back(Row(input.name, nullptr, score.weights[first] * unit,
                                 errors.weights[first] * unit, judge));
      }
      for (size_t level = 0; level < input.categories.size(); ++level) {
        const CategoryLevel& category = input.categories[level];
        if (category.dropped) continue;
        table.rows.push_back(Row(input.name, OrNull(category.text), score.weights[first + level],
                                 errors.weights[first + level], judge));
      }
    }
    if (parts_.fit_intercept)
      table.rows.push_back(
          Row("__INTERCEPT__", nullptr, intercept,
              standardize ? inference.standardised_intercept_errors[s] : errors.intercept, judge));
    for (size_t row = begin; by_class && row < table.rows.size(); ++row)
      table.rows[row].emplace_back(parts_.classes[s]);
  }
  return table;
}

Table GlmModel::VarianceInflation() const {
  const GlmInference& inference = RequireInference("VIF");
  Table table{.columns = {{"processed_input", "VARCHAR"},
                          {"vif", "DOUBLE"},
                          {"degrees_of_freedom", "BIGINT"},
                          {"adjusted_vif", "DOUBLE"}},
              .rows = {}};
  for (size_t c = 0; c < parts_.inputs.size(); ++c) {
    const GlmInput& input = parts_.inputs[c];
    int64_t width = input.kind == InputKind::kNumeric ? 1 : 0;
    for (const CategoryLevel& level : input.categories) width += level.dropped ? 0 : 1;
    const double vif = inference.inflation[c];
    table.rows.push_back(
        {input.name, vif, width, width > 0 ? std::pow(vif, 1 / static_cast<double>(width)) : 1.0});
  }
  return table;
}

bool GlmModel::has_intervals() const {
  return parts_.type == GlmType::kLinearReg && parts_.inference.has_value();
}

// The variance of a mean is s²·z'(X'X)⁻¹z with z the row's features about the centre and 1; an
// observation's is greater by s². A category that no training row had has no known variance.
void GlmModel::Intervals(const Batch& inputs, double confidence, std::span<double> out) const {
  CheckInputs(inputs);
  const GlmInference& inference = RequireInference("PREDICT_INTERVAL");
  const size_t rows = inputs.rows;
  BRAID_CHECK(has_intervals() && out.size() == rows * kIntervalWidth);
  std::vector<double> values(rows);
  AddScores(inputs, values.data());
  const size_t features = inference.centre.size();
  const size_t stride = features + 1;
  const double t = StudentQuantile((1 + confidence) / 2, inference.degrees_of_freedom);
  std::vector<double> line(stride);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t j = 0; j < features; ++j) line[j] = -inference.centre[j];
    line[features] = parts_.fit_intercept ? 1 : 0;
    bool known = true;
    size_t feature = 0;
    for (size_t c = 0; c < parts_.inputs.size(); ++c) {
      const GlmInput& input = parts_.inputs[c];
      const ColumnView& column = inputs.columns[c];
      if (input.kind == InputKind::kNumeric) {
        const bool given = column.IsValid(row) && !std::isnan(column.doubles()[row]);
        const double value = given ? column.doubles()[row] : input.mean;
        const double scale =
            input.standard_deviation > 0 ? input.standard_deviation : std::abs(input.mean);
        line[feature++] += (value - (parts_.fit_intercept ? input.mean : 0)) / scale;
        continue;
      }
      std::optional<size_t> level = index_[c].null_level;
      if (column.IsValid(row)) {
        const auto found = index_[c].levels.find(column.strings()[row]);
        level = found == index_[c].levels.end() ? std::nullopt : std::optional(found->second);
      }
      known = known && level.has_value();
      for (size_t k = 0; k < input.categories.size(); ++k)
        if (!input.categories[k].dropped) line[feature++] += level == k ? 1 : 0;
    }
    double leverage = 0;
    for (size_t i = 0; i < stride; ++i)
      for (size_t j = 0; j < stride; ++j)
        leverage += line[i] * inference.inverse[i * stride + j] * line[j];
    const double mean_error = t * std::sqrt(inference.residual_variance * std::max(leverage, 0.0));
    const double new_error =
        t * std::sqrt(inference.residual_variance * (1 + std::max(leverage, 0.0)));
    double* to = &out[row * kIntervalWidth];
    to[0] = values[row];
    to[1] = known ? to[0] - mean_error : NAN;
    to[2] = known ? to[0] + mean_error : NAN;
    to[3] = known ? to[0] - new_error : NAN;
    to[4] = known ? to[0] + new_error : NAN;
  }
}

}  // namespace braid::ml
