// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "serve/request_values.h"
#include "serve/row_independence.h"
#include "serve/service_schema.h"
#include "serve/serving_store.h"
#include "session/session.h"

namespace braid::serve {

inline constexpr size_t kMaxBatchRows = 1024;

// A service as workers ask it. Immutable and shared.
struct BoundService {
  ServiceSchema schema;
  std::shared_ptr<const syntax::Statement> statement;
  std::vector<ValueForm> parameter_forms;
  std::vector<ValueForm> outcome_forms;
  std::vector<std::string> output_keys;  // "name": as JSON
  // What its tables are read from; null: the lake itself, and what is not in it yet, as they are at
  // each request.
  std::shared_ptr<const HeldLake> held;

  // Several request rows may be asked by one statement, and why not.
  bool is_batched = false;
  std::string obstacle;

  // `source` gives the SQL of a parameter's value.
  using ParameterSource = std::function<std::string(ValueForm form, size_t index)>;
  // A statement for one request row.
  std::string Sql(const ParameterSource& source) const;
  // The same for the one row of a slot.
  std::string SlotSql(size_t slot) const;
  // A statement for all rows of a slot, at most kMaxBatchRows: the row's number, the outputs, and
  // NULL last where a row has no answer.
  std::string BatchSql(size_t slot) const;

 private:
  std::string ParameterList(const ParameterSource& source) const;
};

using BoundServices = std::map<std::string, std::shared_ptr<const BoundService>>;

// Model versions that have been asked themselves, by "model@version". Thread-safe.
class BoundModels {
 public:
  std::shared_ptr<const BoundService> Find(const std::string& key) const;
  void Add(std::shared_ptr<const BoundService> model);

 private:
  mutable Mutex mutex_;
  BoundServices models_ GUARDED_BY(mutex_);
};

// Everything that can be asked, as of one catalogue state and one snapshot. Immutable and shared: a
// request keeps to the one that it began with. Models are bound when one is first asked.
struct Generation {
  std::shared_ptr<const catalog::State> state;
  int64_t snapshot = 0;
  BoundServices services;
  std::map<std::string, Error> unavailable;  // declared, but not to be bound
  std::shared_ptr<const HeldLake> held;
  std::shared_ptr<BoundModels> models = std::make_shared<BoundModels>();

  // A service by its key or a model by "model@version"; null when there is none, or none yet.
  std::shared_ptr<const BoundService> Find(const std::string& key) const;
};

// Makes generations. One thread at a time.
class GenerationBuilder {
 public:
  GenerationBuilder(const session::Workspace& workspace, ServingStore& store,
                    int64_t max_held_rows);

  // Of the published catalogue and the newest snapshot; `before` itself when neither moved. May be
  // null.
  std::shared_ptr<const Generation> Build(const std::shared_ptr<const Generation>& before);
  // Binds "model@version" and adds it to the generation's models. Throws MODEL_NOT_FOUND,
  // NOT_SUPPORTED for a model whose input columns cannot be told.
  std::shared_ptr<const BoundService> BindModel(const Generation& generation,
                                                const std::string& key);

 private:
  using TableStates = std::map<lake::TableKey, lake::TableState>;
  std::map<std::string, ServiceSchema> BindAll(const TableStates& tables, Generation& generation);
  bool CanHold(const TableStates& tables, const ServiceSchema& schema, int64_t snapshot);
  std::shared_ptr<const BoundService> Finish(ServiceSchema schema, const Generation& generation,
                                             const catalog::Object& object, bool is_held);
  bool IsSmall(const lake::TableState& table, int64_t snapshot);
  void ChooseHow(BoundService& service);
  bool Runs(const HeldLake& held, const std::string& sql);

  session::Workspace workspace_;
  ServingStore& store_;
  int64_t max_held_rows_;
  std::unique_ptr<engine::Connection> connection_;
  RowIndependence independence_;
};

}  // namespace braid::serve
