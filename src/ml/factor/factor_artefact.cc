// SPDX-License-Identifier: Apache-2.0
// FactorModel as JSON: docs/formats/model_artefact.md.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "ml/factor/factor_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.factor_analysis";
constexpr int kVersion = 1;

[[noreturn]] void Malformed(std::string_view what) {
  throw Error(ErrorCode::kLakeDamaged, fmt::format("A model's artefact is malformed: {}", what),
              "restore it from a backup, or train the model again");
}

std::optional<double> MaybeNumber(const Json& json) {
  if (json.is_null()) return std::nullopt;
  if (!json.is_number()) Malformed("a number is missing");
  return json.get<double>();
}

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

double Number(const Json& json) {
  const std::optional<double> number = MaybeNumber(json);
  if (!number || !std::isfinite(*number)) Malformed("a number is missing");
  return *number;
}

std::vector<double> Numbers(const Json& json, size_t count) {
  std::vector<double> numbers;
  for (const Json& item : json) numbers.push_back(Number(item));
  if (numbers.size() != count) Malformed("a list is of the wrong length");
  return numbers;
}

Matrix ReadMatrix(const Json& json, size_t rows, size_t columns) {
  Matrix matrix(rows, columns);
  matrix.cells = Numbers(json, rows * columns);
  return matrix;
}

FactorFit ReadFit(const Json& json) {
  return {.degrees_of_freedom = json.at("degrees_of_freedom").get<int64_t>(),
          .chi_square = MaybeNumber(json.at("chi_square")),
          .p_value = MaybeNumber(json.at("p_value")),
          .rmsea = MaybeNumber(json.at("rmsea")),
          .tli = MaybeNumber(json.at("tli")),
          .bic = MaybeNumber(json.at("bic")),
          .srmr = Number(json.at("srmr")),
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
  if (factors == 0 || factors >= p) Malformed("the factors do not fit the inputs");
  parts.mean = Numbers(json.at("mean"), p);
  parts.standard_deviation = Numbers(json.at("standard_deviation"), p);
  for (const double deviation : parts.standard_deviation)
    if (!(deviation > 0)) Malformed("a standard deviation is not positive");
  parts.rows = json.at("rows").get<int64_t>();
  parts.loadings = ReadMatrix(json.at("loadings"), p, factors);
  parts.correlations = ReadMatrix(json.at("correlations"), factors, factors);
  parts.weights = ReadMatrix(json.at("weights"), p, factors);
  parts.uniqueness = Numbers(json.at("uniqueness"), p);
  parts.ss_loadings = Numbers(json.at("ss_loadings"), factors);
  parts.eigenvalues = Numbers(json.at("eigenvalues"), p);
  parts.reference_eigenvalues = Numbers(json.at("reference_eigenvalues"), p);
  for (const Json& item : json.at("adequacy")) parts.adequacy.push_back(MaybeNumber(item));
  if (parts.adequacy.size() != p) Malformed("the adequacies do not fit the inputs");
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
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorCode::kTrainingData, "A column name is not UTF-8 text");
  }
}

FactorModel FactorModel::FromArtefact(std::string_view artefact) {
  try {
    const Json json = Json::parse(artefact);
    if (json.at("format").get<std::string>() != kFormat) Malformed("it is not a factor analysis");
    if (json.at("version").get<int>() != kVersion)
      throw Error(ErrorCode::kLakeFormat,
                  "A model's artefact was written by another version of Braid",
                  "train the model again, or use the version that wrote it");
    return FactorModel(ReadParts(json));
  } catch (const nlohmann::json::exception& error) {
    Malformed(error.what());
  }
}

}  // namespace braid::ml
