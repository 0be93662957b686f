// SPDX-License-Identifier: Apache-2.0
#include "session/model_store.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "ml/model_kind.h"

namespace braid::session {

namespace {

constexpr int kArtefactFormat = 2;
constexpr int kGlmOnlyFormat = 1;  // says only whether it classifies

nlohmann::ordered_json ToJson(const std::vector<ProjectedInput>& inputs) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ProjectedInput& input : inputs) {
    list.push_back(
        {{"name", input.name}, {"expression", input.expression}, {"category", input.is_category}});
    if (!input.type.empty()) list.back()["type"] = input.type;
  }
  return list;
}

std::vector<ProjectedInput> InputsOf(const nlohmann::json& list) {
  std::vector<ProjectedInput> inputs;
  for (const auto& input : list)
    inputs.push_back(
        {input.at("name"), input.at("expression"), input.at("category"), input.value("type", "")});
  return inputs;
}

std::string ToText(const StoredModel& model) {
  nlohmann::ordered_json text = {
      {"format", kArtefactFormat},       {"inputs", ToJson(model.projection.inputs)},
      {"label", model.projection.label}, {"label_type", model.projection.label_type},
      {"kind", model.core->kind()},      {"core", model.core->ToArtefact()}};
  if (!model.projection.transform.empty()) text["transform"] = ToJson(model.projection.transform);
  for (const ml::FeatureStatistics& feature : model.features)
    text["features"].push_back(ml::ToJson(feature));
  if (!model.global_explanation.empty()) text["global_explanation"] = model.global_explanation;
  return text.dump();
}

StoredModel FromText(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  const int format = json.at("format").get<int>();
  if (format != kArtefactFormat && format != kGlmOnlyFormat)
    throw Error(ErrorCode::kLakeFormat,
                "The model's artefact has another format than this Braid reads");
  Projection projection{.inputs = InputsOf(json.at("inputs")),
                        .transform = InputsOf(json.value("transform", nlohmann::json::array())),
                        .label = json.at("label"),
                        .label_type = json.at("label_type")};
  const std::string kind_name =
      format == kGlmOnlyFormat
          ? (json.at("classification").get<bool>() ? "logistic_reg" : "linear_reg")
          : json.at("kind").get<std::string>();
  StoredModel model{std::move(projection),
                    ml::LoadModel(kind_name, json.at("core").get_ref<const std::string&>())};
  for (const auto& feature : json.value("features", nlohmann::json::array()))
    model.features.push_back(ml::ReadFeatureStatistics(feature));
  model.global_explanation = json.value("global_explanation", std::vector<double>());
  return model;
}

}  // namespace

const remote::Server& ModelStore::FindServer(const std::string& connection) const {
  static const remote::Connections none;
  return (connections_ == nullptr ? none : *connections_).Find(connection);
}

std::string ModelStore::Put(const StoredModel& model) {
  const std::string text = ToText(model);
  const std::string sha256 = Sha256Hex(text);
  const std::filesystem::path folder = folder_ / sha256;
  if (!std::filesystem::exists(folder / "model.json")) {
    std::filesystem::create_directories(folder);
    WriteFileDurably(folder / "model.json", text);
    SyncFolder(folder_);
  }
  MutexLock lock(mutex_);
  loaded_.try_emplace(sha256, std::make_shared<const StoredModel>(model));
  return sha256;
}

std::string ModelStore::Hold(const StoredModel& model) {
  const std::string sha256 = Sha256Hex(ToText(model));
  MutexLock lock(mutex_);
  ++held_[sha256];
  loaded_.try_emplace(sha256, std::make_shared<const StoredModel>(model));
  return sha256;
}

void ModelStore::Release(const std::string& sha256) {
  MutexLock lock(mutex_);
  const auto held = held_.find(sha256);
  if (held == held_.end() || --held->second > 0) return;
  held_.erase(held);
  if (!std::filesystem::exists(folder_ / sha256 / "model.json")) loaded_.erase(sha256);
}

std::shared_ptr<const StoredModel> ModelStore::Get(const std::string& sha256) {
  MutexLock lock(mutex_);
  const auto found = loaded_.find(sha256);
  if (found != loaded_.end()) return found->second;
  const std::filesystem::path path = folder_ / sha256 / "model.json";
  if (!std::filesystem::exists(path))
    throw Error(ErrorCode::kLakeDamaged, "A model's artefact is missing: " + path.string(),
                "restore the folder from a backup, or train the model again");
  const std::string text = ReadFile(path);
  if (Sha256Hex(text) != sha256)
    throw Error(ErrorCode::kLakeDamaged, "A model's artefact is damaged: " + path.string(),
                "restore the folder from a backup, or train the model again");
  auto model = std::make_shared<const StoredModel>(FromText(text));
  loaded_.emplace(sha256, model);
  return model;
}

std::vector<std::filesystem::path> ModelStore::FoldersBeside(
    const std::set<std::string>& known) const {
  std::vector<std::filesystem::path> folders;
  if (!std::filesystem::exists(folder_)) return folders;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    if (entry.is_directory() && !known.contains(entry.path().filename().string()))
      folders.push_back(entry.path());
  return folders;
}

bool ModelStore::HoldsMoreThan(const std::set<std::string>& known) const {
  return !FoldersBeside(known).empty();
}

size_t ModelStore::RemoveAllBut(const std::set<std::string>& kept) {
  const std::vector<std::filesystem::path> removed = FoldersBeside(kept);
  for (const std::filesystem::path& path : removed) {
    {
      MutexLock lock(mutex_);
      const auto found = loaded_.find(path.filename().string());
      if (found != loaded_.end() && found->second.use_count() == 1 && !held_.contains(found->first))
        loaded_.erase(found);
    }
    std::filesystem::remove_all(path);
  }
  if (!removed.empty()) SyncFolder(folder_);
  return removed.size();
}

}  // namespace braid::session
