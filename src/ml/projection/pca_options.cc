// SPDX-License-Identifier: Apache-2.0
#include "ml/projection/pca_options.h"

#include "base/error.h"
#include "ml/option_reader.h"

namespace braid::ml {

std::vector<std::string_view> PcaOptionNames() {
  return {"num_principal_components", "pca_explained_variance_ratio", "scale_features",
          "pca_solver"};
}

PcaOptions ParsePcaOptions(const std::vector<Option>& options) {
  const OptionReader reader(options);
  PcaOptions parsed;
  parsed.num_principal_components = reader.Integer("num_principal_components", 1, 0);
  if (reader.Has("pca_explained_variance_ratio"))
    parsed.explained_variance_ratio =
        reader.Between("pca_explained_variance_ratio", 0, 1, 1, /*above=*/true);
  if (parsed.num_principal_components > 0 && parsed.explained_variance_ratio)
    throw Error(ErrorCode::kInvalidOption,
                "NUM_PRINCIPAL_COMPONENTS and PCA_EXPLAINED_VARIANCE_RATIO exclude each other",
                "give one of them");
  parsed.scale_features = reader.Boolean("scale_features", true);
  parsed.solver = reader.Word("pca_solver", parsed.solver,
                              {{"AUTO", PcaSolver::kAuto},
                               {"FULL", PcaSolver::kFull},
                               {"RANDOMIZED", PcaSolver::kRandomized}});
  if (parsed.solver == PcaSolver::kRandomized && parsed.num_principal_components == 0)
    throw Error(ErrorCode::kInvalidOption, "PCA_SOLVER 'RANDOMIZED' needs NUM_PRINCIPAL_COMPONENTS",
                "give it, or use 'FULL'");
  return parsed;
}

}  // namespace braid::ml
