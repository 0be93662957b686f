// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <vector>

#include "ml/cluster/kmeans_model.h"
#include "ml/cluster/kmeans_options.h"
#include "ml/training.h"

namespace braid::ml {

struct TrainedKMeans {
  std::unique_ptr<KMeansModel> model;
  std::vector<std::string> notices;
};

// `start`: first centroids in the feature space instead of those that the options ask for. Throws
// kTrainingData, kInterrupted.
TrainedKMeans TrainKMeans(const TrainingRequest& request, const KMeansOptions& options,
                          RowSource& rows, const TrainingControl& control,
                          std::optional<std::vector<double>> start = {});

}  // namespace braid::ml
