// SPDX-License-Identifier: Apache-2.0
#include "lake/lake.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/error.h"
#include "engine/transaction.h"
#include "lake/metadata.h"
#include "lake/sql_text_internal.h"

namespace braid::lake {

namespace {

std::string ViewName(const std::string& schema, const std::string& name) {
  return fmt::format("rt.{}.{}", SqlName(schema), SqlName(name));
}

// DuckLake asks for the statistics of a table that never had rows at every look at it, each time on
// a connection of its own (some 50 ms a table). Only as the lake is opened: it remembers what it
// did not find, and would add a second row.
void AddMissingStatistics(engine::Connection& connection) {
  constexpr std::string_view kMissing =
      "FROM __ducklake_metadata_lake.ducklake_table WHERE end_snapshot IS NULL AND table_id NOT IN "
      "(SELECT table_id FROM __ducklake_metadata_lake.ducklake_table_stats)";
  engine::Transaction transaction(connection);
  if (connection.Scalar(fmt::format("SELECT count(*) {}", kMissing)).get<int64_t>() > 0)
    connection.Execute(
        fmt::format("INSERT INTO __ducklake_metadata_lake.ducklake_table_stats "
                    "(table_id, record_count, next_row_id, file_size_bytes) SELECT "
                    "table_id, 0, 0, 0 {}",
                    kMissing));
  transaction.Commit();
}

std::string AttachStatement(const std::filesystem::path& home) {
  return fmt::format(
      "ATTACH {} AS lake (DATA_PATH {}, OVERRIDE_DATA_PATH true, META_JOURNAL_MODE 'WAL', "
      "DATA_INLINING_ROW_LIMIT 0)",
      SqlText("ducklake:sqlite:" + (home / "catalog.sqlite").string()),
      SqlText((home / "data").string() + "/"));
}

}  // namespace

Lake::Lake(const LakeOptions& options, const Clock& clock)
    : home_(std::filesystem::absolute(options.home)), clock_(clock) {
  std::filesystem::create_directories(data_folder());
  std::filesystem::create_directories(model_folder());
  database_ = std::make_unique<engine::Database>(options.engine);
  control_ = std::make_unique<engine::Connection>(*database_);
  control_->Execute(AttachStatement(home_));
  AddMissingStatistics(*control_);
  Migrate(*control_, data_folder());
  control_->Execute("ATTACH ':memory:' AS rt");
  for (const char* schema : {"inference", "feedback", "braid"})
    control_->Execute(fmt::format("CREATE SCHEMA rt.{}", schema));
  std::vector<LiveView> views;
  for (const std::string& table : MetadataTables())
    views.push_back({"braid", table, "SELECT * FROM lake.braid." + table});
  PublishViews(views);
  if (options.recover) RemoveOrphanFiles();
}

std::unique_ptr<engine::Connection> Lake::Connect(Scope scope) {
  auto connection = std::make_unique<engine::Connection>(*database_);
  connection->Execute(scope == Scope::kRun ? "SET search_path = 'lake.main'"
                                           : "SET search_path = 'lake.main,rt.inference,"
                                             "rt.feedback,rt.braid'");
  return connection;
}

int64_t Lake::CurrentSnapshot() {
  MutexLock lock(control_mutex_);
  return control_->Scalar("SELECT id FROM lake.current_snapshot()").get<int64_t>();
}

void Lake::PublishViews(const std::vector<LiveView>& views) {
  MutexLock lock(control_mutex_);
  // One transaction: each costs a connection to the catalogue, and some milliseconds.
  std::optional<engine::Transaction> transaction;
  auto published = published_;
  for (const LiveView& view : views) {
    std::string& query = published[{view.schema, view.name}];
    // A view that is made anew has every prepared statement over it planned again.
    if (query == view.query) continue;
    if (!transaction) transaction.emplace(*control_);
    control_->Execute(fmt::format("CREATE OR REPLACE VIEW {} AS {}",
                                  ViewName(view.schema, view.name), view.query));
    query = view.query;
  }
  if (!transaction) return;
  transaction->Commit();
  published_ = std::move(published);
}

void Lake::RetractView(const std::string& schema, const std::string& name) {
  MutexLock lock(control_mutex_);
  control_->Execute("DROP VIEW IF EXISTS " + ViewName(schema, name));
  published_.erase({schema, name});
}

std::vector<std::string> Lake::PublishedViews(const std::string& schema) {
  MutexLock lock(control_mutex_);
  std::vector<std::string> names;
  for (const auto& [view, query] : published_)
    if (view.first == schema) names.push_back(view.second);
  return names;
}

void Lake::RemoveOrphanFiles() {
  const WriterGate::Pass pass = gate_.Enter("maintenance", std::chrono::milliseconds(60'000));
  MutexLock lock(control_mutex_);
  // Never while a transaction is open: its files are orphans until it commits.
  control_->Execute("CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)");
}

}  // namespace braid::lake
