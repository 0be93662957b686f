// SPDX-License-Identifier: Apache-2.0
#include "serve/serving_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "session/scoring.h"
#include "syntax/format.h"

namespace braid::serve {

namespace {

using syntax::QuoteIdentifier;
using syntax::QuoteString;

constexpr std::string_view kFilePrefix = "held-";

// Copies that a crash left behind.
void RemoveOldFiles(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(kFilePrefix))
      std::filesystem::remove(entry.path());
}

class FileUntilDone {
 public:
  explicit FileUntilDone(std::filesystem::path path) : path_(std::move(path)) {}
  ~FileUntilDone() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  FileUntilDone(const FileUntilDone&) = delete;
  FileUntilDone& operator=(const FileUntilDone&) = delete;
  std::string Quoted() const { return QuoteString(path_.string()); }

 private:
  std::filesystem::path path_;
};

bool IsSame(const HeldTable& held, const lake::TableState& table) {
  return held.state.table_id == table.table_id && held.state.version == table.version;
}

}  // namespace

void DatabaseGarbage::Add(std::string name) {
  MutexLock lock(mutex_);
  names_.push_back(std::move(name));
}

std::vector<std::string> DatabaseGarbage::Take() {
  MutexLock lock(mutex_);
  return std::exchange(names_, {});
}

ServingStore::ServingStore(lake::Lake& lake, session::ModelStore& models, const RequestSlots& slots)
    : folder_(lake.home() / "tmp"),
      database_({.threads = 1, .with_extensions = false}),
      control_(database_),
      detacher_(database_) {
  RemoveOldFiles(folder_);
  session::RegisterScoringFunctions(control_, models);
  slots.Register(control_);
}

std::unique_ptr<AttachedDatabase> ServingStore::Attach(const std::string& prefix) {
  std::string name = fmt::format("{}_{}", prefix, ++attached_);
  control_.Execute(fmt::format("ATTACH ':memory:' AS {}", name));
  return std::make_unique<AttachedDatabase>(std::move(name), garbage_);
}

// Through a Parquet file, as the lake keeps the table too: every type that it can hold comes out as
// it was.
std::shared_ptr<const HeldTable> ServingStore::Copy(engine::Connection& lake_connection,
                                                    const lake::TableState& table,
                                                    int64_t snapshot) {
  auto held = std::make_shared<HeldTable>(HeldTable{table, Attach("held")});
  const FileUntilDone file(folder_ / fmt::format("{}{}.parquet", kFilePrefix, attached_));
  lake_connection.Execute(fmt::format(
      "COPY (SELECT * FROM lake.{}.{} AT (VERSION => {})) TO {} "
      "(FORMAT parquet)",
      QuoteIdentifier(table.schema), QuoteIdentifier(table.name), snapshot, file.Quoted()));
  control_.Execute(fmt::format("CREATE TABLE {}.main.held AS SELECT * FROM read_parquet({})",
                               held->database->name(), file.Quoted()));
  return held;
}

std::shared_ptr<const HeldLake> ServingStore::Hold(engine::Connection& lake_connection,
                                                   const std::vector<lake::TableState>& tables,
                                                   int64_t snapshot,
                                                   const std::shared_ptr<const HeldLake>& before) {
  HeldTables held;
  bool is_new = before == nullptr || before->tables.size() != tables.size();
  for (lake::TableState table : tables) {
    // A change after `snapshot` is not in the copy, so the copy may not pass for that version.
    table.version = std::min(table.version, snapshot);
    const lake::TableKey key = lake::MakeTableKey(table.schema, table.name);
    if (before != nullptr) {
      const auto found = before->tables.find(key);
      if (found != before->tables.end() && IsSame(*found->second, table)) {
        held.emplace(key, found->second);
        continue;
      }
    }
    try {
      held.emplace(key, Copy(lake_connection, table, snapshot));
      is_new = true;
    } catch (const Error&) {
      // Dropped meanwhile, or no room: who reads it asks the lake.
      continue;
    }
  }
  if (!is_new) return before;
  auto lake = std::make_shared<HeldLake>(HeldLake{std::move(held), Attach("lake")});
  for (const auto& [key, table] : lake->tables) {
    const std::string schema =
        fmt::format("{}.{}", lake->database->name(), QuoteIdentifier(table->state.schema));
    control_.Execute("CREATE SCHEMA IF NOT EXISTS " + schema);
    control_.Execute(fmt::format("CREATE VIEW {}.{} AS SELECT * FROM {}.main.held", schema,
                                 QuoteIdentifier(table->state.name), table->database->name()));
  }
  return lake;
}

std::unique_ptr<engine::Connection> ServingStore::Connect(const HeldLake& held) {
  auto connection = std::make_unique<engine::Connection>(database_);
  connection->Execute(fmt::format("SET search_path = '{}.main'", held.database->name()));
  return connection;
}

void ServingStore::DetachUnused() {
  MutexLock lock(detaching_);
  for (const std::string& name : garbage_->Take()) detacher_.Execute("DETACH " + name);
}

}  // namespace braid::serve
