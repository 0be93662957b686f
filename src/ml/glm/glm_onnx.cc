// SPDX-License-Identifier: Apache-2.0
// GlmModel as an ONNX graph, in doubles throughout. Numbers: NaN becomes the mean, then one matrix
// product. Categories: text → level → row of a table of weights, whose last row, for unseen texts,
// is zero. NULL texts arrive as a marker that is no category's text.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.h"
#include "ml/glm/glm_model.h"
#include "ml/onnx_graph.h"

namespace braid::ml {

namespace {

using Attribute = OnnxGraph::Attribute;
using Json = nlohmann::ordered_json;

// The names of a graph, none of which meets an input's.
struct OnnxNames {
  explicit OnnxNames(const GlmModel& model) {
    std::set<std::string> taken;
    for (const GlmInput& input : model.inputs()) taken.insert(input.name);
    const auto free = [&taken](std::string name) {
      while (taken.contains(name)) name += '_';
      return name;
    };
    predicted = free("predicted_" + model.label());
    probabilities = free("probabilities");
    if (probabilities == predicted) probabilities += '_';
    inner = "braid.";
    while (std::any_of(taken.begin(), taken.end(),
                       [&](const std::string& name) { return name.starts_with(inner); }))
      inner += '.';
  }
  std::string Inner(std::string_view name) const { return inner + std::string(name); }

  std::string predicted;
  std::string probabilities;
  std::string inner;  // what every other name begins with
};

std::string NullMarker(const GlmInput& input) {
  std::string marker = "__NULL__";
  while (std::any_of(input.categories.begin(), input.categories.end(),
                     [&](const CategoryLevel& level) { return level.text == marker; }))
    marker += '_';
  return marker;
}

class GlmGraph {
 public:
  explicit GlmGraph(const GlmModel& model)
      : model_(model), names_(model), scores_(static_cast<int64_t>(model.scores().size())) {}

  std::string Build() {
    AddNumbers();
    AddCategories();
    std::vector<double> intercepts;
    for (const GlmScore& score : model_.scores()) intercepts.push_back(score.intercept);
    graph_.AddConstant(names_.Inner("intercepts"), {scores_}, intercepts);
    const std::string score = names_.Inner("score");
    const bool regression = model_.classes().empty();
    graph_.AddNode("Add", {sum_, names_.Inner("intercepts")},
                   regression ? names_.predicted : score);
    if (regression)
      graph_.AddOutput(names_.predicted, OnnxType::kDouble, {-1, 1});
    else if (model_.classes().size() == 2)
      AddBinary(score);
    else
      AddSoftmax(score);
    if (!regression) {
      graph_.AddOutput(names_.predicted, OnnxType::kString, {-1, 1});
      graph_.AddOutput(names_.probabilities, OnnxType::kDouble,
                       {-1, static_cast<int64_t>(model_.classes().size())});
    }
    graph_.AddMetadata("braid.signature", model_.Signature());
    return graph_.Finish(std::string(model_.kind()));
  }

 private:
  // Adds a term to the scores.
  void AddTerm(const std::string& term) {
    if (!sum_.empty()) {
      const std::string next = names_.Inner(fmt::format("sum_{}", terms_));
      graph_.AddNode("Add", {sum_, term}, next);
      sum_ = next;
    } else {
      sum_ = term;
    }
    ++terms_;
  }

  void AddNumbers() {
    std::vector<std::string> values;
    std::vector<double> weights;
    size_t first = 0;
    for (size_t c = 0; c < model_.inputs().size(); ++c) {
      const GlmInput& input = model_.inputs()[c];
      if (input.kind == InputKind::kNumeric) {
        const auto name = [&](std::string_view part) {
          return names_.Inner(fmt::format("{}_{}", part, c));
        };
        graph_.AddInput(input.name, OnnxType::kDouble, {-1, 1});
        graph_.AddConstant(name("mean"), {1, 1}, std::vector<double>{input.mean});
        graph_.AddNode("IsNaN", {input.name}, name("missing"));
        graph_.AddNode("Where", {name("missing"), name("mean"), input.name}, name("value"));
        values.push_back(name("value"));
        for (const GlmScore& score : model_.scores()) weights.push_back(score.weights[first]);
      }
      first += input.kind == InputKind::kNumeric ? 1 : input.categories.size();
    }
    if (values.empty()) return;
    graph_.AddConstant(names_.Inner("weights"), {static_cast<int64_t>(values.size()), scores_},
                       weights);
    graph_.AddNode("Concat", values, names_.Inner("values"), {Attribute::Integer("axis", 1)});
    graph_.AddNode("MatMul", {names_.Inner("values"), names_.Inner("weights")},
                   names_.Inner("numbers"));
    AddTerm(names_.Inner("numbers"));
  }

  void AddCategories() {
    size_t first = 0;
    for (size_t c = 0; c < model_.inputs().size(); ++c) {
      const GlmInput& input = model_.inputs()[c];
      if (input.kind == InputKind::kCategory) AddCategory(input, c, first);
      first += input.kind == InputKind::kNumeric ? 1 : input.categories.size();
    }
  }

