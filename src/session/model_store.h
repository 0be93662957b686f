// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "ml/feature_statistics.h"
#include "ml/model.h"
#include "remote/connections.h"

namespace braid::session {

// One input of a model: an SQL expression over the columns of the rows that are given to it.
struct ProjectedInput {
  std::string name;        // the processed input's name
  std::string expression;  // SQL
  bool is_category = false;
  std::string type;  // of an id, DuckDB's SQL name; empty where it was not kept
};

// The frozen SQL half of a model version; the typed core is `ml`'s.
struct Projection {
  std::vector<ProjectedInput> inputs;
  std::vector<ProjectedInput> transform;  // what ML.TRANSFORM gives; empty: there is no TRANSFORM
  std::string label;                      // empty: the kind of model has none
  std::string label_type;                 // DuckDB's SQL name
};

struct StoredModel {
  Projection projection;
  std::shared_ptr<const ml::Model> core;
  // The columns of the training query that are no label, split or weight, as the rows that were
  // trained on have them. Empty: an older Braid's artefact.
  std::vector<ml::FeatureStatistics> features = {};
  // ENABLE_GLOBAL_EXPLAIN: the mean absolute contribution of each input over the held-out rows,
  // without a split over those trained on. Empty: it was not asked for.
  std::vector<double> global_explanation = {};

  bool is_classification() const { return core->task() == ml::Task::kClassification; }
};

// Artefacts by content: <folder>/<sha256>/model.json, never changed once written. Loaded once and
// shared. Thread-safe.
class ModelStore {
 public:
  // `connections`: the servers that remote models may ask.
  explicit ModelStore(std::filesystem::path folder,
                      std::shared_ptr<const remote::Connections> connections = nullptr)
      : folder_(std::move(folder)), connections_(std::move(connections)) {}

  // Throws kNotFound when braid.yaml names no such connection.
  const remote::Server& FindServer(const std::string& connection) const;

  // Makes the artefact durable; returns its SHA-256.
  std::string Put(const StoredModel& model);
  // Makes a model known without keeping it: Get gives it for the hash returned until each Hold has
  // had its Release.
  std::string Hold(const StoredModel& model);
  void Release(const std::string& sha256);
  // Throws kLakeDamaged when the artefact is missing or its content does not match its name.
  std::shared_ptr<const StoredModel> Get(const std::string& sha256);
  // Whether there are artefacts on disk that are not among these.
  bool HoldsMoreThan(const std::set<std::string>& known) const;
  // Removes the artefacts that are not among these; returns how many. Nobody may Put meanwhile: the
  // caller has the writer's pass, or is alone. What stops in the middle leaves files that the next
  // call removes.
  size_t RemoveAllBut(const std::set<std::string>& kept);

 private:
  std::vector<std::filesystem::path> FoldersBeside(const std::set<std::string>& known) const;

  std::filesystem::path folder_;
  std::shared_ptr<const remote::Connections> connections_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<const StoredModel>> loaded_ GUARDED_BY(mutex_);
  std::map<std::string, size_t> held_ GUARDED_BY(mutex_);
};

}  // namespace braid::session
