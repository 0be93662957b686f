// SPDX-License-Identifier: Apache-2.0
#include "flow/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "flow/test_objects.h"

namespace braid::flow {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class LineageTest : public ::testing::Test {
 protected:
  // "kind from.column > column" of each edge of the last node of a script; a missing column is "*".
  std::vector<std::string> Edges(const std::string& script) {
    // Names alone matter: what is read need not exist.
    const std::vector<catalog::Object> objects = ObjectsOf(script);
    const Graph graph = BuildGraph({objects.back()}, {}, {}, reader_);
    std::vector<std::string> texts;
    for (const LineageEdge& edge : LineageOf(graph.nodes[0], reader_, [this](const auto& key) {
           const auto found = columns_.find(key);
           return found == columns_.end() ? std::vector<std::string>() : found->second;
         })) {
      to_ = edge.to_node;
      texts.push_back(edge.kind + " " + edge.from_node + "." + edge.from_column.value_or("*") +
                      " > " + edge.to_column.value_or("*"));
    }
    return texts;
  }
  std::vector<std::string> ViewEdges(const std::string& query) {
    return Edges("CREATE MATERIALIZED VIEW v AS " + query);
  }

  QueryReader reader_;
  std::map<std::string, std::vector<std::string>> columns_ = {{"s.a", {"i", "x", "Y"}},
                                                              {"s.b", {"i", "z"}}};
  std::string to_;
};

TEST_F(LineageTest, FollowsColumnsThroughAliases) {
  EXPECT_THAT(ViewEdges("SELECT t.x AS p, q + t.y AS r, 1 AS one FROM s.t"),
              UnorderedElementsAre("column s.t.x > p", "column s.t.q > r", "column s.t.y > r"));
  EXPECT_EQ(to_, "main.v");
  EXPECT_THAT(ViewEdges("SELECT k.x, s.b.z, lake.s.b.i AS j FROM s.a AS k, s.b"),
              UnorderedElementsAre("column s.a.x > x", "column s.b.z > z", "column s.b.i > j"));
  // A bare name belongs to the table that has it.
  EXPECT_THAT(ViewEdges("SELECT z, x FROM s.a JOIN s.b USING (i)"),
              UnorderedElementsAre("column s.b.z > z", "column s.a.x > x"));
  EXPECT_THAT(ViewEdges("SELECT i FROM s.a JOIN s.b USING (i)"),
              UnorderedElementsAre("column s.a.i > i", "column s.b.i > i"));
  // With tables of unknown columns nobody can tell whose it is.
  EXPECT_THAT(ViewEdges("SELECT k FROM n.a, n.b"),
              UnorderedElementsAre("table n.a.* > *", "table n.b.* > *"));
  EXPECT_THAT(ViewEdges("SELECT t.field.inner AS f FROM s.t"),
              UnorderedElementsAre("column s.t.field > f"));
}

TEST_F(LineageTest, FollowsColumnsThroughSubqueriesAndCommonTables) {
  EXPECT_THAT(
      ViewEdges("WITH c AS (SELECT x + 1 AS p, i FROM s.a), d(m, n) AS (FROM c) SELECT m, q.n "
                "AS o FROM d AS q"),
      UnorderedElementsAre("column s.a.x > m", "column s.a.i > o"));
  EXPECT_THAT(ViewEdges("SELECT u.p FROM (SELECT x AS p FROM s.t) u"),
              UnorderedElementsAre("column s.t.x > p"));
  EXPECT_THAT(ViewEdges("SELECT q.anything FROM (SELECT *, 1 AS one FROM s.t) q"),
              UnorderedElementsAre("column s.t.anything > anything"));
  EXPECT_THAT(ViewEdges("SELECT (SELECT max(z) FROM s.b WHERE b.i = a.i) AS m FROM s.a"),
              UnorderedElementsAre("column s.b.z > m", "table s.a.* > *"));
  EXPECT_THAT(ViewEdges("SELECT (SELECT a.x) AS m FROM s.a"),
              UnorderedElementsAre("column s.a.x > m"));
  EXPECT_THAT(ViewEdges("SELECT l.p FROM s.a, LATERAL (SELECT a.x AS p) l"),
              UnorderedElementsAre("column s.a.x > p"));
  EXPECT_THAT(
      ViewEdges("WITH RECURSIVE r AS (SELECT x FROM s.a UNION ALL SELECT x + 1 FROM r) FROM r"),
      UnorderedElementsAre("column s.a.x > x"));
  EXPECT_THAT(ViewEdges("WITH a AS (SELECT 1 AS x) SELECT x FROM a"), IsEmpty());
  EXPECT_THAT(ViewEdges("SELECT p FROM (VALUES (1, 2)) AS t(p, q)"), IsEmpty());
}

TEST_F(LineageTest, FollowsColumnsThroughPreprocessing) {
  EXPECT_THAT(ViewEdges("SELECT ML.MAX_ABS_SCALER(ML.IMPUTER(x, \"mean\") OVER ()) OVER () AS m, "
                        "ML.POLYNOMIAL_EXPAND(STRUCT(i AS a, x + 1 AS b), 2) AS p FROM s.a"),
              UnorderedElementsAre("column s.a.x > m", "column s.a.i > p", "column s.a.x > p"));
}

TEST_F(LineageTest, ExpandsStars) {
  EXPECT_THAT(ViewEdges("FROM s.a"),
              UnorderedElementsAre("column s.a.i > i", "column s.a.x > x", "column s.a.Y > Y"));
  EXPECT_THAT(
      ViewEdges("SELECT a.* EXCLUDE (i) REPLACE (x + z AS x) RENAME (y AS w) FROM s.a, s.b"),
      UnorderedElementsAre("column s.a.x > x", "column s.b.z > x", "column s.a.Y > w"));
  EXPECT_THAT(ViewEdges("SELECT k, * FROM s.t"),
              UnorderedElementsAre("column s.t.k > k", "table s.t.* > *"));
  EXPECT_THAT(ViewEdges("SELECT COLUMNS('x.*') FROM s.a"), UnorderedElementsAre("table s.a.* > *"));
  EXPECT_THAT(ViewEdges("SELECT count(*) AS n FROM s.a"), UnorderedElementsAre("table s.a.* > *"));
}

TEST_F(LineageTest, MergesSetOperations) {
  EXPECT_THAT(ViewEdges("SELECT x AS p FROM s.a UNION ALL SELECT z FROM s.b"),
              UnorderedElementsAre("column s.a.x > p", "column s.b.z > p"));
  EXPECT_THAT(ViewEdges("SELECT x FROM s.a UNION BY NAME SELECT z FROM s.b"),
              UnorderedElementsAre("column s.a.x > x", "column s.b.z > z"));
  EXPECT_THAT(ViewEdges("SELECT x FROM s.a EXCEPT SELECT z FROM s.b"),
              UnorderedElementsAre("column s.a.x > x", "table s.b.* > *"));
}

TEST_F(LineageTest, TellsExpressionsApart) {
  EXPECT_THAT(ViewEdges("SELECT x AS p, p + 1 AS q FROM s.a"),
              UnorderedElementsAre("column s.a.x > p", "column s.a.x > q"));
  EXPECT_THAT(ViewEdges("SELECT list_transform(l, e -> e + k) AS m, j -> '$.a' AS n FROM s.t"),
              UnorderedElementsAre("column s.t.l > m", "column s.t.k > m", "column s.t.j > n"));
  EXPECT_THAT(
      ViewEdges("SELECT sum(x) OVER (PARTITION BY i) AS w FROM s.a WHERE EXISTS (FROM s.c)"),
      UnorderedElementsAre("column s.a.x > w", "column s.a.i > w", "table s.c.* > *"));
  EXPECT_THAT(ViewEdges("SELECT u.e FROM s.a, unnest(a.x) u(e)"),
              UnorderedElementsAre("column s.a.x > e"));
  EXPECT_THAT(ViewEdges("FROM (PIVOT s.a ON i IN (1, 2) USING sum(x))"),
              UnorderedElementsAre("table s.a.* > *"));
  // The engine names these columns itself.
  EXPECT_THAT(ViewEdges("SELECT x + 1 FROM s.a"), UnorderedElementsAre("table s.a.* > *"));
}

TEST_F(LineageTest, NamesModelsServicesStreamsAndFiles) {
  EXPECT_THAT(
      ViewEdges("SELECT predicted_late AS late, x FROM ML.PREDICT(MODEL m@2, (SELECT x FROM s.a))"),
      UnorderedElementsAre("model m.predicted_late > late", "column s.a.x > x"));
  EXPECT_THAT(ViewEdges("SELECT p.predicted_late, p.k FROM ML.PREDICT(MODEL m, TABLE s.t) p"),
              UnorderedElementsAre("model m.predicted_late > predicted_late", "column s.t.k > k"));
  EXPECT_THAT(
      ViewEdges("SELECT p.predicted_late, p.k FROM ML.PREDICT_CALIBRATED(MODEL m, TABLE s.t, "
                "TABLE s.a) p"),
      UnorderedElementsAre("model m.predicted_late > predicted_late", "column s.t.k > k",
                           "table s.a.* > *"));
  EXPECT_THAT(ViewEdges("SELECT p_value FROM ML.COMPARE(MODEL m, MODEL n, TABLE s.a)"),
              UnorderedElementsAre("model m.p_value > p_value", "model n.p_value > p_value",
                                   "table s.a.* > *"));
  EXPECT_THAT(ViewEdges("SELECT rmse FROM ML.EVALUATE(MODEL m, TABLE s.a)"),
              UnorderedElementsAre("model m.rmse > rmse", "table s.a.* > *"));
  EXPECT_THAT(ViewEdges("FROM risk(TABLE s.a)"),
              UnorderedElementsAre("model risk.* > *", "table s.a.* > *"));
  EXPECT_THAT(ViewEdges("SELECT c FROM 'd/x.parquet'"),
              UnorderedElementsAre("column d/x.parquet.c > c"));
  EXPECT_THAT(ViewEdges("SELECT 1 AS one FROM read_csv('d/x.csv')"),
              UnorderedElementsAre("table d/x.csv.* > *"));
  EXPECT_THAT(Edges("CREATE STREAMING TABLE t AS SELECT x, f.* FROM STREAM s.a, STREAM "
                    "read_files('d/*.csv') f"),
              UnorderedElementsAre("column s.a.x > x", "stream s.a.* > *", "stream d/*.csv.* > *"));
  EXPECT_THAT(Edges("CREATE FLOW f AS INSERT INTO s.training BY NAME SELECT x FROM STREAM s.a"),
              UnorderedElementsAre("column s.a.x > x", "stream s.a.* > *"));
  EXPECT_EQ(to_, "s.training");
  EXPECT_THAT(
      Edges("CREATE MODEL m OPTIONS (promotion_query = 'FROM s.p') AS SELECT x AS f FROM s.a"),
      UnorderedElementsAre("column s.a.x > f", "table s.p.* > *"));
  EXPECT_EQ(to_, "m");
  EXPECT_THAT(Edges("CREATE SERVICE q (x INT) AS SELECT r.x, z FROM request r JOIN s.b USING (i)"),
              UnorderedElementsAre("column s.b.z > z"));
}

}  // namespace
}  // namespace braid::flow
