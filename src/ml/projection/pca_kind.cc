// SPDX-License-Identifier: Apache-2.0
#include "ml/projection/pca_kind.h"

#include "ml/projection/pca_trainer.h"

namespace braid::ml {

const ModelKind& PcaKind() {
  static const ModelKind kind = {
      .name = "pca",
      .task = Task::kProjection,
      .option_names = PcaOptionNames(),
      .check_options = [](const std::vector<Option>& options) { ParsePcaOptions(options); },
      .train =
          [](const TrainingRequest& request, RowSource& rows, const TrainingControl& control) {
            return TrainedModel{TrainPca(request, ParsePcaOptions(request.settings), rows, control),
                                {}};
          },
      .moments_suffice =
          [](const TrainingRequest& request) {
            return MomentsSuffice(request, ParsePcaOptions(request.settings));
          },
      .train_from_moments =
          [](const TrainingRequest& request, const GramAccumulator& moments, RowSource& rows,
             const TrainingControl& control) {
            return TrainedModel{TrainPcaFromMoments(request, ParsePcaOptions(request.settings),
                                                    moments, rows, control),
                                {}};
          },
      .load = PcaModel::FromArtefact};
  return kind;
}

}  // namespace braid::ml
