// SPDX-License-Identifier: Apache-2.0
#include "train/trial_journal.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace braid::train {

namespace {

using catalog::ModelTrial;
using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

std::optional<double> NumberOrNone(const Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::string ToText(const ModelTrial& trial) {
  return Json{{"format", kFormat},
              {"hyperparameters", trial.hyperparameters},
              {"evaluation_metrics", trial.evaluation_metrics},
              {"test_metrics", trial.test_metrics},
              {"training_loss", OrNull(trial.training_loss)},
              {"eval_loss", OrNull(trial.eval_loss)},
              {"artefact_sha256", trial.artefact_sha256}}
      .dump();
}

ModelTrial FromText(const std::string& text) {
  const Json json = Json::parse(text);
  if (json.at("format").get<int>() != kFormat)
    throw Error(ErrorCode::kLakeFormat, "A trial's record has another format");
  return {.hyperparameters = json.at("hyperparameters"),
          .evaluation_metrics = json.at("evaluation_metrics"),
          .test_metrics = json.at("test_metrics"),
          .training_loss = NumberOrNone(json.at("training_loss")),
          .eval_loss = NumberOrNone(json.at("eval_loss")),
          .status = "SUCCEEDED",
          .artefact_sha256 = json.at("artefact_sha256")};
}

}  // namespace

TrialJournal::TrialJournal(const std::filesystem::path& folder, const std::string& model,
                           const std::string& pins)
    : of_model_(folder / Sha256Hex(model)), folder_(of_model_ / Sha256Hex(pins)) {
  std::filesystem::create_directories(folder_);
  for (const auto& entry : std::filesystem::directory_iterator(of_model_))
    if (entry.path() != folder_) std::filesystem::remove_all(entry.path());
}

std::filesystem::path TrialJournal::PathOf(const std::string& hyperparameters) const {
  return folder_ / (Sha256Hex(hyperparameters) + ".json");
}

std::optional<ModelTrial> TrialJournal::Find(const std::string& hyperparameters,
                                             session::ModelStore& models) const {
  const std::filesystem::path path = PathOf(hyperparameters);
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    ModelTrial trial = FromText(ReadFile(path));
    models.Get(trial.artefact_sha256);
    return trial;
  } catch (const std::exception&) {
    return std::nullopt;  // what cannot be read is run again
  }
}

void TrialJournal::Add(const ModelTrial& trial) const {
  WriteFileDurably(PathOf(trial.hyperparameters), ToText(trial));
}

void TrialJournal::Close() const { std::filesystem::remove_all(of_model_); }

std::set<std::string> TrialJournal::Artefacts(const std::filesystem::path& folder) {
  std::set<std::string> artefacts;
  if (!std::filesystem::exists(folder)) return artefacts;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
    try {
      artefacts.insert(FromText(ReadFile(entry.path())).artefact_sha256);
    } catch (const std::exception&) {
      continue;  // such a trial is run again
    }
  }
  return artefacts;
}

}  // namespace braid::train
