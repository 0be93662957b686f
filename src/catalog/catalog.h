// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/connection.h"
#include "syntax/query.h"
#include "syntax/statement.h"

namespace braid::catalog {

enum class ObjectKind : uint8_t { kStreamingTable, kMaterializedView, kFlow, kModel, kService };

std::string_view KindName(ObjectKind kind);  // "streaming table", …

// How objects are named in maps and messages: "schema.name" or "name", lower case. Tables always
// have a schema ("main").
std::string ObjectKey(const syntax::Name& name, ObjectKind kind);

// Something declared: by a project file (owner "project") or by a statement (owner "sql").
struct Object {
  ObjectKind kind = ObjectKind::kStreamingTable;
  std::string key;
  std::string owner;
  std::string file;  // relative to the project; empty for "sql"
  int64_t line = 0;
  std::string definition;  // the statement's text
  std::shared_ptr<const syntax::Statement> statement;
  // Where the statement begins in its file, and the file's text: for errors (catalog/place.h). Not
  // kept in the lake.
  size_t offset = 0;
  std::shared_ptr<const std::string> file_text;
};

// One trial of a tuned version: a row of braid.model_trial.
struct ModelTrial {
  int64_t trial_id = 0;         // from 1
  std::string hyperparameters;  // JSON
  std::map<std::string, double> evaluation_metrics;
  std::map<std::string, double> test_metrics;
  std::optional<double> training_loss;
  std::optional<double> eval_loss;
  std::string status;  // "SUCCEEDED", "FAILED" or "INFEASIBLE"
  std::string error_message;
  bool is_optimal = false;
  std::string artefact_sha256;  // of those that succeeded
};

// One trained version: a row of braid.model_version.
struct ModelVersion {
  std::string model;
  int64_t version = 0;
  std::string type;
  std::string created_at;  // ISO 8601
  std::string run_id;
  int64_t snapshot_id = 0;
  std::string query;
  std::string options;  // JSON
  int64_t seed = 0;
  int64_t threads = 0;
  int64_t rows = 0;
  std::map<std::string, double> metrics;
  std::string artefact_sha256;
  std::vector<ModelTrial> trials;  // of a tuned version, by trial_id
};

struct AliasEvent {
  std::string model;
  std::string alias;
  std::optional<int64_t> version;  // none: from now on the alias means nothing
  std::string at;
  std::string run_id;
  std::string reason;
};

// What people say of a model, or of one version: a row of braid.model_note. The newest of a name
// holds; an empty value takes it back.
struct ModelNote {
  std::string model;
  std::optional<int64_t> version;
  std::string name;  // "description", or "label.<key>"
  std::string value;
  std::string at;
};

// Why a model was trained, promoted or rolled back, or not: a row of braid.model_decision.
struct ModelDecision {
  std::string model;
  int64_t version = 0;  // that was made, or that stays
  std::string at;
  std::string run_id;
  std::string decision;   // "retrain", "promote" or "rollback"
  std::string condition;  // as declared; empty: there is none
  bool outcome = false;
  std::map<std::string, double> quantities;  // those that are known
  std::string reason;
};

// What exists, as of one moment: a value, copied by a run that changes it and published after its
// commit.
struct State {
  std::map<std::string, Object> objects[5];                       // by kind, then key
  std::map<std::string, std::vector<ModelVersion>> versions;      // by model, ascending
  std::map<std::string, std::map<std::string, int64_t>> aliases;  // model → alias → version

  const Object* Find(ObjectKind kind, const std::string& key) const;
  // The table-like object (streaming table or materialised view) of that key.
  const Object* FindTable(const std::string& key) const;
  void Put(Object object);
  void Remove(ObjectKind kind, const std::string& key);
  // Throws kModelNotFound with did-you-mean. `MODEL m` is m@champion.
  const ModelVersion& Resolve(const syntax::ModelReference& reference) const;
  const ModelVersion* Champion(const std::string& model) const;
};

// Reads the state that a lake transaction sees.
State LoadState(engine::Connection& connection);

// Row writers, inside the caller's transaction. `PutObject` replaces the row of that kind and key;
// `AddModelVersion` writes the trials too.
void PutObject(engine::Connection& connection, const Object& object);
void PutObjects(engine::Connection& connection, std::span<const Object* const> objects);
void RemoveObject(engine::Connection& connection, ObjectKind kind, const std::string& key);
void AddModelVersion(engine::Connection& connection, const ModelVersion& version);
// And keeps `state` in step.
void AddAliasEvent(engine::Connection& connection, State& state, const AliasEvent& event);
void AddModelNote(engine::Connection& connection, const ModelNote& note);
void AddModelDecision(engine::Connection& connection, const ModelDecision& decision);

// The published state of a lake; swapped as a whole. Thread-safe.
class Catalog {
 public:
  explicit Catalog(State state) : state_(std::make_shared<const State>(std::move(state))) {}
  std::shared_ptr<const State> Get() const;
  void Publish(State state);

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const State> state_ GUARDED_BY(mutex_);
};

}  // namespace braid::catalog
