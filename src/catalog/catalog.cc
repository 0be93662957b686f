// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "syntax/format.h"
#include "syntax/parse.h"

namespace braid::catalog {

namespace {

constexpr std::array<std::string_view, 5> kKindNames = {"streaming table", "materialized view",
                                                        "flow", "model", "service"};

ObjectKind KindFromName(const std::string& name) {
  const auto found = std::find(kKindNames.begin(), kKindNames.end(), name);
  if (found == kKindNames.end())
    throw Error(ErrorCode::kLakeFormat, "Unknown kind of object in braid.object: " + name);
  return static_cast<ObjectKind>(found - kKindNames.begin());
}

void LoadObjects(engine::Connection& connection, State& state) {
  for (const auto& row : connection.Rows(
           "SELECT kind, name, owner, coalesce(file, ''), coalesce(line, 0), definition FROM "
           "lake.braid.object")) {
    Object object{.kind = KindFromName(row[0]),
                  .key = row[1],
                  .owner = row[2],
                  .file = row[3],
                  .line = row[4],
                  .definition = row[5],
                  .statement = nullptr};
    object.statement = std::make_shared<const syntax::Statement>(
        syntax::Parse(object.definition, std::string_view(object.file)));
    state.Put(std::move(object));
  }
}

engine::Value OrNull(const std::optional<int64_t>& number) {
  if (number) return *number;
  return {};
}

std::map<std::string, double> MetricsOf(const nlohmann::ordered_json& text) {
  std::map<std::string, double> metrics;
  const auto json = nlohmann::json::parse(text.get_ref<const std::string&>());
  for (const auto& [name, value] : json.items())
    if (value.is_number()) metrics[name] = value;
  return metrics;
}

std::string MetricsText(const std::map<std::string, double>& metrics) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, value] : metrics) json[name] = value;
  return json.dump();
}

std::optional<double> NumberOrNone(const nlohmann::ordered_json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

void LoadTrials(engine::Connection& connection, State& state) {
  for (const auto& row : connection.Rows(
           "SELECT model, version, trial_id, hyperparameters, CAST(to_json(evaluation_metrics) AS "
           "VARCHAR), CAST(to_json(test_metrics) AS VARCHAR), training_loss, eval_loss, status, "
           "error_message, is_optimal, artefact_sha256 FROM lake.braid.model_trial ORDER BY model, "
           "version, trial_id")) {
    for (ModelVersion& version : state.versions[row[0]]) {
      if (version.version != row[1].get<int64_t>()) continue;
      version.trials.push_back({.trial_id = row[2],
                                .hyperparameters = row[3],
                                .evaluation_metrics = MetricsOf(row[4]),
                                .test_metrics = MetricsOf(row[5]),
                                .training_loss = NumberOrNone(row[6]),
                                .eval_loss = NumberOrNone(row[7]),
                                .status = row[8],
                                .error_message = row[9],
                                .is_optimal = row[10],
                                .artefact_sha256 = row[11]});
    }
  }
}

void AddTrials(engine::Connection& connection, const ModelVersion& version) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("CAST('{}' AS DOUBLE)", *value) : std::string("NULL");
  };
  const auto metrics = [](const std::map<std::string, double>& values) {
    return fmt::format("CAST(CAST({} AS JSON) AS MAP(VARCHAR, DOUBLE))",
                       syntax::QuoteString(MetricsText(values)));
  };
  std::string rows;
  for (const ModelTrial& trial : version.trials)
    rows += fmt::format(
        "{}({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})", rows.empty() ? "" : ", ",
        syntax::QuoteString(version.model), version.version, trial.trial_id,
        syntax::QuoteString(trial.hyperparameters), metrics(trial.evaluation_metrics),
        metrics(trial.test_metrics), number(trial.training_loss), number(trial.eval_loss),
        syntax::QuoteString(trial.status), syntax::QuoteString(trial.error_message),
        trial.is_optimal ? "TRUE" : "FALSE", syntax::QuoteString(trial.artefact_sha256));
  if (!rows.empty()) connection.Execute("INSERT INTO lake.braid.model_trial VALUES " + rows);
}

