// SPDX-License-Identifier: Apache-2.0
// FactorModel as JSON: docs/formats/model_artefact.md.
#include "base/error.h"
#include "ml/artefact_json.h"
#include "ml/factor/factor_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.factor_analysis";
constexpr int kVersion = 1;

std::optional<double> MaybeNumber(const Json& json) {
  if (json.is_null()) return std::nullopt;
  if (!json.is_number()) MalformedArtefact("a number is missing");
  return json.get<double>();
}

Matrix ReadMatrix(const Json& json, size_t rows, size_t columns) {
  Matrix matrix(rows, columns);
  matrix.cells = FiniteNumbers(json, rows * columns);
  return matrix;
}

FactorFit ReadFit(const Json& json) {
  return {.degrees_of_freedom = json.at("degrees_of_freedom").get<int64_t>(),
          .chi_square = MaybeNumber(json.at("chi_square")),
          .p_value = MaybeNumber(json.at("p_value")),
          .rmsea = MaybeNumber(json.at("rmsea")),
          .tli = MaybeNumber(json.at("tli")),
          .bic = MaybeNumber(json.at("bic")),
          .srmr = FiniteNumber(json.at("srmr")),
          .kmo = MaybeNumber(json.at("kmo")),
          .bartlett_chi_square = MaybeNumber(json.at("bartlett_chi_square")),
          .bartlett_p_value = MaybeNumber(json.at("bartlett_p_value")),
          .bartlett_df = json.at("bartlett_df").get<int64_t>()};
}

FactorParts ReadParts(const Json& json) {
  FactorParts parts;
  parts.inputs = json.at("inputs").get<std::vector<std::string>>();
  const size_t p = parts.inputs.size();
  const size_t factors = json.at("ss_loadings").size();
  if (factors == 0 || factors >= p) MalformedArtefact("the factors do not fit the inputs");
  parts.mean = FiniteNumbers(json.at("mean"), p);
  parts.standard_deviation = FiniteNumbers(json.at("standard_deviation"), p);
  for (const double deviation : parts.standard_deviation)
    if (!(deviation > 0)) MalformedArtefact("a standard deviation is not positive");
  parts.rows = json.at("rows").get<int64_t>();
  parts.loadings = ReadMatrix(json.at("loadings"), p, factors);
  parts.correlations = ReadMatrix(json.at("correlations"), factors, factors);
  parts.weights = ReadMatrix(json.at("weights"), p, factors);
  parts.uniqueness = FiniteNumbers(json.at("uniqueness"), p);
  parts.ss_loadings = FiniteNumbers(json.at("ss_loadings"), factors);
  parts.eigenvalues = FiniteNumbers(json.at("eigenvalues"), p);
  parts.reference_eigenvalues = FiniteNumbers(json.at("reference_eigenvalues"), p);
  for (const Json& item : json.at("adequacy")) parts.adequacy.push_back(MaybeNumber(item));
  if (parts.adequacy.size() != p) MalformedArtefact("the adequacies do not fit the inputs");
  parts.fit = ReadFit(json.at("fit"));
  return parts;
}

}  // namespace

std::string FactorModel::ToArtefact() const {
  Json adequacy = Json::array();
  for (const std::optional<double>& value : parts_.adequacy) adequacy.push_back(OrNull(value));
  const FactorFit& fit = parts_.fit;
  const Json json = {{"format", kFormat},
                     {"version", kVersion},
                     {"inputs", parts_.inputs},
                     {"mean", parts_.mean},
                     {"standard_deviation", parts_.standard_deviation},
                     {"rows", parts_.rows},
                     {"loadings", parts_.loadings.cells},
                     {"correlations", parts_.correlations.cells},
                     {"weights", parts_.weights.cells},
                     {"uniqueness", parts_.uniqueness},
                     {"ss_loadings", parts_.ss_loadings},
                     {"eigenvalues", parts_.eigenvalues},
                     {"reference_eigenvalues", parts_.reference_eigenvalues},
                     {"adequacy", std::move(adequacy)},
                     {"fit",
                      {{"degrees_of_freedom", fit.degrees_of_freedom},
                       {"chi_square", OrNull(fit.chi_square)},
                       {"p_value", OrNull(fit.p_value)},
                       {"rmsea", OrNull(fit.rmsea)},
                       {"tli", OrNull(fit.tli)},
                       {"bic", OrNull(fit.bic)},
                       {"srmr", fit.srmr},
                       {"kmo", OrNull(fit.kmo)},
                       {"bartlett_chi_square", OrNull(fit.bartlett_chi_square)},
                       {"bartlett_df", fit.bartlett_df},
                       {"bartlett_p_value", OrNull(fit.bartlett_p_value)}}}};
  return DumpArtefact(json);
}

FactorModel FactorModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion);
  try {
    return FactorModel(ReadParts(json));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
}

}  // namespace braid::ml
