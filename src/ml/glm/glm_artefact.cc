// SPDX-License-Identifier: Apache-2.0
// GlmModel as JSON: docs/formats/model_artefact.md.
#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "ml/artefact_json.h"
#include "ml/glm/glm_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.glm";
constexpr int kVersion = 1;

Json InputJson(const GlmInput& input) {
  Json json = {{"name", input.name},
               {"kind", input.kind == InputKind::kNumeric ? "numeric" : "category"},
               {"null_count", input.null_count}};
  if (input.kind == InputKind::kNumeric) {
    json["mean"] = input.mean;
    json["standard_deviation"] = input.standard_deviation;
    return json;
  }
  Json levels = Json::array();
  for (const CategoryLevel& level : input.categories) {
    Json item = {{"text", OrNull(level.text)}, {"count", level.count}};
    if (level.dropped) item["dropped"] = true;
    levels.push_back(std::move(item));
  }
  json["categories"] = std::move(levels);
  return json;
}

Json ScoresJson(const std::vector<GlmScore>& scores) {
  Json list = Json::array();
  for (const GlmScore& score : scores)
    list.push_back({{"intercept", score.intercept}, {"weights", score.weights}});
  return list;
}

Json InferenceJson(const GlmInference& inference) {
  return {{"standard_errors", ScoresJson(inference.standard_errors)},
          {"standardised_intercept_errors", inference.standardised_intercept_errors},
          {"degrees_of_freedom", inference.degrees_of_freedom},
          {"inflation", inference.inflation},
          {"residual_variance", inference.residual_variance},
          {"centre", inference.centre},
          {"inverse", inference.inverse}};
}

GlmInput ReadInput(const Json& json) {
  GlmInput input{.name = json.at("name").get<std::string>(),
                 .null_count = CountNumber(json.at("null_count"))};
  const std::string kind = json.at("kind").get<std::string>();
  if (kind == "numeric") {
    input.mean = FiniteNumber(json.at("mean"));
    input.standard_deviation = FiniteNumber(json.at("standard_deviation"));
    return input;
  }
  if (kind != "category") MalformedArtefact("an input is of an unknown kind");
  input.kind = InputKind::kCategory;
  std::set<std::optional<std::string>> seen;
  for (const Json& item : json.at("categories")) {
    CategoryLevel level{.count = CountNumber(item.at("count")),
                        .dropped = item.value("dropped", false)};
    if (!item.at("text").is_null()) level.text = item.at("text").get<std::string>();
    if (!seen.insert(level.text).second) MalformedArtefact("a category stands twice");
    input.categories.push_back(std::move(level));
  }
  return input;
}

GlmScore ReadScore(const Json& json, size_t weights) {
  return {.intercept = FiniteNumber(json.at("intercept")),
          .weights = FiniteNumbers(json.at("weights"), weights)};
}

GlmInference ReadInference(const Json& json, const GlmParts& parts, size_t weights) {
  size_t features = weights;
  for (const GlmInput& input : parts.inputs)
    for (const CategoryLevel& level : input.categories) features -= level.dropped ? 1 : 0;
  // Intervals are a regression's alone.
  const size_t centred = parts.type == GlmType::kLinearReg ? features : 0;
  const size_t inverse = parts.type == GlmType::kLinearReg ? (features + 1) * (features + 1) : 0;
  const size_t scores = parts.scores.size();
  GlmInference inference{.standardised_intercept_errors =
                             FiniteNumbers(json.at("standardised_intercept_errors"), scores),
                         .degrees_of_freedom = FiniteNumber(json.at("degrees_of_freedom")),
                         .inflation = FiniteNumbers(json.at("inflation"), parts.inputs.size()),
                         .residual_variance = FiniteNumber(json.at("residual_variance")),
                         .centre = FiniteNumbers(json.at("centre"), centred),
                         .inverse = FiniteNumbers(json.at("inverse"), inverse)};
  for (const Json& item : json.at("standard_errors"))
    inference.standard_errors.push_back(ReadScore(item, weights));
  if (inference.standard_errors.size() != scores)
    MalformedArtefact("the standard errors do not fit the weights");
  return inference;
}

GlmParts ReadParts(const Json& json) {
  GlmParts parts;
  const std::string type = json.at("model_type").get<std::string>();
  if (type == GlmTypeName(GlmType::kLogisticReg))
    parts.type = GlmType::kLogisticReg;
  else if (type != GlmTypeName(GlmType::kLinearReg))
    MalformedArtefact("the model type is unknown");
  parts.label = json.at("label").get<std::string>();
  size_t weights = 0;
  for (const Json& item : json.at("inputs")) {
    parts.inputs.push_back(ReadInput(item));
    const GlmInput& input = parts.inputs.back();
    weights += input.kind == InputKind::kNumeric ? 1 : input.categories.size();
  }
  for (const Json& item : json.at("classes")) parts.classes.push_back(item.get<std::string>());
  for (const Json& item : json.at("scores")) parts.scores.push_back(ReadScore(item, weights));
  const size_t classes = parts.classes.size();
  const bool fits = parts.type == GlmType::kLinearReg ? classes == 0 : classes >= 2;
  if (!fits || parts.scores.size() != (classes > 2 ? classes : 1))
    MalformedArtefact("the classes do not fit the scores");
  parts.fit_intercept = json.at("fit_intercept").get<bool>();
  parts.rows = CountNumber(json.at("rows"));
  parts.skipped = CountNumber(json.at("skipped"));
  parts.training_info = ReadTrainingInfo(json.at("training_info"));
  if (json.contains("inference"))
    parts.inference = ReadInference(json["inference"], parts, weights);
  return parts;
}

}  // namespace

std::string GlmModel::ToArtefact() const {
  Json inputs = Json::array();
  for (const GlmInput& input : parts_.inputs) inputs.push_back(InputJson(input));
  Json json = {{"format", kFormat},
               {"version", kVersion},
               {"model_type", GlmTypeName(parts_.type)},
               {"label", parts_.label},
               {"inputs", std::move(inputs)},
               {"classes", parts_.classes},
               {"scores", ScoresJson(parts_.scores)},
               {"fit_intercept", parts_.fit_intercept},
               {"rows", parts_.rows},
               {"skipped", parts_.skipped},
               {"training_info", TrainingInfoJson(parts_.training_info)}};
  if (parts_.inference) json["inference"] = InferenceJson(*parts_.inference);
  return DumpArtefact(json);
}

std::optional<LinearPaths> GlmModel::linear_paths() const {
  LinearPaths paths{.intercept = "/scores/0/intercept", .weights = {}, .means = {}};
  for (size_t c = 0; c < parts_.inputs.size(); ++c) {
    if (parts_.inputs[c].kind == InputKind::kCategory) return std::nullopt;
    paths.weights.push_back(fmt::format("/scores/0/weights/{}", c));
    paths.means.push_back(fmt::format("/inputs/{}/mean", c));
  }
  if (task() != Task::kRegression) return std::nullopt;
  return paths;
}

GlmModel GlmModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion);
  try {
    return GlmModel(ReadParts(json));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
}

}  // namespace braid::ml
