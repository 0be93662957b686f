// SPDX-License-Identifier: Apache-2.0
#include "ml/cluster/kmeans_kind.h"

#include "ml/cluster/kmeans_trainer.h"

namespace braid::ml {

const ModelKind& KMeansKind() {
  static const ModelKind kind = {
      .name = "kmeans",
      .task = Task::kClustering,
      .option_names = KMeansOptionNames(),
      .hyperparameters = {{.option = "num_clusters",
                           .type = HyperparameterType::kWhole,
                           .least = 2,
                           .most = kMostClusters,
                           .searched = std::pair(2.0, 10.0)}},
      .mark_option = "kmeans_init_col",
      .check_options = [](const std::vector<Option>& options) { ParseKMeansOptions(options); },
      .train =
          [](const TrainingRequest& request, RowSource& rows, const TrainingControl& control) {
            TrainedKMeans trained =
                TrainKMeans(request, ParseKMeansOptions(request.settings), rows, control);
            return TrainedModel{std::move(trained.model), std::move(trained.notices)};
          },
      .load = KMeansModel::FromArtefact};
  return kind;
}

}  // namespace braid::ml
