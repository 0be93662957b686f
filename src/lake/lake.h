// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/connection.h"
#include "engine/database.h"
#include "lake/writer_gate.h"

namespace braid::lake {

struct LakeOptions {
  std::filesystem::path home;  // the folder .braid; created when missing
  engine::DatabaseOptions engine;
  // The process that held the lake before left without closing it: files of a commit that never
  // happened are removed at open.
  bool recover = false;
};

// What unqualified schemas mean on a connection.
enum class Scope : uint8_t {
  kSession,  // bronze.t, silver.t, …: the lake; inference.*, feedback.*, braid.*: the live views
  kRun,      // everything: the lake alone, as of the transaction
};

// An attached DuckLake (catalogue in SQLite's WAL mode, Parquet data) and beside it `rt`, an
// in-memory database for the live views over what is not in the lake yet. Only the holder of the
// lake's lock may open one. Thread-safe; connections are not.
class Lake {
 public:
  Lake(const LakeOptions& options, const Clock& clock);
  Lake(const Lake&) = delete;
  Lake& operator=(const Lake&) = delete;

  std::unique_ptr<engine::Connection> Connect(Scope scope);
  engine::Database& database() { return *database_; }
  const std::filesystem::path& home() const { return home_; }
  std::filesystem::path data_folder() const { return home_ / "data"; }
  std::filesystem::path model_folder() const { return home_ / "models"; }
  WriterGate& writer_gate() { return gate_; }
  const Clock& clock() const { return clock_; }

  // The newest snapshot that is committed, as seen now.
  int64_t CurrentSnapshot();

  // A view rt.<schema>.<name> of `query`, which is fully qualified text.
  struct LiveView {
    std::string schema;
    std::string name;
    std::string query;
  };
  // Makes them, all or none, visible on every session connection.
  void PublishViews(const std::vector<LiveView>& views);
  void PublishView(const std::string& schema, const std::string& name, const std::string& query) {
    PublishViews({{schema, name, query}});
  }
  void RetractView(const std::string& schema, const std::string& name);
  std::vector<std::string> PublishedViews(const std::string& schema);
  // Held, before anything else of the lake, by who reads what is committed and publishes views of
  // it, so that an older state does not replace a newer one.
  Mutex& publication_mutex() { return publication_mutex_; }

  // Removes files that no snapshot names. Holds the writer gate.
  void RemoveOrphanFiles();

 private:
  std::filesystem::path home_;
  const Clock& clock_;
  std::unique_ptr<engine::Database> database_;
  WriterGate gate_;
  Mutex publication_mutex_;
  Mutex control_mutex_;
  std::unique_ptr<engine::Connection> control_ GUARDED_BY(control_mutex_);
  // The views' queries by schema and name.
  std::map<std::pair<std::string, std::string>, std::string> published_ GUARDED_BY(control_mutex_);
};

}  // namespace braid::lake
