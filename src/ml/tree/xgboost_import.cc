// SPDX-License-Identifier: Apache-2.0
// XGBoost's files: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
#include "ml/tree/xgboost_import.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "ml/tree/tree_model.h"
#include "ml/tree/xgboost_trees.h"

namespace braid::ml {

namespace {

using Json = nlohmann::json;

constexpr int kMostNested = 32;
constexpr int64_t kMostInputs = 100'000;

[[noreturn]] void Refuse(const std::string& what, const std::string& hint = "") {
  throw Error(ErrorCode::kModelImport, what, hint);
}

// Looks a file over before a document is made of it: UBJSON nests, and announces lengths, without
// any bytes to back them.
class Guard final : public nlohmann::json_sax<Json> {
 public:
  explicit Guard(size_t bytes) : bytes_(bytes) {}
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t count) override { return Enter(count); }
  bool key(string_t&) override { return true; }
  bool end_object() override { return Leave(); }
  bool start_array(size_t count) override { return Enter(count); }
  bool end_array() override { return Leave(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool Enter(size_t count) {
    constexpr auto kOpen = static_cast<size_t>(-1);
    return ++depth_ <= kMostNested && (count == kOpen || count <= bytes_);
  }
  bool Leave() {
    --depth_;
    return true;
  }
  size_t bytes_;
  int depth_ = 0;
};

Json Parse(const std::string& file) {
  const size_t begin = file.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos || file[begin] != '{')
    Refuse("The file is not XGBoost's JSON or UBJSON",
           "save it with Booster.save_model('model.json'); XGBoost's older binary files are not "
           "read");
  // In UBJSON a length comes before a key, which is no quotation mark.
  const size_t key = file.find_first_not_of(" \t\r\n", begin + 1);
  const bool text = key != std::string::npos && (file[key] == '"' || file[key] == '}');
  const auto format =
      text ? nlohmann::detail::input_format_t::json : nlohmann::detail::input_format_t::ubjson;
  Guard guard(file.size());
  if (!Json::sax_parse(file, &guard, format)) Refuse("The file is malformed JSON or UBJSON");
  return text ? Json::parse(file) : Json::from_ubjson(file);
}

// Numbers are texts in the file, since 3.1 in brackets: "5E-1", "[5E-1]", "[1E-1,2E-1]".
std::vector<double> Numbers(const Json& json) {
  const auto& text = json.get_ref<const std::string&>();
  std::vector<double> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    if (*at == '[' || *at == ']' || *at == ',' || *at == ' ') {
      ++at;
      continue;
    }
    double number = 0;
    const auto [stop, failure] = std::from_chars(at, end, number);
    if (failure != std::errc() || !std::isfinite(number))
      Refuse("XGBoost's model is malformed: no number: " + text);
    numbers.push_back(number);
    at = stop;
  }
  return numbers;
}

int64_t Integer(const Json& json) {
  const std::vector<double> numbers = Numbers(json);
  if (numbers.size() != 1 || numbers[0] != std::trunc(numbers[0]) || numbers[0] < 0 ||
      numbers[0] > kMostInputs)
    Refuse("XGBoost's model is malformed: no count: " + json.get<std::string>());
  return static_cast<int64_t>(numbers[0]);
}

std::vector<InputColumn> Inputs(const ImportRequest& request, const Json& learner) {
  const auto count =
      static_cast<size_t>(Integer(learner.at("learner_model_param").at("num_feature")));
  if (const auto types = learner.find("feature_types"); types != learner.end())
    for (const Json& type : *types)
      if (type == "c")
        Refuse("The model splits on categories as such",
               "train it on numbers, or train boosted_tree_* in Braid");
  if (!request.inputs.empty()) {
    if (request.inputs.size() != count)
      Refuse(
          fmt::format("INPUT names {} columns, the file takes {}", request.inputs.size(), count));
    for (const InputColumn& input : request.inputs)
      if (input.kind != InputKind::kNumeric)
        Refuse("INPUT gives a text for " + input.name + ", the file takes numbers",
               "encode it as it was encoded for training");
    return request.inputs;
  }
  std::vector<InputColumn> inputs;
  if (const auto names = learner.find("feature_names"); names != learner.end())
    for (const Json& name : *names)
      inputs.push_back({name.get<std::string>(), InputKind::kNumeric});
  if (inputs.size() != count || count == 0)
    Refuse(fmt::format("The file does not name its {} inputs", count),
           "name the columns: CREATE MODEL … INPUT (a DOUBLE, …)");
  return inputs;
}

struct Objective {
  bool classifies = false;
  size_t margins = 1;
  bool base_is_probability = false;
};

Objective ObjectiveOf(const Json& learner) {
  const std::string name = learner.at("objective").at("name").get<std::string>();
  const int64_t classes = Integer(learner.at("learner_model_param").at("num_class"));
  for (const char* plain : {"reg:squarederror", "reg:linear", "reg:pseudohubererror",
                            "reg:absoluteerror", "reg:quantileerror"})
    if (name == plain) return {};
  if (name == "binary:logistic") return {.classifies = true, .base_is_probability = true};
  if ((name == "multi:softprob" || name == "multi:softmax") && classes >= 2)
    return {.classifies = true, .margins = static_cast<size_t>(classes)};
  Refuse("Models of this objective are not read: " + name,
         "reg:squarederror and its kin, binary:logistic, multi:softprob and multi:softmax are");
}

// The scores that a row has before any tree: by each margin.
std::vector<double> Bases(const Json& learner, const Objective& objective) {
  std::vector<double> bases = Numbers(learner.at("learner_model_param").at("base_score"));
  if (bases.size() == 1) bases.resize(objective.margins, bases[0]);
  if (bases.size() != objective.margins) Refuse("XGBoost's model is malformed: base_score");
  if (objective.base_is_probability) {
    if (!(bases[0] > 0 && bases[0] < 1)) Refuse("XGBoost's model is malformed: base_score");
    bases[0] = std::log(bases[0] / (1 - bases[0]));
  }
  return bases;
}

ClassLabels Labels(const ImportRequest& request, size_t count) {
  ClassLabels labels = ReadClassLabels(request.settings);
  if (labels.texts.empty()) {
    labels.type = "BIGINT";
    for (size_t k = 0; k < count; ++k) labels.texts.push_back(std::to_string(k));
  }
  if (labels.texts.size() != count)
    Refuse(
        fmt::format("CLASS_LABELS names {} classes, the file has {}", labels.texts.size(), count));
  return labels;
}

// A tree of one leaf, which gives each row the same.
Tree Constant(size_t output, double value) {
  Tree tree{.output = static_cast<uint32_t>(output)};
  tree.nodes.push_back(
      {.threshold = std::numeric_limits<float>::quiet_NaN(), .value = static_cast<float>(value)});
  tree.statistics.push_back({0, 1});
  return tree;
}

// Classes in ascending order, the trees with them.
void SetClasses(const ClassLabels& labels, TreeParts& parts) {
  const std::vector<size_t> order = labels.Ascending();
  std::vector<uint32_t> score_of(order.size());
  for (size_t k = 0; k < order.size(); ++k) {
    parts.classes.push_back(labels.texts[order[k]]);
    score_of[order[k]] = static_cast<uint32_t>(k);
  }
  if (order.size() > 2) {
    for (Tree& tree : parts.trees) tree.output = score_of[tree.output];
    return;
  }
  if (score_of[1] == 1) return;  // the margin is the second class's, as ours is the higher one's
  parts.base = -parts.base;
  for (Tree& tree : parts.trees)
    for (TreeNode& node : tree.nodes) node.value = -node.value;
}

// Two margins of softmax are one: their difference.
void JoinMargins(TreeParts& parts) {
  for (Tree& tree : parts.trees)
    if (std::exchange(tree.output, 0U) == 0)
      for (TreeNode& node : tree.nodes) node.value = -node.value;
}

TreeParts ReadParts(const ImportRequest& request, const Json& learner, ImportedModel& imported) {
  const Objective objective = ObjectiveOf(learner);
  TreeParts parts{
      .type = objective.classifies ? TreeType::kBoostedClassifier : TreeType::kBoostedRegressor,
      .label = request.label.empty() ? "label" : request.label,
      .inputs = Inputs(request, learner)};
  parts.encoding = TreeEncoding(TreeEncodingKind::kLabel, parts.inputs,
                                std::vector<EncodedInput>(parts.inputs.size()), 1);
  parts.trees = TreesOfXgboost(learner, parts.inputs.size(), objective.margins);
  const std::vector<double> bases = Bases(learner, objective);
  if (objective.margins == 1) parts.base = bases[0];
  for (size_t k = 0; k < bases.size() && objective.margins > 1; ++k)
    if (bases[k] != bases[0]) parts.trees.push_back(Constant(k, bases[k] - bases[0]));
  if (objective.margins == 2) JoinMargins(parts);
  imported.label_type = "DOUBLE";
  if (!objective.classifies) return parts;
  const ClassLabels labels = Labels(request, std::max<size_t>(2, objective.margins));
  imported.label_type = labels.type;
  SetClasses(labels, parts);
  return parts;
}

}  // namespace

ImportedModel ImportXgboost(const ImportRequest& request) {
  ImportedModel imported;
  try {
    const Json json = Parse(request.file);
    TreeParts parts = ReadParts(request, json.at("learner"), imported);
    imported.label = parts.label;
    for (const InputColumn& input : parts.inputs) imported.columns.push_back({input.name, 0});
    imported.model = std::make_unique<TreeModel>(std::move(parts));
  } catch (const nlohmann::json::exception& error) {
    Refuse(fmt::format("XGBoost's model is malformed: {}", error.what()));
  }
  return imported;
}

const ModelKind& XgboostKind() {
  static const ModelKind kind = {
      .name = "xgboost",
      .task = Task::kRegression,
      .option_names = {"model_path", "class_labels"},
      .check_options = [](const std::vector<Option>& options) { ReadClassLabels(options); },
      .import = ImportXgboost,
      // What is stored is a model of ours, of boosted_tree_classifier or boosted_tree_regressor.
      .load = [](std::string_view artefact) -> std::unique_ptr<Model> {
        return std::make_unique<TreeModel>(TreeModel::FromArtefact(artefact));
      }};
  return kind;
}

}  // namespace braid::ml
