// SPDX-License-Identifier: Apache-2.0
#include "ml/cluster/kmeans_options.h"

#include "base/error.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

void ReadStopping(const OptionReader& reader, KMeansOptions& parsed) {
  parsed.max_iterations = reader.Integer("max_iterations", 1, parsed.max_iterations);
  parsed.early_stop = reader.Boolean("early_stop", parsed.early_stop);
  parsed.min_rel_progress = reader.AtLeast("min_rel_progress", 0, parsed.min_rel_progress);
  for (const char* name : {"max_iterations", "early_stop", "min_rel_progress"})
    parsed.bounded = parsed.bounded || reader.Has(name);
}

void ReadStart(const OptionReader& reader, KMeansOptions& parsed) {
  parsed.init = reader.Word("kmeans_init_method", parsed.init,
                            {{"KMEANS++", KMeansInit::kPlusPlus},
                             {"RANDOM", KMeansInit::kRandom},
                             {"CUSTOM", KMeansInit::kCustom}});
  const bool custom = parsed.init == KMeansInit::kCustom;
  if (custom != reader.Text("kmeans_init_col").has_value())
    throw Error(ErrorCode::kInvalidOption,
                custom ? "KMEANS_INIT_METHOD 'CUSTOM' needs KMEANS_INIT_COL"
                       : "KMEANS_INIT_COL needs KMEANS_INIT_METHOD 'CUSTOM'",
                "KMEANS_INIT_COL names a BOOLEAN column that is TRUE for the first centroids");
  parsed.num_starts = reader.Integer("num_starts", 1, parsed.num_starts);
  if (parsed.num_starts > kMostStarts)
    OptionReader::Refuse(*reader.Find("num_starts"), "a whole number from 1 to 1000");
  if (custom && parsed.num_starts > 1)
    throw Error(ErrorCode::kInvalidOption,
                "NUM_STARTS does not go with KMEANS_INIT_METHOD 'CUSTOM'",
                "there is one start from given centroids; leave NUM_STARTS out");
}

}  // namespace

std::vector<std::string_view> KMeansOptionNames() {
  return {"num_clusters",   "kmeans_init_method", "kmeans_init_col",
          "num_starts",     "distance_type",      "standardize_features",
          "max_iterations", "early_stop",         "min_rel_progress"};
}

KMeansOptions ParseKMeansOptions(const std::vector<Option>& options) {
  const OptionReader reader(options);
  KMeansOptions parsed;
  ReadStopping(reader, parsed);
  parsed.num_clusters = reader.Integer("num_clusters", 2, parsed.num_clusters);
  if (parsed.num_clusters > kMostClusters)
    OptionReader::Refuse(*reader.Find("num_clusters"), "a whole number from 2 to 100000");
  ReadStart(reader, parsed);
  parsed.distance =
      reader.Word("distance_type", parsed.distance,
                  {{"EUCLIDEAN", KMeansDistance::kEuclidean}, {"COSINE", KMeansDistance::kCosine}});
  parsed.standardize_features = reader.Boolean("standardize_features", true);
  return parsed;
}

}  // namespace braid::ml
