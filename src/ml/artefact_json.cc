// SPDX-License-Identifier: Apache-2.0
#include "ml/artefact_json.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace braid::ml {

using Json = nlohmann::ordered_json;

void MalformedArtefact(std::string_view what) {
  throw Error(ErrorCode::kLakeDamaged, fmt::format("A model's artefact is malformed: {}", what),
              "restore it from a backup, or train the model again");
}

std::string DumpArtefact(const Json& json) {
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorCode::kTrainingData, "A category, class or column name is not UTF-8 text");
  }
}

Json ParseArtefact(std::string_view artefact, std::string_view format, int version,
                   std::optional<int> also) {
  try {
    Json json = Json::parse(artefact);
    if (json.at("format").get<std::string>() != format)
      MalformedArtefact("it is not of the format " + std::string(format));
    const int found = json.at("version").get<int>();
    if (found != version && found != also)
      throw Error(ErrorCode::kLakeFormat,
                  "A model's artefact was written by another version of Braid",
                  "train the model again, or use the version that wrote it");
    return json;
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
}

double FiniteNumber(const Json& json) {
  if (!json.is_number()) MalformedArtefact("a number is missing");
  const double value = json.get<double>();
  if (!std::isfinite(value)) MalformedArtefact("a number is not finite");
  return value;
}

int64_t CountNumber(const Json& json) {
  if (!json.is_number_integer() || json.get<int64_t>() < 0) MalformedArtefact("a count is wrong");
  return json.get<int64_t>();
}

Json TrainingInfoJson(const std::vector<TrainingInfoRow>& rows) {
  Json info = Json::array();
  for (const TrainingInfoRow& row : rows) {
    Json item = {{"iteration", row.iteration}, {"loss", row.loss}};
    if (row.eval_loss) item["eval_loss"] = *row.eval_loss;
    if (row.learning_rate) item["learning_rate"] = *row.learning_rate;
    info.push_back(std::move(item));
  }
  return info;
}

std::vector<TrainingInfoRow> ReadTrainingInfo(const Json& json) {
  std::vector<TrainingInfoRow> rows;
  for (const Json& item : json) {
    TrainingInfoRow row{.iteration = CountNumber(item.at("iteration")),
                        .loss = FiniteNumber(item.at("loss"))};
    if (item.contains("eval_loss")) row.eval_loss = FiniteNumber(item["eval_loss"]);
    if (item.contains("learning_rate")) row.learning_rate = FiniteNumber(item["learning_rate"]);
    rows.push_back(row);
  }
  return rows;
}

std::vector<double> FiniteNumbers(const Json& json, size_t count) {
  if (!json.is_array() || json.size() != count) MalformedArtefact("a list has a wrong length");
  std::vector<double> numbers;
  for (const Json& item : json) numbers.push_back(FiniteNumber(item));
  return numbers;
}

}  // namespace braid::ml