  void AddCategory(const GlmInput& input, size_t c, size_t first) {
    const auto name = [&](std::string_view part) {
      return names_.Inner(fmt::format("{}_{}", part, c));
    };
    const auto levels = static_cast<int64_t>(input.categories.size());
    std::vector<std::string> texts;
    std::vector<int64_t> places;
    std::vector<double> table;
    for (const CategoryLevel& level : input.categories) {
      const size_t place = places.size();
      texts.push_back(level.text ? *level.text : NullMarker(input));
      places.push_back(static_cast<int64_t>(place));
      for (const GlmScore& score : model_.scores()) table.push_back(score.weights[first + place]);
    }
    table.resize(table.size() + model_.scores().size());
    if (!std::exchange(has_categories_, true))
      graph_.AddConstant(names_.Inner("axis"), {1}, std::vector<int64_t>{1});
    graph_.AddInput(input.name, OnnxType::kString, {-1, 1});
    graph_.AddNode(
        "LabelEncoder", {input.name}, name("level"),
        {Attribute::Strings("keys_strings", texts), Attribute::Integers("values_int64s", places),
         Attribute::Integer("default_int64", levels)},
        OnnxGraph::kMlDomain);
    graph_.AddConstant(name("table"), {levels + 1, scores_}, table);
    graph_.AddNode("Gather", {name("table"), name("level")}, name("found"),
                   {Attribute::Integer("axis", 0)});
    graph_.AddNode("Squeeze", {name("found"), names_.Inner("axis")}, name("term"));
    AddTerm(name("term"));
  }

  void AddLabel(const std::string& place) {
    std::vector<int64_t> places;
    for (size_t k = 0; k < model_.classes().size(); ++k) places.push_back(static_cast<int64_t>(k));
    graph_.AddNode("LabelEncoder", {place}, names_.predicted,
                   {Attribute::Integers("keys_int64s", places),
                    Attribute::Strings("values_strings", model_.classes()),
                    Attribute::String("default_string", "")},
                   OnnxGraph::kMlDomain);
  }

  void AddBinary(const std::string& score) {
    graph_.AddNode("Neg", {score}, names_.Inner("opposite"));
    graph_.AddNode("Sigmoid", {score}, names_.Inner("high"));
    graph_.AddNode("Sigmoid", {names_.Inner("opposite")}, names_.Inner("low"));
    graph_.AddNode("Concat", {names_.Inner("low"), names_.Inner("high")}, names_.probabilities,
                   {Attribute::Integer("axis", 1)});
    graph_.AddConstant(names_.Inner("half"), {1, 1}, std::vector<double>{0.5});
    graph_.AddNode("GreaterOrEqual", {names_.Inner("high"), names_.Inner("half")},
                   names_.Inner("is_high"));
    graph_.AddNode("Cast", {names_.Inner("is_high")}, names_.Inner("place"),
                   {Attribute::Integer("to", static_cast<int64_t>(OnnxType::kInt64))});
    AddLabel(names_.Inner("place"));
  }

  void AddSoftmax(const std::string& score) {
    graph_.AddNode("Softmax", {score}, names_.probabilities, {Attribute::Integer("axis", 1)});
    graph_.AddNode("ArgMax", {names_.probabilities}, names_.Inner("place"),
                   {Attribute::Integer("axis", 1), Attribute::Integer("keepdims", 1)});
    AddLabel(names_.Inner("place"));
  }

  const GlmModel& model_;
  OnnxNames names_;
  int64_t scores_;
  OnnxGraph graph_;
  std::string sum_;
  size_t terms_ = 0;
  bool has_categories_ = false;
};

}  // namespace

std::string GlmModel::ToOnnx() const { return GlmGraph(*this).Build(); }

std::string GlmModel::Signature() const {
  const OnnxNames names(*this);
  const Json column_shape = Json::array({nullptr, 1});
  Json inputs = Json::array();
  for (const GlmInput& input : parts_.inputs) {
    const bool numeric = input.kind == InputKind::kNumeric;
    inputs.push_back({{"name", input.name},
                      {"type", numeric ? "double" : "string"},
                      {"shape", column_shape},
                      {"null", numeric ? "NaN" : NullMarker(input)}});
  }
  const bool regression = parts_.classes.empty();
  Json outputs = Json::array();
  outputs.push_back({{"name", names.predicted},
                     {"type", regression ? "double" : "string"},
                     {"shape", column_shape}});
  if (!regression)
    outputs.push_back({{"name", names.probabilities},
                       {"type", "double"},
                       {"shape", Json::array({nullptr, parts_.classes.size()})},
                       {"classes", parts_.classes}});
  return Json{{"format", "braid.signature"},
              {"version", 1},
              {"model_type", GlmTypeName(parts_.type)},
              {"inputs", std::move(inputs)},
              {"outputs", std::move(outputs)}}
      .dump();
}

}  // namespace braid::ml
