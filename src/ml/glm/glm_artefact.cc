// SPDX-License-Identifier: Apache-2.0
// GlmModel as JSON: docs/formats/model_artefact.md.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "ml/glm/glm_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.glm";
constexpr int kVersion = 1;

[[noreturn]] void Malformed(std::string_view what) {
  throw Error(ErrorCode::kLakeDamaged, fmt::format("A model's artefact is malformed: {}", what),
              "restore it from a backup, or train the model again");
}

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
    Json item = {{"text", level.text ? Json(*level.text) : Json(nullptr)}, {"count", level.count}};
    if (level.dropped) item["dropped"] = true;
    levels.push_back(std::move(item));
  }
  json["categories"] = std::move(levels);
  return json;
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

double Finite(const Json& json) {
  if (!json.is_number()) Malformed("a number is missing");
  const double value = json.get<double>();
  if (!std::isfinite(value)) Malformed("a number is not finite");
  return value;
}

int64_t Count(const Json& json) {
  if (!json.is_number_integer() || json.get<int64_t>() < 0) Malformed("a count is wrong");
  return json.get<int64_t>();
}

GlmInput ReadInput(const Json& json) {
  GlmInput input{.name = json.at("name").get<std::string>(),
                 .null_count = Count(json.at("null_count"))};
  const std::string kind = json.at("kind").get<std::string>();
  if (kind == "numeric") {
    input.mean = Finite(json.at("mean"));
    input.standard_deviation = Finite(json.at("standard_deviation"));
    return input;
  }
  if (kind != "category") Malformed("an input is of an unknown kind");
  input.kind = InputKind::kCategory;
  std::set<std::optional<std::string>> seen;
  for (const Json& item : json.at("categories")) {
    CategoryLevel level{.count = Count(item.at("count")), .dropped = item.value("dropped", false)};
    if (!item.at("text").is_null()) level.text = item.at("text").get<std::string>();
    if (!seen.insert(level.text).second) Malformed("a category stands twice");
    input.categories.push_back(std::move(level));
  }
  return input;
}

GlmScore ReadScore(const Json& json, size_t weights) {
  GlmScore score{.intercept = Finite(json.at("intercept"))};
  for (const Json& weight : json.at("weights")) score.weights.push_back(Finite(weight));
  if (score.weights.size() != weights) Malformed("the weights do not fit the inputs");
  return score;
}

std::vector<TrainingInfoRow> ReadTraining(const Json& json) {
  std::vector<TrainingInfoRow> rows;
  for (const Json& item : json) {
    TrainingInfoRow row{.iteration = Count(item.at("iteration")), .loss = Finite(item.at("loss"))};
    if (item.contains("eval_loss")) row.eval_loss = Finite(item["eval_loss"]);
    if (item.contains("learning_rate")) row.learning_rate = Finite(item["learning_rate"]);
    rows.push_back(row);
  }
  return rows;
}

std::vector<double> FiniteList(const Json& json) {
  std::vector<double> list;
  for (const Json& item : json) list.push_back(Finite(item));
  return list;
}

GlmInference ReadInference(const Json& json, const GlmParts& parts, size_t weights) {
  GlmInference inference{
      .standardised_intercept_errors = FiniteList(json.at("standardised_intercept_errors")),
      .degrees_of_freedom = Finite(json.at("degrees_of_freedom")),
      .inflation = FiniteList(json.at("inflation")),
      .residual_variance = Finite(json.at("residual_variance")),
      .centre = FiniteList(json.at("centre")),
      .inverse = FiniteList(json.at("inverse"))};
  for (const Json& item : json.at("standard_errors"))
    inference.standard_errors.push_back(ReadScore(item, weights));
  size_t features = weights;
  for (const GlmInput& input : parts.inputs)
    for (const CategoryLevel& level : input.categories) features -= level.dropped ? 1 : 0;
  const size_t scores = parts.scores.size();
  const bool regression = parts.type == GlmType::kLinearReg;
  if (inference.standard_errors.size() != scores ||
      inference.standardised_intercept_errors.size() != scores ||
      inference.inflation.size() != parts.inputs.size() ||
      inference.centre.size() != (regression ? features : 0) ||
      inference.inverse.size() != (regression ? (features + 1) * (features + 1) : 0))
    Malformed("the standard errors do not fit the weights");
  return inference;
}

GlmParts ReadParts(const Json& json) {
  GlmParts parts;
  const std::string type = json.at("model_type").get<std::string>();
  if (type == GlmTypeName(GlmType::kLogisticReg))
    parts.type = GlmType::kLogisticReg;
  else if (type != GlmTypeName(GlmType::kLinearReg))
    Malformed("the model type is unknown");
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
    Malformed("the classes do not fit the scores");
  parts.fit_intercept = json.at("fit_intercept").get<bool>();
  parts.rows = Count(json.at("rows"));
  parts.skipped = Count(json.at("skipped"));
  parts.training_info = ReadTraining(json.at("training_info"));
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
               {"training_info", TrainingJson(parts_.training_info)}};
  if (parts_.inference) json["inference"] = InferenceJson(*parts_.inference);
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorCode::kTrainingData, "A category, class or column name is not UTF-8 text");
  }
}

GlmModel GlmModel::FromArtefact(std::string_view artefact) {
  try {
    const Json json = Json::parse(artefact);
    if (json.at("format").get<std::string>() != kFormat)
      Malformed("it is not a generalised linear model");
    if (json.at("version").get<int>() != kVersion)
      throw Error(ErrorCode::kLakeFormat,
                  "A model's artefact was written by another version of Braid",
                  "train the model again, or use the version that wrote it");
    return GlmModel(ReadParts(json));
  } catch (const nlohmann::json::exception& error) {
    Malformed(error.what());
  }
}

}  // namespace braid::ml
