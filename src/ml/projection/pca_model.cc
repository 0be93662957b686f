// SPDX-License-Identifier: Apache-2.0
#include "ml/projection/pca_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ml/artefact_json.h"
#include "ml/kernels.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.pca";
constexpr int kVersion = 1;

}  // namespace

PcaModel::PcaModel(FeatureSpace space, PcaParts parts)
    : space_(std::move(space)), parts_(std::move(parts)) {
  BRAID_CHECK(!parts_.eigenvalues.empty());
  BRAID_CHECK(parts_.means.size() == space_.size());
  BRAID_CHECK(parts_.components.size() == parts_.eigenvalues.size() * space_.size());
}

std::vector<std::string> PcaModel::score_names() const {
  std::vector<std::string> names;
  for (size_t k = 1; k <= score_count(); ++k)
    names.push_back(fmt::format("principal_component_{}", k));
  return names;
}

template <typename Visit>
void PcaModel::ForEachBlock(const Batch& inputs, Visit visit) const {
  CheckInputs(inputs);
  const size_t features = space_.size();
  std::vector<double> block(features * kSliceRows);
  std::vector<double> coordinates(score_count() * kSliceRows);
  for (size_t begin = 0; begin < inputs.rows; begin += kSliceRows) {
    const size_t count = std::min(kSliceRows, inputs.rows - begin);
    space_.Fill(inputs, begin, count, block.data());
    for (size_t f = 0; f < features; ++f)
      for (size_t r = 0; r < count; ++r) block[f * kSliceRows + r] -= parts_.means[f];
    std::fill(coordinates.begin(), coordinates.end(), 0.0);
    for (size_t k = 0; k < score_count(); ++k)
      for (size_t f = 0; f < features; ++f)
        AddScaled(&block[f * kSliceRows], parts_.components[k * features + f], 0, count,
                  &coordinates[k * kSliceRows]);
    visit(begin, count, block, coordinates);
  }
}

void PcaModel::Score(const Batch& inputs, std::span<double> out) const {
  const size_t components = score_count();
  BRAID_CHECK(out.size() == inputs.rows * components);
  ForEachBlock(inputs, [&](size_t begin, size_t count, const std::vector<double>&,
                           const std::vector<double>& coordinates) {
    for (size_t r = 0; r < count; ++r)
      for (size_t k = 0; k < components; ++k)
        out[(begin + r) * components + k] = coordinates[k * kSliceRows + r];
  });
}

void PcaModel::AnomalyScores(const Batch& inputs, std::span<double> scores,
                             std::span<int64_t> /*centroids*/) const {
  const size_t features = space_.size();
  ForEachBlock(inputs, [&](size_t begin, size_t count, std::vector<double>& block,
                           const std::vector<double>& coordinates) {
    for (size_t k = 0; k < score_count(); ++k)
      for (size_t f = 0; f < features; ++f)
        AddScaled(&coordinates[k * kSliceRows], -parts_.components[k * features + f], 0, count,
                  &block[f * kSliceRows]);
    for (size_t r = 0; r < count; ++r) {
      double squares = 0;
      for (size_t f = 0; f < features; ++f)
        squares += block[f * kSliceRows + r] * block[f * kSliceRows + r];
      scores[begin + r] = squares / static_cast<double>(features);
    }
  });
}

std::vector<TableFunction> PcaModel::table_functions() const {
  return {{"PRINCIPAL_COMPONENTS"}, {"PRINCIPAL_COMPONENT_INFO"}};
}

Table PcaModel::TableOf(std::string_view function, const std::vector<Option>& /*settings*/) const {
  if (function == "PRINCIPAL_COMPONENT_INFO") {
    Table table{.columns = {{"principal_component_id", "BIGINT"},
                            {"eigenvalue", "DOUBLE"},
                            {"explained_variance_ratio", "DOUBLE"},
                            {"cumulative_explained_variance_ratio", "DOUBLE"}},
                .rows = {}};
    double sum = 0;
    for (size_t k = 0; k < score_count(); ++k) {
      sum += parts_.eigenvalues[k];
      table.rows.push_back({static_cast<int64_t>(k) + 1, parts_.eigenvalues[k],
                            parts_.eigenvalues[k] / parts_.total_variance,
                            sum / parts_.total_variance});
    }
    return table;
  }
  BRAID_CHECK(function == "PRINCIPAL_COMPONENTS");
  Table table{.columns = {{"principal_component_id", "BIGINT"},
                          {"feature", "VARCHAR"},
                          {"numerical_value", "DOUBLE"},
                          {"categorical_value", "STRUCT(category VARCHAR, \"value\" DOUBLE)[]"}},
              .rows = {}};
  for (size_t k = 0; k < score_count(); ++k) {
    for (std::vector<Json>& row : space_.Describe(&parts_.components[k * space_.size()])) {
      row.insert(row.begin(), static_cast<int64_t>(k) + 1);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

std::map<std::string, double> PcaModel::TrainingMetrics() const {
  double sum = 0;
  for (const double eigenvalue : parts_.eigenvalues) sum += eigenvalue;
  return {{"total_explained_variance_ratio", sum / parts_.total_variance}};
}

std::string PcaModel::ToArtefact() const {
  return DumpArtefact({{"format", kFormat},
                       {"version", kVersion},
                       {"rows", parts_.rows},
                       {"inputs", space_.ToJson()},
                       {"means", parts_.means},
                       {"components", parts_.components},
                       {"eigenvalues", parts_.eigenvalues},
                       {"total_variance", parts_.total_variance},
                       {"anomaly_levels", parts_.thresholds.levels()},
                       {"anomaly_quantiles", parts_.thresholds.upper()}});
}

std::unique_ptr<Model> PcaModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion);
  try {
    FeatureSpace space = FeatureSpace::FromJson(json.at("inputs"));
    PcaParts parts{.rows = CountNumber(json.at("rows"))};
    const size_t count = json.at("eigenvalues").size();
    if (count == 0) MalformedArtefact("there are no components");
    parts.means = FiniteNumbers(json.at("means"), space.size());
    parts.eigenvalues = FiniteNumbers(json.at("eigenvalues"), count);
    parts.components = FiniteNumbers(json.at("components"), count * space.size());
    parts.total_variance = FiniteNumber(json.at("total_variance"));
    if (!(parts.total_variance > 0)) MalformedArtefact("the variance is not positive");
    const Json& quantiles = json.at("anomaly_quantiles");
    parts.thresholds = AnomalyThresholds(CountNumber(json.at("anomaly_levels")),
                                         FiniteNumbers(quantiles, quantiles.size()));
    return std::make_unique<PcaModel>(std::move(space), std::move(parts));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
}

}  // namespace braid::ml
