// SPDX-License-Identifier: Apache-2.0
// TreeModel as JSON: docs/formats/model_artefact.md.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "ml/tree/tree_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.trees";
constexpr int kVersion = 1;

[[noreturn]] void Malformed(std::string_view what) {
  throw Error(ErrorCode::kLakeDamaged, fmt::format("A model's artefact is malformed: {}", what),
              "restore it from a backup, or train the model again");
}

// A leaf's input is -1, its value stands in the place of a threshold.
Json TreeJson(const Tree& tree) {
  Json inputs = Json::array();
  Json values = Json::array();
  Json left = Json::array();
  Json missing_right = Json::array();
  Json gains = Json::array();
  Json covers = Json::array();
  for (uint32_t n = 0; n < tree.nodes.size(); ++n) {
    const TreeNode& node = tree.nodes[n];
    const bool leaf = tree.IsLeaf(n);
    inputs.push_back(leaf ? -1 : static_cast<int64_t>(node.input));
    values.push_back(leaf ? node.value : node.threshold);
    left.push_back(leaf ? 0 : node.left);
    missing_right.push_back(static_cast<int>(node.missing_right));
    gains.push_back(tree.statistics[n].gain);
    covers.push_back(tree.statistics[n].cover);
  }
  return {{"output", tree.output},
          {"input", std::move(inputs)},
          {"value", std::move(values)},
          {"left", std::move(left)},
          {"missing_right", std::move(missing_right)},
          {"gain", std::move(gains)},
          {"cover", std::move(covers)}};
}

float Finite(const Json& json) {
  if (!json.is_number()) Malformed("a number is missing");
  const double value = json.get<double>();
  if (!(std::abs(value) <= std::numeric_limits<float>::max())) Malformed("a number is too large");
  return static_cast<float>(value);
}

Tree ReadTree(const Json& json, size_t input_count, size_t outputs) {
  Tree tree{.output = json.at("output").get<uint32_t>()};
  if (tree.output >= outputs) Malformed("a tree adds to an unknown score");
  const Json& inputs = json.at("input");
  const size_t count = inputs.size();
  if (count == 0) Malformed("a tree is empty");
  for (size_t n = 0; n < count; ++n) {
    const auto input = inputs[n].get<int64_t>();
    const auto left = json.at("left").at(n).get<int64_t>();
    const float value = Finite(json.at("value").at(n));
    tree.statistics.push_back({Finite(json.at("gain").at(n)), Finite(json.at("cover").at(n))});
    if (input == -1) {
      tree.nodes.push_back({.threshold = std::numeric_limits<float>::quiet_NaN(),
                            .left = static_cast<uint32_t>(n),
                            .value = value});
      continue;
    }
    if (input < 0 || static_cast<size_t>(input) >= input_count) Malformed("a split is of no input");
    if (left <= static_cast<int64_t>(n) || static_cast<size_t>(left) + 1 >= count)
      Malformed("a split has no children");
    tree.nodes.push_back({.threshold = value,
                          .input = static_cast<uint32_t>(input) & 0x7fffffffU,
                          .missing_right = json.at("missing_right").at(n).get<int>() != 0,
                          .left = static_cast<uint32_t>(left)});
  }
  return tree;
}

Json TrainingJson(const std::vector<TrainingInfoRow>& rows) {
  Json info = Json::array();
  for (const TrainingInfoRow& row : rows) {
    Json item = {{"iteration", row.iteration}, {"loss", row.loss}};
    if (row.eval_loss) item["eval_loss"] = *row.eval_loss;
    if (row.learning_rate) item["learning_rate"] = *row.learning_rate;
    info.push_back(std::move(item));
  }
  return info;
}

TreeType ReadType(const std::string& name) {
  for (const TreeType type : {TreeType::kBoostedClassifier, TreeType::kBoostedRegressor,
                              TreeType::kForestClassifier, TreeType::kForestRegressor})
    if (TreeTypeName(type) == name) return type;
  Malformed("the model type is unknown");
}

void ReadInputs(const Json& json, TreeParts& parts) {
  for (const Json& item : json) {
    const std::string kind = item.at("kind").get<std::string>();
    if (kind != "numeric" && kind != "category") Malformed("an input is of an unknown kind");
    parts.inputs.push_back({item.at("name").get<std::string>(),
                            kind == "numeric" ? InputKind::kNumeric : InputKind::kCategory});
    parts.levels.push_back(kind == "numeric" ? std::vector<std::string>()
                                             : item.at("levels").get<std::vector<std::string>>());
  }
}

TreeParts ReadParts(const Json& json) {
  TreeParts parts{.type = ReadType(json.at("model_type").get<std::string>()),
                  .label = json.at("label").get<std::string>()};
  ReadInputs(json.at("inputs"), parts);
  parts.classes = json.at("classes").get<std::vector<std::string>>();
  const size_t classes = parts.classes.size();
  if (IsClassifier(parts.type) ? classes < 2 : classes != 0)
    Malformed("the classes do not fit the model type");
  parts.base = json.at("base").get<double>();
  if (!std::isfinite(parts.base)) Malformed("a number is not finite");
  for (const Json& tree : json.at("trees"))
    parts.trees.push_back(ReadTree(tree, parts.inputs.size(), classes > 2 ? classes : 1));
  parts.rows = json.at("rows").get<int64_t>();
  parts.skipped = json.at("skipped").get<int64_t>();
  for (const Json& item : json.at("training_info")) {
    TrainingInfoRow& row = parts.training_info.emplace_back(TrainingInfoRow{
        .iteration = item.at("iteration").get<int64_t>(), .loss = item.at("loss").get<double>()});
    if (item.contains("eval_loss")) row.eval_loss = item["eval_loss"].get<double>();
    if (item.contains("learning_rate")) row.learning_rate = item["learning_rate"].get<double>();
  }
  return parts;
}

}  // namespace

std::string TreeModel::ToArtefact() const {
  Json inputs = Json::array();
  for (size_t c = 0; c < parts_.inputs.size(); ++c) {
    const bool numeric = parts_.inputs[c].kind == InputKind::kNumeric;
    Json input = {{"name", parts_.inputs[c].name}, {"kind", numeric ? "numeric" : "category"}};
    if (!numeric) input["levels"] = parts_.levels[c];
    inputs.push_back(std::move(input));
  }
  Json trees = Json::array();
  for (const Tree& tree : parts_.trees) trees.push_back(TreeJson(tree));
  const Json json = {{"format", kFormat},
                     {"version", kVersion},
                     {"model_type", TreeTypeName(parts_.type)},
                     {"label", parts_.label},
                     {"inputs", std::move(inputs)},
                     {"classes", parts_.classes},
                     {"base", parts_.base},
                     {"trees", std::move(trees)},
                     {"rows", parts_.rows},
                     {"skipped", parts_.skipped},
                     {"training_info", TrainingJson(parts_.training_info)}};
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorCode::kTrainingData, "A category, class or column name is not UTF-8 text",
                "convert the text in the training query");
  }
}

TreeModel TreeModel::FromArtefact(std::string_view artefact) {
  try {
    const Json json = Json::parse(artefact);
    if (json.at("format").get<std::string>() != kFormat) Malformed("it is not a model of trees");
    if (json.at("version").get<int>() != kVersion)
      throw Error(ErrorCode::kLakeFormat,
                  "A model's artefact was written by another version of Braid",
                  "train the model again, or use the version that wrote it");
    return TreeModel(ReadParts(json));
  } catch (const nlohmann::json::exception& error) {
    Malformed(error.what());
  }
}

}  // namespace braid::ml
