// SPDX-License-Identifier: Apache-2.0
#include "ml/factor/factor_kind.h"

#include <algorithm>

#include "ml/factor/factor_options.h"
#include "ml/factor/factor_trainer.h"

namespace braid::ml {

const ModelKind& FactorAnalysisKind() {
  static const ModelKind kind = {
      .name = "factor_analysis",
      .task = Task::kProjection,
      .option_names = FactorOptionNames(),
      .check_options = [](const std::vector<Option>& options) { ParseFactorOptions(options); },
      .train = TrainFactors,
      .moments_suffice =
          [](const TrainingRequest& request) {
            return std::all_of(
                request.inputs.begin(), request.inputs.end(),
                [](const InputColumn& input) { return input.kind == InputKind::kNumeric; });
          },
      .train_from_moments =
          [](const TrainingRequest& request, const GramAccumulator& moments, RowSource& /*rows*/,
             const TrainingControl& control) {
            return TrainFactorsFromMoments(request, moments, control);
          },
      .load = [](std::string_view artefact) -> std::unique_ptr<Model> {
        return std::make_unique<FactorModel>(FactorModel::FromArtefact(artefact));
      }};
  return kind;
}

}  // namespace braid::ml
