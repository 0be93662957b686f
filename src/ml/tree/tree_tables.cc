// SPDX-License-Identifier: Apache-2.0
// ML.FEATURE_IMPORTANCE and ML.TRAINING_INFO.
#include "base/error.h"
#include "ml/tree/tree_model.h"

namespace braid::ml {

namespace {

// How often an input splits, and the mean gain and cover of its splits.
Table FeatureImportance(const TreeParts& parts) {
  struct Sums {
    int64_t splits = 0;
    double gain = 0;
    double cover = 0;
  };
  std::vector<Sums> sums(parts.inputs.size());
  for (const Tree& tree : parts.trees)
    for (uint32_t node = 0; node < tree.nodes.size(); ++node) {
      if (tree.IsLeaf(node)) continue;
      Sums& input = sums[parts.encoding.input_of()[tree.nodes[node].input]];
      ++input.splits;
      input.gain += static_cast<double>(tree.statistics[node].gain);
      input.cover += static_cast<double>(tree.statistics[node].cover);
    }
  Table table{.columns = {{"feature", "VARCHAR"},
                          {"importance_weight", "BIGINT"},
                          {"importance_gain", "DOUBLE"},
                          {"importance_cover", "DOUBLE"}},
              .rows = {}};
  for (size_t c = 0; c < sums.size(); ++c) {
    const auto splits = static_cast<double>(std::max<int64_t>(1, sums[c].splits));
    table.rows.push_back(
        {parts.inputs[c].name, sums[c].splits, sums[c].gain / splits, sums[c].cover / splits});
  }
  return table;
}

}  // namespace

std::vector<TableFunction> TreeModel::table_functions() const {
  return {{"FEATURE_IMPORTANCE"}, {"TRAINING_INFO"}};
}

Table TreeModel::TableOf(std::string_view function, const std::vector<Option>& /*settings*/) const {
  if (function == "TRAINING_INFO") return TrainingInfoTable(parts_.training_info);
  BRAID_CHECK(function == "FEATURE_IMPORTANCE");
  return FeatureImportance(parts_);
}

}  // namespace braid::ml
