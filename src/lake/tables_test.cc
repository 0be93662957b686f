// SPDX-License-Identifier: Apache-2.0
#include "lake/tables.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "lake/lake_fixture.h"

namespace braid::lake {
namespace {

// Rows in Parquet files, or in the catalogue, as lakes of other tools keep small tables.
class TableStatesTest : public LakeTest, public ::testing::WithParamInterface<bool> {
 protected:
  TableStatesTest() {
    Open();
    if (GetParam()) run_->Execute("CALL lake.set_option('data_inlining_row_limit', 10)");
  }
  TableState State(const std::string& key = "bronze.t") {
    const auto states = LoadTableStates(*run_);
    const auto found = states.find(key);
    EXPECT_NE(found, states.end()) << key;
    return found == states.end() ? TableState{} : found->second;
  }
  void ExpectState(int64_t version, int64_t append_only_since) {
    const TableState state = State();
    EXPECT_EQ(state.version, version);
    EXPECT_EQ(state.append_only_since, append_only_since);
  }
};

TEST_P(TableStatesTest, InsertsLeaveATableAppendOnly) {
  const int64_t created = Commit("CREATE TABLE bronze.t (i BIGINT)");
  ExpectState(created, created);
  const int64_t inserted = Commit("INSERT INTO bronze.t VALUES (1), (2)");
  ExpectState(inserted, created);
  const int64_t more = Commit("INSERT INTO bronze.t SELECT range FROM range(3, 1003)");
  ExpectState(more, created);
  Commit("CREATE TABLE bronze.other (i BIGINT)");
  ExpectState(more, created);
}

TEST_P(TableStatesTest, UpdatesDeletesAndTruncationDoNot) {
  Commit("CREATE TABLE bronze.t AS SELECT range AS i FROM range(5)");
  for (const char* statement :
       {"UPDATE bronze.t SET i = 10 WHERE i = 1", "DELETE FROM bronze.t WHERE i = 2",
        "MERGE INTO bronze.t USING (SELECT 3 AS i) AS n ON t.i = n.i WHEN MATCHED THEN DELETE",
        "TRUNCATE bronze.t"}) {
    const int64_t changed = Commit(statement);
    ExpectState(changed, changed);
    const int64_t inserted = Commit("INSERT INTO bronze.t SELECT range FROM range(5)");
    ExpectState(inserted, changed);
  }
  // A large table, whose rows lie in a file.
  Commit("INSERT INTO bronze.t SELECT range FROM range(1000)");
  const int64_t deleted = Commit("DELETE FROM bronze.t WHERE i = 700");
  ExpectState(deleted, deleted);
}

TEST_P(TableStatesTest, StatementsThatChangeNoRowAreNone) {
  const int64_t created = Commit("CREATE TABLE bronze.t AS SELECT 1 AS i");
  Commit("DELETE FROM bronze.t WHERE i = 5");
  Commit("INSERT INTO bronze.t SELECT 1 WHERE false");
  ExpectState(created, created);
}

TEST_P(TableStatesTest, NewColumnsAreAVersionButRemoveNothing) {
  const int64_t created = Commit("CREATE TABLE bronze.t AS SELECT 1 AS i");
  const int64_t altered = Commit("ALTER TABLE bronze.t ADD COLUMN j BIGINT");
  ExpectState(altered, created);
  const int64_t id = State().table_id;
  const int64_t renamed = Commit("ALTER TABLE bronze.t RENAME TO u");
  EXPECT_EQ(State("bronze.u").version, renamed);
  EXPECT_EQ(State("bronze.u").append_only_since, created);
  EXPECT_EQ(State("bronze.u").table_id, id);
}

TEST_P(TableStatesTest, ARecreatedTableIsAnother) {
  Commit("CREATE TABLE bronze.t AS SELECT 1 AS i");
  const int64_t id = State().table_id;
  Commit("DROP TABLE bronze.t");
  EXPECT_FALSE(LoadTableStates(*run_).contains("bronze.t"));
  const int64_t created = Commit("CREATE TABLE bronze.t AS SELECT 1 AS i");
  ExpectState(created, created);
  EXPECT_NE(State().table_id, id);
  const int64_t replaced = Commit("CREATE OR REPLACE TABLE bronze.t AS SELECT 1 AS i");
  ExpectState(replaced, replaced);
}

TEST_P(TableStatesTest, OneTransactionIsOneVersion) {
  WriteTransaction transaction(*lake_, *run_, "a test");
  run_->Execute("CREATE TABLE bronze.t AS SELECT 1 AS i");
  run_->Execute("INSERT INTO bronze.t VALUES (2)");
  run_->Execute("CREATE TABLE bronze.u AS SELECT 1 AS i");
  const int64_t committed = transaction.Commit("a test", "", "{}");
  ExpectState(committed, committed);
  EXPECT_EQ(State("bronze.u").version, committed);
}

TEST_P(TableStatesTest, NamesAreFoundInLowerCaseWhateverTheyHold) {
  Commit(R"(CREATE TABLE bronze."It's, a:5 ""T""" (i BIGINT))");
  Commit("CREATE TABLE bronze.t (i BIGINT)");
  const int64_t version = Commit(R"(INSERT INTO bronze."It's, a:5 ""T""" VALUES (1))");
  const TableState state = State("bronze.it's, a:5 \"t\"");
  EXPECT_EQ(state.version, version);
  EXPECT_EQ(state.name, "It's, a:5 \"T\"");
  EXPECT_THAT(TableColumns(*run_, "bronze", state.name), testing::SizeIs(1));
}

TEST_P(TableStatesTest, ViewsAreThere) {
  const int64_t created = Commit("CREATE VIEW gold.v AS SELECT 1 AS i");
  EXPECT_TRUE(State("gold.v").is_view);
  EXPECT_EQ(State("gold.v").version, created);
  Commit("DROP VIEW gold.v");
  EXPECT_FALSE(LoadTableStates(*run_).contains("gold.v"));
}

INSTANTIATE_TEST_SUITE_P(Rows, TableStatesTest, ::testing::Values(false, true),
                         [](const auto& rows) { return rows.param ? "InCatalogue" : "InFiles"; });

using TablesTest = LakeTest;

TEST_F(TablesTest, ColumnsAreThoseOfTheTransaction) {
  Open();
  Commit(
      "CREATE TABLE bronze.t (i BIGINT, s STRUCT(\"a b\" VARCHAR, l DOUBLE[]), at_ TIMESTAMPTZ)");
  const auto describe = [](const std::vector<Column>& columns) {
    std::vector<std::string> all;
    for (const Column& column : columns) all.push_back(column.name + " " + column.type);
    return all;
  };
  EXPECT_THAT(describe(TableColumns(*run_, "bronze", "t")),
              testing::ElementsAre("i BIGINT", "s STRUCT(\"a b\" VARCHAR, l DOUBLE[])",
                                   "at_ TIMESTAMP WITH TIME ZONE"));
  EXPECT_THAT(TableColumns(*run_, "bronze", "missing"), testing::IsEmpty());
  EXPECT_THAT(TableColumns(*run_, "missing", "t"), testing::IsEmpty());
  WriteTransaction transaction(*lake_, *run_, "a test");
  run_->Execute("ALTER TABLE bronze.t ADD COLUMN j BIGINT");
  EXPECT_THAT(TableColumns(*run_, "bronze", "missing"), testing::IsEmpty());
  EXPECT_THAT(TableColumns(*run_, "bronze", "t"), testing::SizeIs(4));
  EXPECT_THAT(TableColumns(*session_, "bronze", "t"), testing::SizeIs(3));
  transaction.Commit("a test", "", "{}");
}

TEST(CheckStorable, RefusesWhatParquetWouldChange) {
  for (const char* type :
       {"HUGEINT", "UHUGEINT", "STRUCT(a BIGINT, b HUGEINT)", "HUGEINT[]", "MAP(VARCHAR, HUGEINT)",
        "STRUCT(a STRUCT(\"b\" UHUGEINT[])[])", "HUGEINT[3]", "hugeint", "INTERVAL",
        "STRUCT(\"interval\" INTERVAL[])", "MAP(VARCHAR, INTERVAL)"}) {
    try {
      CheckStorable("n", type);
      ADD_FAILURE() << type;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kTypeNotStorable);
    }
  }
  for (const char* type :
       {"BIGINT", "DECIMAL(38,0)", "STRUCT(hugeint BIGINT)", "STRUCT(\"HUGEINT\" BIGINT)",
        "STRUCT(interval BIGINT)", "STRUCT(HUGEINTS BIGINT, \"a \"\" HUGEINT\" VARCHAR)",
        "MAP(VARCHAR, DOUBLE)", "ENUM('HUGEINT')"})
    EXPECT_NO_THROW(CheckStorable("n", type)) << type;
}

}  // namespace
}  // namespace braid::lake
