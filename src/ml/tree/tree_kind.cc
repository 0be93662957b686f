// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/tree_kind.h"

#include "ml/tree/tree_trainer.h"

namespace braid::ml {

namespace {

template <TreeType type>
const ModelKind& Kind() {
  static const ModelKind kind = {
      .name = TreeTypeName(type),
      .task = IsClassifier(type) ? Task::kClassification : Task::kRegression,
      .option_names = TreeOptionNames(type),
      .takes_weights = true,
      .check_options = [](const std::vector<Option>& options) { ParseTreeOptions(type, options); },
      .train =
          [](const TrainingRequest& request, RowSource& rows, const TrainingControl& control) {
            return TrainTrees({request, type, ParseTreeOptions(type, request.settings)}, rows,
                              control);
          },
      .load = [](std::string_view artefact) -> std::unique_ptr<Model> {
        return std::make_unique<TreeModel>(TreeModel::FromArtefact(artefact));
      }};
  return kind;
}

}  // namespace

const ModelKind& BoostedTreeClassifierKind() { return Kind<TreeType::kBoostedClassifier>(); }
const ModelKind& BoostedTreeRegressorKind() { return Kind<TreeType::kBoostedRegressor>(); }
const ModelKind& RandomForestClassifierKind() { return Kind<TreeType::kForestClassifier>(); }
const ModelKind& RandomForestRegressorKind() { return Kind<TreeType::kForestRegressor>(); }

}  // namespace braid::ml
