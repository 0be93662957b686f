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

}  // namespace

std::vector<std::string_view> KMeansOptionNames() {
  return {"num_clusters",         "kmeans_init_method", "kmeans_init_col", "distance_type",
          "standardize_features", "max_iterations",     "early_stop",      "min_rel_progress"};
}

KMeansOptions ParseKMeansOptions(const std::vector<Option>& options) {
  enum class Method : uint8_t { kRandom, kPlusPlus, kCustom };
  const OptionReader reader(options);
  KMeansOptions parsed;
  ReadStopping(reader, parsed);
  parsed.num_clusters = reader.Integer("num_clusters", 2, parsed.num_clusters);
  if (parsed.num_clusters > kMostClusters)
    OptionReader::Refuse(*reader.Find("num_clusters"), "a whole number from 2 to 100000");
  const Method method = reader.Word(
      "kmeans_init_method", Method::kPlusPlus,
      {{"KMEANS++", Method::kPlusPlus}, {"RANDOM", Method::kRandom}, {"CUSTOM", Method::kCustom}});
  if (method == Method::kCustom || reader.Has("kmeans_init_col"))
    throw Error(ErrorCode::kNotSupported,
                method == Method::kCustom ? "KMEANS_INIT_METHOD 'CUSTOM' is not available"
                                          : "KMEANS_INIT_COL is not available",
                "use 'KMEANS++' or 'RANDOM'");
  parsed.init = method == Method::kRandom ? KMeansInit::kRandom : KMeansInit::kPlusPlus;
  parsed.distance =
      reader.Word("distance_type", parsed.distance,
                  {{"EUCLIDEAN", KMeansDistance::kEuclidean}, {"COSINE", KMeansDistance::kCosine}});
  parsed.standardize_features = reader.Boolean("standardize_features", true);
  return parsed;
}

}  // namespace braid::ml
