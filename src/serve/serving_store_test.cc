// SPDX-License-Identifier: Apache-2.0
#include "serve/serving_store.h"

#include "lake/tables.h"
#include "serve/service_fixture.h"

namespace braid::serve {
namespace {

class ServingStoreTest : public ServiceTest {
 protected:
  ServingStoreTest() : slots_(1), store_(*lake_, *models_, slots_) {}

  std::shared_ptr<const HeldLake> Hold(const std::vector<std::string>& keys,
                                       const std::shared_ptr<const HeldLake>& before) {
    const auto states = lake::LoadTableStates(*run_);
    std::vector<lake::TableState> tables;
    for (const std::string& key : keys) tables.push_back(states.at(key));
    return store_.Hold(*run_, tables, lake_->CurrentSnapshot(), before);
  }
  int64_t Databases(const HeldLake& held) {
    return store_.Connect(held)
        ->Scalar("SELECT count(*) FROM duckdb_databases() WHERE NOT internal")
        .get<int64_t>();
  }

  RequestSlots slots_;
  ServingStore store_;
};

TEST_F(ServingStoreTest, TablesKeepTheirNamesTypesAndValues) {
  Commit(
      "CREATE TABLE gold.\"Odd \"\"name\" AS SELECT '{\"a\":1}'::JSON AS j, {'s': 'it''s', 't': "
      "TIMESTAMPTZ '2024-01-01 00:00:00+00'} AS st, MAP {'k': 1.5::DECIMAL(5,1)} AS m, "
      "'\\xFF'::BLOB AS b, "
      "'0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b'::UUID AS id, 'NaN'::DOUBLE AS d, [1, NULL]::BIGINT[] "
      "AS l, "
      "TIME '12:30:01' AS tm, NULL::DATE AS day");
  const auto held = Hold({"gold.odd \"name"}, nullptr);
  const auto connection = store_.Connect(*held);
  const std::string query = "SELECT * FROM gold.\"Odd \"\"name\"";
  EXPECT_EQ(connection->DescribeStatement(query).column_types,
            run_->DescribeStatement(query).column_types);
  EXPECT_EQ(connection->Rows(query), run_->Rows(query));
}

TEST_F(ServingStoreTest, OnlyWhatChangedIsCopiedAgain) {
  Commit("CREATE TABLE gold.a AS SELECT 1 AS v");
  Commit("CREATE TABLE gold.b AS SELECT 1 AS v");
  const auto first = Hold({"gold.a", "gold.b"}, nullptr);
  EXPECT_EQ(Hold({"gold.a", "gold.b"}, first), first);
  Commit("UPDATE gold.a SET v = 2");
  const auto second = Hold({"gold.a", "gold.b"}, first);
  EXPECT_NE(second, first);
  EXPECT_EQ(second->tables.at("gold.b"), first->tables.at("gold.b"));
  EXPECT_EQ(store_.Connect(*first)->Scalar("SELECT v FROM gold.a").get<int64_t>(), 1);
  EXPECT_EQ(store_.Connect(*second)->Scalar("SELECT v FROM gold.a").get<int64_t>(), 2);
}

TEST_F(ServingStoreTest, WhatNobodyUsesIsDetached) {
  Commit("CREATE TABLE gold.a AS SELECT 1 AS v");
  auto held = Hold({"gold.a"}, nullptr);
  const int64_t one = Databases(*held);
  Commit("UPDATE gold.a SET v = 2");
  held = Hold({"gold.a"}, held);
  EXPECT_EQ(Databases(*held), one + 2);
  store_.DetachUnused();
  EXPECT_EQ(Databases(*held), one);
}

TEST_F(ServingStoreTest, ATableThatCannotBeCopiedIsLeftOut) {
  Commit("CREATE TABLE gold.a AS SELECT 1 AS v");
  lake::TableState gone{.schema = "gold", .name = "gone", .table_id = 99, .version = 1};
  const auto held = store_.Hold(*run_, {lake::LoadTableStates(*run_).at("gold.a"), gone},
                                lake_->CurrentSnapshot(), nullptr);
  EXPECT_EQ(held->tables.size(), 1U);
}

}  // namespace
}  // namespace braid::serve
