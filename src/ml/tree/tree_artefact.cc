// SPDX-License-Identifier: Apache-2.0
// TreeModel as JSON: docs/formats/model_artefact.md.
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ml/artefact_json.h"
#include "ml/tree/tree_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.trees";
constexpr int kVersion = 1;
constexpr int kEncodedVersion = 2;  // where categories have another encoding than their places

const std::pair<TreeEncodingKind, std::string_view> kEncodings[] = {
    {TreeEncodingKind::kOneHot, "one_hot"}, {TreeEncodingKind::kTarget, "target"}};

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

float SingleNumber(const Json& json) {
  const double value = FiniteNumber(json);
  if (!(std::abs(value) <= std::numeric_limits<float>::max()))
    MalformedArtefact("a number is too large");
  return static_cast<float>(value);
}

Tree ReadTree(const Json& json, size_t input_count, size_t outputs) {
  Tree tree{.output = json.at("output").get<uint32_t>()};
  if (tree.output >= outputs) MalformedArtefact("a tree adds to an unknown score");
  const Json& inputs = json.at("input");
  const size_t count = inputs.size();
  if (count == 0) MalformedArtefact("a tree is empty");
  for (size_t n = 0; n < count; ++n) {
    const auto input = inputs[n].get<int64_t>();
    const auto left = json.at("left").at(n).get<int64_t>();
    const float value = SingleNumber(json.at("value").at(n));
    tree.statistics.push_back(
        {SingleNumber(json.at("gain").at(n)), SingleNumber(json.at("cover").at(n))});
    if (input == -1) {
      tree.nodes.push_back({.threshold = std::numeric_limits<float>::quiet_NaN(),
                            .left = static_cast<uint32_t>(n),
                            .value = value});
      continue;
    }
    if (input < 0 || static_cast<size_t>(input) >= input_count)
      MalformedArtefact("a split is of no input");
    if (left <= static_cast<int64_t>(n) || static_cast<size_t>(left) + 1 >= count)
      MalformedArtefact("a split has no children");
    tree.nodes.push_back({.threshold = value,
                          .input = static_cast<uint32_t>(input) & 0x7fffffffU,
                          .missing_right = json.at("missing_right").at(n).get<int>() != 0,
                          .left = static_cast<uint32_t>(left)});
  }
  return tree;
}

TreeType ReadType(const std::string& name) {
  for (const TreeType type : {TreeType::kBoostedClassifier, TreeType::kBoostedRegressor,
                              TreeType::kForestClassifier, TreeType::kForestRegressor})
    if (TreeTypeName(type) == name) return type;
  MalformedArtefact("the model type is unknown");
}

TreeEncodingKind ReadEncoding(const Json& json) {
  if (json.at("version") == kVersion) return TreeEncodingKind::kLabel;
  const std::string name = json.at("category_encoding").get<std::string>();
  for (const auto& [encoding, known] : kEncodings)
    if (known == name) return encoding;
  MalformedArtefact("the encoding of the categories is unknown");
}

void ReadInputs(const Json& json, TreeParts& parts) {
  const TreeEncodingKind encoding = ReadEncoding(json);
  const bool has_values = encoding == TreeEncodingKind::kTarget;
  const size_t targets = parts.classes.size() > 2 ? parts.classes.size() : 1;
  std::vector<EncodedInput> encoded;
  for (const Json& item : json.at("inputs")) {
    const std::string kind = item.at("kind").get<std::string>();
    if (kind != "numeric" && kind != "category")
      MalformedArtefact("an input is of an unknown kind");
    parts.inputs.push_back({item.at("name").get<std::string>(),
                            kind == "numeric" ? InputKind::kNumeric : InputKind::kCategory});
    EncodedInput& input = encoded.emplace_back();
    if (kind == "numeric") continue;
    input.levels = item.at("levels").get<std::vector<std::string>>();
    if (has_values)
      input.values = FiniteNumbers(item.at("values"), (input.levels.size() + 2) * targets);
  }
  parts.encoding = TreeEncoding(encoding, parts.inputs, std::move(encoded), targets);
}

TreeParts ReadParts(const Json& json) {
  TreeParts parts{.type = ReadType(json.at("model_type").get<std::string>()),
                  .label = json.at("label").get<std::string>()};
  parts.classes = json.at("classes").get<std::vector<std::string>>();
  const size_t classes = parts.classes.size();
  if (IsClassifier(parts.type) ? classes < 2 : classes != 0)
    MalformedArtefact("the classes do not fit the model type");
  ReadInputs(json, parts);
  parts.base = FiniteNumber(json.at("base"));
  for (const Json& tree : json.at("trees"))
    parts.trees.push_back(ReadTree(tree, parts.encoding.width(), classes > 2 ? classes : 1));
  parts.rows = CountNumber(json.at("rows"));
  parts.skipped = CountNumber(json.at("skipped"));
  parts.training_info = ReadTrainingInfo(json.at("training_info"));
  return parts;
}

}  // namespace

std::string TreeModel::ToArtefact() const {
  Json inputs = Json::array();
  for (size_t c = 0; c < parts_.inputs.size(); ++c) {
    const bool numeric = parts_.inputs[c].kind == InputKind::kNumeric;
    Json input = {{"name", parts_.inputs[c].name}, {"kind", numeric ? "numeric" : "category"}};
    const EncodedInput& encoded = parts_.encoding.encoded()[c];
    if (!numeric) input["levels"] = encoded.levels;
    if (!encoded.values.empty()) input["values"] = encoded.values;
    inputs.push_back(std::move(input));
  }
  Json trees = Json::array();
  for (const Tree& tree : parts_.trees) trees.push_back(TreeJson(tree));
  const bool plain = parts_.encoding.kind() == TreeEncodingKind::kLabel;
  Json json = {{"format", kFormat},
               {"version", plain ? kVersion : kEncodedVersion},
               {"model_type", TreeTypeName(parts_.type)},
               {"label", parts_.label},
               {"inputs", std::move(inputs)},
               {"classes", parts_.classes},
               {"base", parts_.base},
               {"trees", std::move(trees)},
               {"rows", parts_.rows},
               {"skipped", parts_.skipped},
               {"training_info", TrainingInfoJson(parts_.training_info)}};
  for (const auto& [encoding, name] : kEncodings)
    if (parts_.encoding.kind() == encoding) json["category_encoding"] = name;
  return DumpArtefact(json);
}

TreeModel TreeModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion, kEncodedVersion);
  try {
    return TreeModel(ReadParts(json));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
}

}  // namespace braid::ml
