// SPDX-License-Identifier: Apache-2.0
// PartitionedModel as JSON: docs/formats/model_artefact.md.
#include <map>

#include "base/error.h"
#include "ml/artefact_json.h"
#include "ml/partitioned/partitioned_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

// Texts that many partitions share, each once; "" is number 0.
class SharedTexts {
 public:
  size_t NumberOf(const std::string& text) {
    const auto [found, is_new] = numbers_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return found->second;
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_ = {""};
  std::map<std::string, size_t> numbers_ = {{"", 0}};
};

Json InputsJson(const std::vector<InputColumn>& inputs) {
  Json list = Json::array();
  for (const InputColumn& input : inputs)
    list.push_back({{"name", input.name},
                    {"kind", input.kind == InputKind::kNumeric ? "numeric" : "category"}});
  return list;
}

// A list for each thing that is told of a partition, an item a partition.
Json PartitionsJson(const PartitionedParts& parts) {
  Json keys = Json::array();
  for (size_t c = 0; c < parts.key_columns.size(); ++c) {
    Json column = Json::array();
    for (const PartitionKey& key : parts.keys) column.push_back(OrNull(key[c]));
    keys.push_back(std::move(column));
  }
  SharedTexts texts;
  Json rows = Json::array();
  Json errors = Json::array();
  Json notices = Json::array();
  Json losses = Json::array();
  Json r2_scores = Json::array();
  for (const PartitionOutcome& outcome : parts.outcomes) {
    rows.push_back(outcome.rows);
    errors.push_back(texts.NumberOf(outcome.error));
    notices.push_back(texts.NumberOf(outcome.notice));
    losses.push_back(OrNull(outcome.loss));
    r2_scores.push_back(OrNull(outcome.r2_score));
  }
  return {{"keys", std::move(keys)},         {"rows", std::move(rows)},
          {"texts", texts.texts()},          {"error", std::move(errors)},
          {"notice", std::move(notices)},    {"loss", std::move(losses)},
          {"r2_score", std::move(r2_scores)}};
}

std::optional<double> NumberOrNone(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return FiniteNumber(json);
}

void ReadPartitions(const Json& json, PartitionedParts& parts) {
  const Json& keys = json.at("keys");
  const Json& rows = json.at("rows");
  const auto texts = json.at("texts").get<std::vector<std::string>>();
  const size_t count = rows.size();
  for (const char* list : {"error", "notice", "loss", "r2_score"})
    if (json.at(list).size() != count) MalformedArtefact("the partitions' lists differ in length");
  if (keys.size() != parts.key_columns.size())
    MalformedArtefact("the partitions' keys do not fit their columns");
  parts.keys.assign(count, {});
  for (const Json& column : keys) {
    if (column.size() != count) MalformedArtefact("the partitions' lists differ in length");
    for (size_t p = 0; p < count; ++p)
      parts.keys[p].push_back(column[p].is_null() ? std::nullopt
                                                  : std::optional(column[p].get<std::string>()));
  }
  uint32_t entry = 0;
  for (size_t p = 0; p < count; ++p) {
    parts.outcomes.push_back({.rows = CountNumber(rows[p]),
                              .error = texts.at(json["error"][p].get<size_t>()),
                              .notice = texts.at(json["notice"][p].get<size_t>()),
                              .loss = NumberOrNone(json["loss"][p]),
                              .r2_score = NumberOrNone(json["r2_score"][p])});
    parts.entry_of.push_back(parts.outcomes.back().error.empty() ? entry++ : PartitionKeys::kNone);
  }
  if (json.at("pooled").get<bool>()) parts.pooled = entry++;
  if (parts.pack.size() != entry) MalformedArtefact("there are other models than partitions");
}

}  // namespace

std::string PartitionedModel::ToArtefact() const {
  Json columns = Json::array();
  for (const KeyColumn& column : parts_.key_columns)
    columns.push_back({{"name", column.name}, {"type", column.type}});
  Json json = {{"format", kFormat},
               {"version", kVersion},
               {"model_type", kind()},
               {"key_columns", std::move(columns)},
               {"inputs", InputsJson(parts_.inputs)},
               {"classes", parts_.classes}};
  json.update(PartitionsJson(parts_));
  json["pooled"] = has_pooled();
  json["models"] = parts_.pack.ToJson();
  return DumpArtefact(json);
}

std::unique_ptr<Model> PartitionedModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion);
  try {
    PartitionedParts parts{.kind = &FindModelKind(json.at("model_type").get<std::string>())};
    for (const Json& column : json.at("key_columns"))
      parts.key_columns.push_back({column.at("name"), column.at("type")});
    for (const Json& input : json.at("inputs"))
      parts.inputs.push_back({input.at("name"), input.at("kind") == "numeric"
                                                    ? InputKind::kNumeric
                                                    : InputKind::kCategory});
    parts.classes = json.at("classes").get<std::vector<std::string>>();
    parts.pack = ArtefactPack::FromJson(json.at("models"));
    ReadPartitions(json, parts);
    return std::make_unique<PartitionedModel>(std::move(parts));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  } catch (const std::out_of_range&) {
    MalformedArtefact("a partition's text is missing");
  }
}

}  // namespace braid::ml
