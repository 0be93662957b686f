// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/connection.h"
#include "engine/database.h"
#include "lake/lake.h"
#include "lake/tables.h"
#include "serve/request_slots.h"
#include "session/model_store.h"

namespace braid::serve {

// Databases whose last user has gone; who may touch the catalogue takes them and detaches them.
class DatabaseGarbage {
 public:
  void Add(std::string name);
  std::vector<std::string> Take();

 private:
  Mutex mutex_;
  std::vector<std::string> names_ GUARDED_BY(mutex_);
};

// One database attached to the serving instance; leaves for the garbage.
class AttachedDatabase {
 public:
  AttachedDatabase(std::string name, std::shared_ptr<DatabaseGarbage> garbage)
      : name_(std::move(name)), garbage_(std::move(garbage)) {}
  ~AttachedDatabase() { garbage_->Add(name_); }
  AttachedDatabase(const AttachedDatabase&) = delete;
  AttachedDatabase& operator=(const AttachedDatabase&) = delete;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::shared_ptr<DatabaseGarbage> garbage_;
};

// One lake table in memory, as one of its versions.
struct HeldTable {
  lake::TableState state;
  std::unique_ptr<AttachedDatabase> database;
};
using HeldTables = std::map<lake::TableKey, std::shared_ptr<const HeldTable>>;

// Lake tables under their own names (gold.routes), as of one snapshot: what a statement of a
// service resolves its names in.
struct HeldLake {
  HeldTables tables;
  std::unique_ptr<AttachedDatabase> database;
};

// A DuckDB instance of its own for answering requests: one thread, so that a small query is not
// spread over many; copies of lake tables, so that a request never waits for the lake. Connect may
// be called from any thread, everything else from one at a time.
class ServingStore {
 public:
  ServingStore(lake::Lake& lake, session::ModelStore& models, const RequestSlots& slots);

  // The tables as of `snapshot`, without those that cannot be copied, taking over from `before`
  // those whose version is the same. `lake_connection` reads the lake. Returns `before` itself when
  // nothing is different.
  std::shared_ptr<const HeldLake> Hold(engine::Connection& lake_connection,
                                       const std::vector<lake::TableState>& tables,
                                       int64_t snapshot,
                                       const std::shared_ptr<const HeldLake>& before);

  std::unique_ptr<engine::Connection> Connect(const HeldLake& held);

  // Frees what nobody uses any more.
  void DetachUnused();

 private:
  std::shared_ptr<const HeldTable> Copy(engine::Connection& lake_connection,
                                        const lake::TableState& table, int64_t snapshot);
  std::unique_ptr<AttachedDatabase> Attach(const std::string& prefix);

  std::filesystem::path folder_;
  engine::Database database_;
  engine::Connection control_;
  Mutex detaching_;
  engine::Connection detacher_ GUARDED_BY(detaching_);
  std::shared_ptr<DatabaseGarbage> garbage_ = std::make_shared<DatabaseGarbage>();
  int64_t attached_ = 0;
};

}  // namespace braid::serve
