// SPDX-License-Identifier: Apache-2.0
#include "ml/factor/factor_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

std::string FactorName(size_t factor) { return fmt::format("factor_{}", factor + 1); }

Table Loadings(const FactorParts& parts) {
  Table table{.columns = {{"feature", "VARCHAR"}}, .rows = {}};
  const size_t factors = parts.loadings.columns;
  for (size_t f = 0; f < factors; ++f) table.columns.push_back({FactorName(f), "DOUBLE"});
  table.columns.push_back({"communality", "DOUBLE"});
  table.columns.push_back({"uniqueness", "DOUBLE"});
  for (size_t i = 0; i < parts.inputs.size(); ++i) {
    std::vector<Json>& row = table.rows.emplace_back();
    row.emplace_back(parts.inputs[i]);
    for (size_t f = 0; f < factors; ++f) row.emplace_back(parts.loadings(i, f));
    row.emplace_back(1 - parts.uniqueness[i]);
    row.emplace_back(parts.uniqueness[i]);
  }
  return table;
}

Table Correlations(const FactorParts& parts) {
  Table table{.columns = {{"factor", "VARCHAR"}}, .rows = {}};
  for (size_t f = 0; f < parts.correlations.rows; ++f) {
    table.columns.push_back({FactorName(f), "DOUBLE"});
    std::vector<Json>& row = table.rows.emplace_back();
    row.emplace_back(FactorName(f));
    for (size_t g = 0; g < parts.correlations.rows; ++g) row.emplace_back(parts.correlations(f, g));
  }
  return table;
}

// A row for each eigenvalue; those that are no factors have no loadings.
Table Info(const FactorParts& parts) {
  Table table{.columns = {{"factor_id", "BIGINT"},
                          {"ss_loadings", "DOUBLE"},
                          {"proportion_variance", "DOUBLE"},
                          {"cumulative_variance", "DOUBLE"},
                          {"eigenvalue", "DOUBLE"},
                          {"random_eigenvalue", "DOUBLE"}},
              .rows = {}};
  const auto p = static_cast<double>(parts.inputs.size());
  double sum = 0;
  for (size_t f = 0; f < parts.inputs.size(); ++f) {
    std::vector<Json> row = {
        f + 1, nullptr, nullptr, nullptr, parts.eigenvalues[f], parts.reference_eigenvalues[f]};
    if (f < parts.ss_loadings.size()) {
      sum += parts.ss_loadings[f];
      row[1] = parts.ss_loadings[f];
      row[2] = parts.ss_loadings[f] / p;
      row[3] = sum / p;
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table Fit(const FactorFit& fit) {
  return {
      .columns = {{"degrees_of_freedom", "BIGINT"},
                  {"chi_square", "DOUBLE"},
                  {"p_value", "DOUBLE"},
                  {"rmsea", "DOUBLE"},
                  {"tli", "DOUBLE"},
                  {"bic", "DOUBLE"},
                  {"srmr", "DOUBLE"},
                  {"kmo", "DOUBLE"},
                  {"bartlett_chi_square", "DOUBLE"},
                  {"bartlett_df", "BIGINT"},
                  {"bartlett_p_value", "DOUBLE"}},
      .rows = {{fit.degrees_of_freedom, OrNull(fit.chi_square), OrNull(fit.p_value),
                OrNull(fit.rmsea), OrNull(fit.tli), OrNull(fit.bic), fit.srmr, OrNull(fit.kmo),
                OrNull(fit.bartlett_chi_square), fit.bartlett_df, OrNull(fit.bartlett_p_value)}}};
}

}  // namespace

std::vector<InputColumn> FactorModel::input_columns() const {
  std::vector<InputColumn> columns;
  for (const std::string& input : parts_.inputs) columns.push_back({input, InputKind::kNumeric});
  return columns;
}

std::vector<std::string> FactorModel::score_names() const {
  std::vector<std::string> names;
  for (size_t f = 0; f < score_count(); ++f) names.push_back(FactorName(f));
  return names;
}

void FactorModel::Score(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  const size_t factors = score_count();
  std::fill(out.begin(), out.end(), 0.0);
  for (size_t c = 0; c < parts_.inputs.size(); ++c) {
    const ColumnView& column = inputs.columns[c];
    for (size_t row = 0; row < inputs.rows; ++row) {
      if (!column.IsValid(row)) continue;
      const double value = column.doubles()[row];
      if (std::isnan(value)) continue;
      const double scaled = (value - parts_.mean[c]) / parts_.standard_deviation[c];
      for (size_t f = 0; f < factors; ++f) out[row * factors + f] += parts_.weights(c, f) * scaled;
    }
  }
}

std::vector<TableFunction> FactorModel::table_functions() const {
  return {{"FACTOR_LOADINGS"},
          {"FACTOR_CORRELATIONS"},
          {"FACTOR_INFO"},
          {"FACTOR_FIT"},
          {"SAMPLING_ADEQUACY"}};
}

Table FactorModel::TableOf(std::string_view function,
                           const std::vector<Option>& /*settings*/) const {
  if (function == "FACTOR_LOADINGS") return Loadings(parts_);
  if (function == "FACTOR_CORRELATIONS") return Correlations(parts_);
  if (function == "FACTOR_INFO") return Info(parts_);
  if (function == "FACTOR_FIT") return Fit(parts_.fit);
  BRAID_CHECK(function == "SAMPLING_ADEQUACY");
  Table table{.columns = {{"feature", "VARCHAR"}, {"msa", "DOUBLE"}}, .rows = {}};
  for (size_t i = 0; i < parts_.inputs.size(); ++i)
    table.rows.push_back({parts_.inputs[i], OrNull(parts_.adequacy[i])});
  return table;
}

std::map<std::string, double> FactorModel::TrainingMetrics() const {
  double explained = 0;
  for (const double sum : parts_.ss_loadings) explained += sum;
  std::map<std::string, double> metrics = {
      {"total_explained_variance_ratio", explained / static_cast<double>(parts_.inputs.size())},
      {"srmr", parts_.fit.srmr}};
  if (parts_.fit.rmsea) metrics["rmsea"] = *parts_.fit.rmsea;
  if (parts_.fit.tli) metrics["tli"] = *parts_.fit.tli;
  if (parts_.fit.kmo) metrics["kmo"] = *parts_.fit.kmo;
  return metrics;
}

}  // namespace braid::ml
