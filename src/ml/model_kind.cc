// SPDX-License-Identifier: Apache-2.0
#include "ml/model_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/text.h"
#include "ml/cluster/kmeans_kind.h"
#include "ml/factor/factor_kind.h"
#include "ml/factorization/factorization_kind.h"
#include "ml/glm/glm_kind.h"
#include "ml/onnx/onnx_kind.h"
#include "ml/option_reader.h"
#include "ml/partitioned/partitioned_model.h"
#include "ml/projection/pca_kind.h"
#include "ml/remote/remote_model.h"
#include "ml/tree/tree_kind.h"
#include "ml/tree/xgboost_import.h"

namespace braid::ml {

namespace {

// The only list of what can be trained, a line for each family.
const std::vector<const ModelKind*>& Kinds() {
  static const std::vector<const ModelKind*> kinds = {
      &LinearRegKind(),
      &LogisticRegKind(),
      &BoostedTreeClassifierKind(),
      &BoostedTreeRegressorKind(),
      &RandomForestClassifierKind(),
      &RandomForestRegressorKind(),
      &KMeansKind(),
      &PcaKind(),
      &FactorAnalysisKind(),
      &MatrixFactorizationKind(),
      &OnnxKind(),
      &XgboostKind(),
      &RemoteKind(),
  };
  return kinds;
}

// BigQuery ML's names; what is not in the list above is not available.
constexpr std::string_view kBigQueryKinds[] = {"linear_reg",
                                               "logistic_reg",
                                               "kmeans",
                                               "matrix_factorization",
                                               "pca",
                                               "autoencoder",
                                               "automl_classifier",
                                               "automl_regressor",
                                               "boosted_tree_classifier",
                                               "boosted_tree_regressor",
                                               "random_forest_classifier",
                                               "random_forest_regressor",
                                               "dnn_classifier",
                                               "dnn_regressor",
                                               "dnn_linear_combined_classifier",
                                               "dnn_linear_combined_regressor",
                                               "arima_plus",
                                               "arima_plus_xreg",
                                               "tensorflow",
                                               "tensorflow_lite",
                                               "onnx",
                                               "xgboost",
                                               "contribution_analysis"};

}  // namespace

std::span<const ModelKind* const> ModelKinds() { return Kinds(); }

const ModelKind& FindModelKind(std::string_view name) {
  const std::string lower = ToLower(name);
  std::vector<std::string> names;
  for (const ModelKind* kind : Kinds()) {
    if (kind->name == lower) return *kind;
    if (kind != &RemoteKind()) names.emplace_back(kind->name);
  }
  const std::string hint = fmt::format("available: {}", fmt::join(names, ", "));
  if (std::find(std::begin(kBigQueryKinds), std::end(kBigQueryKinds), lower) !=
      std::end(kBigQueryKinds))
    throw Error(ErrorCode::kNotSupported, "The model type is not available: " + lower, hint);
  const std::optional<std::string> near = ClosestMatch(lower, names);
  throw Error(ErrorCode::kInvalidOption, fmt::format("Unknown model type: {}", name),
              near ? "did you mean " + *near + "?" : hint);
}

std::unique_ptr<Model> LoadModel(std::string_view kind, std::string_view artefact) {
  // An artefact's format is its first key.
  const std::string partitioned = fmt::format(R"({{"format":"{}")", PartitionedModel::kFormat);
  if (artefact.starts_with(partitioned)) return PartitionedModel::FromArtefact(artefact);
  return FindModelKind(kind).load(artefact);
}

}  // namespace braid::ml
