// SPDX-License-Identifier: Apache-2.0
#include "lake/metadata.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "engine/transaction.h"

namespace braid::lake {

namespace {

// Migration i brings a lake from version i to i + 1. Never edit one that has been released: add the
// next.
const std::vector<std::vector<std::string>>& Migrations() {
  static const std::vector<std::vector<std::string>> migrations = {
      {
          // Rows kept in the catalogue lose quotes and bytes within a STRUCT, and times there
          // cannot be
          // read again (DuckLake of DuckDB 1.5.5). Wins over what ATTACH says.
          "CALL lake.set_option('data_inlining_row_limit', 0)",
          "CREATE SCHEMA IF NOT EXISTS lake.bronze",
          "CREATE SCHEMA IF NOT EXISTS lake.silver",
          "CREATE SCHEMA IF NOT EXISTS lake.gold",
          "CREATE SCHEMA IF NOT EXISTS lake.inference",
          "CREATE SCHEMA IF NOT EXISTS lake.feedback",
          // NOLINTBEGIN(bugprone-suspicious-missing-comma): statements of several lines
          "CREATE TABLE lake.braid.object (kind VARCHAR, name VARCHAR, owner VARCHAR, file "
          "VARCHAR, "
          "line BIGINT, definition VARCHAR, created_at TIMESTAMPTZ)",
          "CREATE TABLE lake.braid.node_state (node VARCHAR, definition_hash VARCHAR, inputs "
          "VARCHAR, "
          "positions VARCHAR, columns VARCHAR, run_id VARCHAR)",
          "CREATE TABLE lake.braid.stream_file (node VARCHAR, path VARCHAR, size BIGINT, "
          "modified_at "
          "TIMESTAMPTZ, run_id VARCHAR)",
          "CREATE TABLE lake.braid.run (run_id VARCHAR, started_at TIMESTAMPTZ, finished_at "
          "TIMESTAMPTZ, status VARCHAR, snapshot_id BIGINT, command VARCHAR)",
          "CREATE TABLE lake.braid.run_node (run_id VARCHAR, node VARCHAR, kind VARCHAR, action "
          "VARCHAR, reason VARCHAR, rows BIGINT, seconds DOUBLE, error VARCHAR)",
          "CREATE TABLE lake.braid.expectation_result (run_id VARCHAR, node VARCHAR, name VARCHAR, "
          "action VARCHAR, passed BIGINT, failed BIGINT)",
          "CREATE TABLE lake.braid.lineage (from_node VARCHAR, from_column VARCHAR, to_node "
          "VARCHAR, "
          "to_column VARCHAR, kind VARCHAR)",
          "CREATE TABLE lake.braid.model_version (model VARCHAR, version BIGINT, type VARCHAR, "
          "created_at TIMESTAMPTZ, run_id VARCHAR, snapshot_id BIGINT, query VARCHAR, options "
          "VARCHAR, "
          "seed BIGINT, threads BIGINT, rows BIGINT, metrics MAP(VARCHAR, DOUBLE), artefact_sha256 "
          "VARCHAR)",
          "CREATE TABLE lake.braid.alias_event (model VARCHAR, alias VARCHAR, version BIGINT, "
          "\"at\" "
          "TIMESTAMPTZ, run_id VARCHAR, reason VARCHAR)",
          "CREATE TABLE lake.braid.service_version (service VARCHAR, version BIGINT, created_at "
          "TIMESTAMPTZ, run_id VARCHAR, definition VARCHAR)",
          "CREATE TABLE lake.braid.capture_watermark (position BIGINT)",
          "INSERT INTO lake.braid.capture_watermark VALUES (0)",
      },
      {
          "CREATE TABLE lake.braid.model_note (model VARCHAR, version BIGINT, name VARCHAR, "
          "\"value\" "
          "VARCHAR, \"at\" TIMESTAMPTZ)",
      },
      {
          "CREATE TABLE lake.braid.model_trial (model VARCHAR, version BIGINT, trial_id BIGINT, "
          "hyperparameters VARCHAR, evaluation_metrics MAP(VARCHAR, DOUBLE), test_metrics "
          "MAP(VARCHAR, DOUBLE), training_loss DOUBLE, eval_loss DOUBLE, status VARCHAR, "
          "error_message VARCHAR, is_optimal BOOLEAN, artefact_sha256 VARCHAR)",
      },
      {
          "CREATE TABLE lake.braid.model_decision (model VARCHAR, version BIGINT, \"at\" "
          "TIMESTAMPTZ, run_id VARCHAR, decision VARCHAR, condition VARCHAR, outcome BOOLEAN, "
          "quantities MAP(VARCHAR, DOUBLE), reason VARCHAR)",
          // NOLINTEND(bugprone-suspicious-missing-comma)
      }};
  return migrations;
}

int64_t CurrentVersion(engine::Connection& connection) {
  engine::Transaction transaction(connection);  // both see one state, and DuckLake connects once
  const bool has_table =
      connection
          .Scalar(
              "SELECT count(*) FROM __ducklake_metadata_lake.ducklake_table t JOIN "
              "__ducklake_metadata_lake.ducklake_schema s USING (schema_id) WHERE s.schema_name = "
              "'braid' AND t.table_name = 'migration' AND s.end_snapshot IS NULL AND "
              "t.end_snapshot IS NULL")
          .get<int64_t>() > 0;
  if (!has_table) return 0;
  return connection.Scalar("SELECT coalesce(max(version), 0) FROM lake.braid.migration")
      .get<int64_t>();
}

}  // namespace

const std::vector<std::string>& MetadataTables() {
  static const std::vector<std::string> tables = {
      "migration",  "object",      "node_state",         "stream_file",     "run",
      "run_node",   "lineage",     "expectation_result", "model_version",   "alias_event",
      "model_note", "model_trial", "model_decision",     "service_version", "capture_watermark"};
  return tables;
}

void Migrate(engine::Connection& connection, const std::filesystem::path& data_folder) {
  const auto newest = static_cast<int64_t>(Migrations().size());
  const int64_t found = CurrentVersion(connection);
  if (found > newest) {
    throw Error(
        ErrorCode::kLakeFormat,
        fmt::format("The lake was written by a newer Braid: format {}, known {}", found, newest),
        "install the newer version of Braid; the lake is unchanged");
  }
  if (found == newest) return;
  engine::Transaction transaction(connection);
  connection.Execute("CREATE SCHEMA IF NOT EXISTS lake.braid");
  connection.Execute(
      "CREATE TABLE IF NOT EXISTS lake.braid.migration (version BIGINT, applied_at TIMESTAMPTZ)");
  for (int64_t version = found; version < newest; ++version)
    for (const std::string& statement : Migrations()[static_cast<size_t>(version)])
      connection.Execute(statement);
  connection.Execute(
      fmt::format("INSERT INTO lake.braid.migration SELECT unnest(range({}, {})), now()", found + 1,
                  newest + 1));
  SyncFileSystem(data_folder);
  transaction.Commit();
}

}  // namespace braid::lake