void LoadVersions(engine::Connection& connection, State& state) {
  for (const auto& row : connection.Rows(
           "SELECT model, version, type, created_at, run_id, snapshot_id, query, options, seed, "
           "threads, rows, CAST(to_json(metrics) AS VARCHAR), artefact_sha256 FROM "
           "lake.braid.model_version ORDER BY model, version")) {
    ModelVersion version{.model = row[0],
                         .version = row[1],
                         .type = row[2],
                         .created_at = row[3],
                         .run_id = row[4],
                         .snapshot_id = row[5],
                         .query = row[6],
                         .options = row[7],
                         .seed = row[8],
                         .threads = row[9],
                         .rows = row[10],
                         .metrics = MetricsOf(row[11]),
                         .artefact_sha256 = row[12],
                         .trials = {}};
    state.versions[version.model].push_back(std::move(version));
  }
  LoadTrials(connection, state);
  for (const auto& row : connection.Rows(
           "SELECT model, alias, v FROM (SELECT model, alias, arg_max_null(version, "
           "\"at\") AS v FROM lake.braid.alias_event GROUP BY ALL) WHERE v IS NOT NULL"))
    state.aliases[row[0]][row[1]] = row[2];
}

}  // namespace

std::string_view KindName(ObjectKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string ObjectKey(const syntax::Name& name, ObjectKind kind) {
  const bool table = kind == ObjectKind::kStreamingTable || kind == ObjectKind::kMaterializedView;
  if (name.schema.empty()) return ToLower(table ? "main." + name.name : name.name);
  return ToLower(name.schema + "." + name.name);
}

const Object* State::Find(ObjectKind kind, const std::string& key) const {
  const auto& of_kind = objects[static_cast<size_t>(kind)];
  const auto found = of_kind.find(key);
  return found == of_kind.end() ? nullptr : &found->second;
}

const Object* State::FindTable(const std::string& key) const {
  const Object* table = Find(ObjectKind::kStreamingTable, key);
  return table != nullptr ? table : Find(ObjectKind::kMaterializedView, key);
}

void State::Put(Object object) {
  const std::string key = object.key;
  objects[static_cast<size_t>(object.kind)].insert_or_assign(key, std::move(object));
}

void State::Remove(ObjectKind kind, const std::string& key) {
  objects[static_cast<size_t>(kind)].erase(key);
}

const ModelVersion& State::Resolve(const syntax::ModelReference& reference) const {
  const std::string key = ObjectKey(reference.name, ObjectKind::kModel);
  const auto found = versions.find(key);
  if (found == versions.end() || found->second.empty()) {
    const bool declared = Find(ObjectKind::kModel, key) != nullptr;
    std::vector<std::string> known;
    for (const auto& entry : versions) known.push_back(entry.first);
    const auto close = ClosestMatch(key, known);
    throw Error(ErrorCode::kModelNotFound,
                fmt::format("{}: {}",
                            declared ? "Model has no trained version yet" : "Model not found", key),
                declared ? "train it: braid run"
                         : (close ? fmt::format("did you mean {}?", *close)
                                  : "SHOW MODELS lists the models"));
  }
  int64_t wanted = 0;
  if (reference.version) {
    wanted = *reference.version;
  } else {
    const std::string alias = ToLower(reference.alias.value_or("champion"));
    const auto of_model = aliases.find(key);
    if (of_model == aliases.end() || !of_model->second.contains(alias))
      throw Error(ErrorCode::kModelNotFound,
                  fmt::format("Model has no such alias: {}@{}", key, alias),
                  "SHOW MODELS lists the aliases of each model");
    wanted = of_model->second.at(alias);
  }
  for (const ModelVersion& version : found->second)
    if (version.version == wanted) return version;
  throw Error(ErrorCode::kModelNotFound,
              fmt::format("Model has no such version: {}@{}", key, wanted),
              fmt::format("its newest version is {}", found->second.back().version));
}

const ModelVersion* State::Champion(const std::string& model) const {
  const auto of_model = aliases.find(model);
  if (of_model == aliases.end() || !of_model->second.contains("champion")) return nullptr;
  const int64_t wanted = of_model->second.at("champion");
  for (const ModelVersion& version : versions.at(model))
    if (version.version == wanted) return &version;
  return nullptr;
}

State LoadState(engine::Connection& connection) {
  State state;
  LoadObjects(connection, state);
  LoadVersions(connection, state);
  return state;
}

void PutObjects(engine::Connection& connection, std::span<const Object* const> objects) {
  if (objects.empty()) return;
  // One statement each: every one that writes to the lake leaves a file there.
  std::string keys;
  std::string rows;
  for (const Object* object : objects) {
    const std::string key = fmt::format("({}, {}", syntax::QuoteString(KindName(object->kind)),
                                        syntax::QuoteString(object->key));
    keys += fmt::format("{}{})", keys.empty() ? "" : ", ", key);
    rows += fmt::format("{}{}, {}, {}, {}, {}, now())", rows.empty() ? "" : ", ", key,
                        syntax::QuoteString(object->owner), syntax::QuoteString(object->file),
                        object->line, syntax::QuoteString(object->definition));
  }
  connection.Execute("DELETE FROM lake.braid.object WHERE (kind, name) IN (" + keys + ")");
  connection.Execute("INSERT INTO lake.braid.object VALUES " + rows);
}

void PutObject(engine::Connection& connection, const Object& object) {
  const Object* const one = &object;
  PutObjects(connection, {&one, 1});
}

void RemoveObject(engine::Connection& connection, ObjectKind kind, const std::string& key) {
  const engine::Value parameters[] = {std::string(KindName(kind)), key};
  connection.Execute("DELETE FROM lake.braid.object WHERE kind = $1 AND name = $2", parameters);
}

void AddModelVersion(engine::Connection& connection, const ModelVersion& version) {
  const engine::Value parameters[] = {
      version.model,          version.version,     version.type,  version.created_at,
      version.run_id,         version.snapshot_id, version.query, version.options,
      version.seed,           version.threads,     version.rows,  MetricsText(version.metrics),
      version.artefact_sha256};
  connection.Execute(
      "INSERT INTO lake.braid.model_version SELECT $1, $2, $3, CAST($4 AS TIMESTAMPTZ), $5, $6, "
      "$7, $8, $9, $10, $11, CAST(CAST($12 AS JSON) AS MAP(VARCHAR, DOUBLE)), $13",
      parameters);
  AddTrials(connection, version);
}

void AddAliasEvent(engine::Connection& connection, State& state, const AliasEvent& event) {
  const engine::Value parameters[] = {event.model, event.alias,  OrNull(event.version),
                                      event.at,    event.run_id, event.reason};
  connection.Execute(
      "INSERT INTO lake.braid.alias_event VALUES ($1, $2, $3, CAST($4 AS TIMESTAMPTZ), $5, $6)",
      parameters);
  if (event.version)
    state.aliases[event.model][event.alias] = *event.version;
  else
    state.aliases[event.model].erase(event.alias);
}

void AddModelNote(engine::Connection& connection, const ModelNote& note) {
  const engine::Value parameters[] = {note.model, OrNull(note.version), note.name, note.value,
                                      note.at};
  connection.Execute(
      "INSERT INTO lake.braid.model_note VALUES ($1, $2, $3, $4, CAST($5 AS TIMESTAMPTZ))",
      parameters);
}

void AddModelDecision(engine::Connection& connection, const ModelDecision& decision) {
  const engine::Value parameters[] = {
      decision.model,    decision.version,   decision.at,      decision.run_id,
      decision.decision, decision.condition, decision.outcome, MetricsText(decision.quantities),
      decision.reason};
  connection.Execute(
      "INSERT INTO lake.braid.model_decision SELECT $1, $2, CAST($3 AS TIMESTAMPTZ), $4, $5, $6, "
      "$7, CAST(CAST($8 AS JSON) AS MAP(VARCHAR, DOUBLE)), $9",
      parameters);
}

std::shared_ptr<const State> Catalog::Get() const {
  MutexLock lock(mutex_);
  return state_;
}

void Catalog::Publish(State state) {
  auto next = std::make_shared<const State>(std::move(state));
  MutexLock lock(mutex_);
  state_ = std::move(next);
}

}  // namespace braid::catalog
