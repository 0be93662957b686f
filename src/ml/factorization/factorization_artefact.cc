// SPDX-License-Identifier: Apache-2.0
// FactorizationModel as JSON. Numbers of users and items are base64 of little-endian doubles.
#include <bit>
#include <cmath>
#include <cstring>

#include "base/base64.h"
#include "ml/artefact_json.h"
#include "ml/factorization/factorization_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.matrix_factorization";
constexpr int kVersion = 1;

static_assert(std::endian::native == std::endian::little);

std::string Pack(const std::vector<double>& numbers) {
  return EncodeBase64(
      {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)});
}

std::vector<double> Unpack(const Json& json, size_t count) {
  const std::optional<std::string> bytes = DecodeBase64(json.get_ref<const std::string&>());
  if (!bytes || bytes->size() / sizeof(double) != count || bytes->size() % sizeof(double) != 0)
    MalformedArtefact("a list of numbers has a wrong length");
  std::vector<double> numbers(count);
  if (count > 0) std::memcpy(numbers.data(), bytes->data(), bytes->size());
  for (const double number : numbers)
    if (!std::isfinite(number)) MalformedArtefact("a number is not finite");
  return numbers;
}

Json SideJson(const std::string& name, const IdIndex& index, const FactorSide& side) {
  return {{"name", name},
          {"ids", index.ids()},
          {"factors", Pack(side.factors)},
          {"biases", Pack(side.biases)}};
}

void ReadSide(const Json& json, size_t width, Feedback feedback, std::string& name, IdIndex& index,
              FactorSide& side) {
  name = json.at("name").get<std::string>();
  auto ids = json.at("ids").get<std::vector<std::string>>();
  for (size_t place = 1; place < ids.size(); ++place)
    if (ids[place - 1] >= ids[place]) MalformedArtefact("the ids are not in order");
  index = IdIndex(std::move(ids));
  side.width = width;
  side.factors = Unpack(json.at("factors"), index.size() * width);
  side.biases = Unpack(json.at("biases"), feedback == Feedback::kExplicit ? index.size() : 0);
}

FactorizationParts ReadParts(const Json& json) {
  FactorizationParts parts;
  const std::string feedback = json.at("feedback").get<std::string>();
  if (feedback != "explicit" && feedback != "implicit")
    MalformedArtefact("the feedback is of an unknown kind");
  parts.feedback = feedback == "explicit" ? Feedback::kExplicit : Feedback::kImplicit;
  parts.label = json.at("label").get<std::string>();
  parts.mean = FiniteNumber(json.at("mean"));
  parts.rows = CountNumber(json.at("rows"));
  parts.skipped = CountNumber(json.at("skipped"));
  const auto width = static_cast<size_t>(CountNumber(json.at("factors")));
  if (width == 0) MalformedArtefact("there are no factors");
  ReadSide(json.at("users"), width, parts.feedback, parts.user_name, parts.users, parts.user_side);
  ReadSide(json.at("items"), width, parts.feedback, parts.item_name, parts.items, parts.item_side);
  parts.training_info = ReadTrainingInfo(json.at("training_info"));
  return parts;
}

}  // namespace

std::string FactorizationModel::ToArtefact() const {
  return DumpArtefact(
      {{"format", kFormat},
       {"version", kVersion},
       {"feedback", parts_.feedback == Feedback::kExplicit ? "explicit" : "implicit"},
       {"label", parts_.label},
       {"factors", parts_.user_side.width},
       {"mean", parts_.mean},
       {"users", SideJson(parts_.user_name, parts_.users, parts_.user_side)},
       {"items", SideJson(parts_.item_name, parts_.items, parts_.item_side)},
       {"rows", parts_.rows},
       {"skipped", parts_.skipped},
       {"training_info", TrainingInfoJson(parts_.training_info)}});
}

FactorizationModel FactorizationModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion);
  try {
    return FactorizationModel(ReadParts(json));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
}

}  // namespace braid::ml
