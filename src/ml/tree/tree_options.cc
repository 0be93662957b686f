// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/tree_options.h"

#include "base/error.h"
#include "ml/class_weights.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

int64_t IntegerUpTo(const OptionReader& reader, std::string_view name, int64_t most,
                    int64_t otherwise) {
  const int64_t value = reader.Integer(name, 1, otherwise);
  if (value > most)
    OptionReader::Refuse(*reader.Find(name), "a whole number from 1 to " + std::to_string(most));
  return value;
}

void ReadBoosting(const OptionReader& reader, TreeOptions& parsed) {
  parsed.dart = reader.Word("booster_type", false, {{"GBTREE", false}, {"DART", true}});
  parsed.dropout = reader.Between("dropout", 0, 1, 0);
  if (parsed.dropout > 0 && !parsed.dart)
    throw Error(ErrorCode::kInvalidOption, "DROPOUT needs BOOSTER_TYPE 'DART'",
                "write booster_type = 'DART', or leave DROPOUT out");
  parsed.learn_rate = reader.Between("learn_rate", 0, 1, parsed.learn_rate, true);
  parsed.max_iterations = IntegerUpTo(reader, "max_iterations", kMostTrees, parsed.max_iterations);
  parsed.early_stop = reader.Boolean("early_stop", parsed.early_stop);
  parsed.min_rel_progress = reader.AtLeast("min_rel_progress", 0, parsed.min_rel_progress);
}

void ReadSampling(const OptionReader& reader, TreeOptions& parsed) {
  const auto share = [&reader](std::string_view name, double otherwise) {
    return reader.Between(name, 0, 1, otherwise, true);
  };
  parsed.subsample = share("subsample", parsed.subsample);
  parsed.colsample_bytree = share("colsample_bytree", parsed.colsample_bytree);
  parsed.colsample_bylevel = share("colsample_bylevel", parsed.colsample_bylevel);
  parsed.colsample_bynode = share("colsample_bynode", parsed.colsample_bynode);
}

void CheckEncoding(const OptionReader& reader) {
  const bool label = reader.Word("category_encoding_method", true,
                                 {{"LABEL_ENCODING", true},
                                  {"LABEL", true},
                                  {"ONE_HOT_ENCODING", false},
                                  {"ONE_HOT", false},
                                  {"TARGET_ENCODING", false},
                                  {"TARGET", false}});
  if (!label)
    throw Error(ErrorCode::kNotSupported,
                "CATEGORY_ENCODING_METHOD of trees is 'LABEL_ENCODING' alone",
                "leave it out, or encode the column in the training query");
}

}  // namespace

std::string_view TreeTypeName(TreeType type) {
  switch (type) {
    case TreeType::kBoostedClassifier:
      return "boosted_tree_classifier";
    case TreeType::kBoostedRegressor:
      return "boosted_tree_regressor";
    case TreeType::kForestClassifier:
      return "random_forest_classifier";
    case TreeType::kForestRegressor:
      break;
  }
  return "random_forest_regressor";
}

std::vector<std::string_view> TreeOptionNames(TreeType type) {
  std::vector<std::string_view> names = {"num_parallel_tree",
                                         "max_tree_depth",
                                         "l1_reg",
                                         "l2_reg",
                                         "subsample",
                                         "colsample_bytree",
                                         "colsample_bylevel",
                                         "colsample_bynode",
                                         "min_tree_child_weight",
                                         "min_split_loss",
                                         "category_encoding_method",
                                         "tree_method",
                                         "enable_global_explain"};
  if (!IsForest(type))
    names.insert(names.end(), {"booster_type", "dropout", "learn_rate", "max_iterations",
                               "early_stop", "min_rel_progress"});
  if (IsClassifier(type)) names.insert(names.end(), {"auto_class_weights", "class_weights"});
  return names;
}

TreeOptions ParseTreeOptions(TreeType type, const std::vector<Option>& options) {
  const OptionReader reader(options);
  TreeOptions parsed;
  if (IsForest(type)) {
    parsed.num_parallel_tree = 100;
    parsed.max_tree_depth = 15;
    parsed.subsample = 0.8;
    parsed.colsample_bynode = 0.8;
    parsed.learn_rate = 1;
    parsed.max_iterations = 1;
    parsed.early_stop = false;
  } else {
    ReadBoosting(reader, parsed);
  }
  ReadSampling(reader, parsed);
  parsed.num_parallel_tree =
      IntegerUpTo(reader, "num_parallel_tree", kMostTrees, parsed.num_parallel_tree);
  parsed.max_tree_depth = IntegerUpTo(reader, "max_tree_depth", kMostDepth, parsed.max_tree_depth);
  parsed.l1_reg = reader.AtLeast("l1_reg", 0, parsed.l1_reg);
  parsed.l2_reg = reader.AtLeast("l2_reg", 0, parsed.l2_reg);
  parsed.min_tree_child_weight =
      reader.AtLeast("min_tree_child_weight", 0, parsed.min_tree_child_weight);
  parsed.min_split_loss = reader.AtLeast("min_split_loss", 0, parsed.min_split_loss);
  parsed.tree_method = reader.Word(
      "tree_method", parsed.tree_method,
      {{"AUTO", std::string("hist")}, {"EXACT", "exact"}, {"APPROX", "approx"}, {"HIST", "hist"}});
  CheckEncoding(reader);
  parsed.auto_class_weights = reader.Boolean("auto_class_weights", false);
  parsed.class_weights = ReadClassWeights(reader);
  return parsed;
}

}  // namespace braid::ml
