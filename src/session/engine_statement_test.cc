// SPDX-License-Identifier: Apache-2.0
#include "session/engine_statement.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "session/maintenance.h"

namespace braid::session {
namespace {

template <typename F>
bool IsRefused(F action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotSupported);
    EXPECT_FALSE(error.hint().empty());
    EXPECT_TRUE(error.where());
    return true;
  }
  return false;
}

bool IsRefused(const char* text) {
  return IsRefused([&] { ReadEngineStatement(text); });
}

TEST(EngineStatement, MaintenanceWritesHoweverItsNameIsWritten) {
  for (const char* text :
       {"CALL ducklake_expire_snapshots('lake', older_than => now())",
        "FROM ducklake_expire_snapshots('lake')", "from \"ducklake_expire_snapshots\"('lake')",
        "FROM system.main.\"DuckLake_Expire_Snapshots\" ('lake')",
        "SELECT count(*) FROM ducklake_expire_snapshots('lake', dry_run => true)",
        "-- a comment\nCALL ducklake_expire_snapshots /* here */ ('lake')"}) {
    const EngineStatementText words = ReadEngineStatement(text);
    EXPECT_EQ(words.maintenance, "ducklake_expire_snapshots") << text;
    EXPECT_EQ(words.writes, true) << text;
  }
  // The lake's own macros, which need no catalogue.
  for (const char* text : {"CALL lake.merge_adjacent_files()", "FROM merge_adjacent_files()"})
    EXPECT_EQ(ReadEngineStatement(text).maintenance, "merge_adjacent_files") << text;
}

TEST(EngineStatement, MaintenanceStandsAlone) {
  for (const char* text :
       {"CREATE VIEW gold.v AS FROM ducklake_expire_snapshots('lake')",
        "CREATE OR REPLACE TEMP VIEW v AS SELECT * FROM \"ducklake_expire_snapshots\"('lake')",
        "CREATE MACRO gold.m() AS TABLE FROM ducklake_expire_snapshots('lake')",
        "CREATE TABLE gold.t AS FROM ducklake_expire_snapshots('lake')",
        "INSERT INTO gold.t FROM lake.merge_adjacent_files()",
        "WITH x AS (FROM ducklake_expire_snapshots('lake')) FROM x",
        "PREPARE p AS FROM ducklake_expire_snapshots('lake')",
        "EXPLAIN ANALYZE FROM ducklake_expire_snapshots('lake')",
        "COPY (FROM ducklake_expire_snapshots('lake')) TO 'a.csv'",
        "FROM query('FROM ducklake_expire_snapshots(''lake'')')",
        "FROM \"query\"('FROM \"ducklake_expire_snapshots\"(''lake'')')",
        "FROM query('FROM ducklake_expire' || $$_snapshots('lake')$$)",
        "FROM query('FROM query(''FROM merge_adjacent_files()'')')",
        "CREATE VIEW gold.v AS FROM query('FROM ducklake_expire_snapshots(''lake'')')"})
    EXPECT_TRUE(IsRefused(text)) << text;
  EXPECT_TRUE(IsRefused([] { RefuseMaintenance("FROM ducklake_expire_snapshots('lake')"); }));
}

TEST(EngineStatement, WhatDamagesHistoryIsRefused) {
  for (const char* text :
       {"CALL ducklake_rewrite_data_files('lake')",
        "FROM \"ducklake_rewrite_data_files\"('lake', 't', schema => 'gold')",
        "FROM query('FROM ducklake_rewrite_data_files(''lake'')')",
        "CALL ducklake_add_data_files('lake', 't', 'a.parquet')", "CHECKPOINT", "FORCE CHECKPOINT",
        "EXPLAIN ANALYZE CHECKPOINT lake", "CALL checkpoint('lake')", "FROM checkpoint('lake')",
        "CALL system.main.\"force_checkpoint\"('lake')", "PRAGMA \"force_checkpoint\""})
    EXPECT_TRUE(IsRefused(text)) << text;
}

TEST(EngineStatement, OnlyHarmlessOptionsAreSet) {
  for (const char* text : {"CALL lake.set_option('target_file_size', '1MB')",
                           "CALL set_option('Parquet_Compression', 'zstd', table_name => 't')",
                           "FROM ducklake_set_option('lake', $$expire_older_than$$, '1 day')"})
    EXPECT_TRUE(ReadEngineStatement(text).maintenance.ends_with("set_option")) << text;
  for (const char* text : {"CALL lake.set_option('parquet_row_group_size_bytes', '1MB')",
                           "CALL lake.\"set_option\"('data_inlining_row_limit', 10)",
                           "CALL ducklake_set_option('lake', 'data_inlining_row_limit', 10)",
                           "CALL lake.set_option('data_inlining' || '_row_limit', 10)",
                           "CALL lake.set_option('target_file_size' || '', '1MB')",
                           "CALL lake.set_option(getvariable('o'), 10)", "CALL lake.set_option(",
                           "CALL lake.set_option('target_file_size', 'none')",
                           "CALL lake.set_option('target_file_size', -1)"})
    EXPECT_TRUE(IsRefused(text)) << text;
}

TEST(EngineStatement, NamesAloneCallNothing) {
  for (const char* text :
       {"SELECT 'ducklake_expire_snapshots(1)', ducklake_expire_snapshots FROM gold.t",
        "INSERT INTO gold.checkpoint (a) VALUES ('CALL set_option(''x'', 1)')",
        "CREATE TABLE IF NOT EXISTS gold.checkpoint (a INTEGER)", "FROM gold.checkpoint",
        "FROM query('SELECT * FROM gold.checkpoint')", "FROM query('FROM a WHERE ''it')",
        "FROM gold.t AS checkpoint(a)", "FROM ducklake_snapshots('lake')",
        "EXPLAIN SELECT 1 AS checkpoint", ""}) {
    EXPECT_NO_THROW({
      const EngineStatementText words = ReadEngineStatement(text);
      EXPECT_EQ(words.maintenance, "") << text;
      EXPECT_FALSE(words.writes.value_or(false)) << text;
    }) << text;
  }
}

}  // namespace
}  // namespace braid::session
