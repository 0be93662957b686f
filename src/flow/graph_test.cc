// SPDX-License-Identifier: Apache-2.0
#include "flow/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "flow/test_objects.h"

namespace braid::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class GraphTest : public ::testing::Test {
 protected:
  Graph Build(const std::string& script) {
    script_ = script;
    return BuildGraph(ObjectsOf(script), known_tables_, known_models_, reader_);
  }

  static std::vector<std::string> Names(const Graph& graph, const std::vector<size_t>& nodes) {
    std::vector<std::string> names;
    for (const size_t at : nodes) names.push_back(graph.nodes[at].name);
    return names;
  }
  static std::vector<std::string> Order(const Graph& graph) {
    std::vector<std::string> names;
    for (const Node& node : graph.nodes) names.push_back(node.name);
    return names;
  }
  static const Node& At(const Graph& graph, const std::string& name) {
    const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                    [&](const Node& node) { return node.name == name; });
    if (found == graph.nodes.end()) throw Error(ErrorCode::kInternal, "no node " + name);
    return *found;
  }
  static std::vector<std::string> Upstream(const Graph& graph, const std::string& name) {
    return Names(graph, At(graph, name).upstream);
  }

  // The one problem's code; it stands where `at` does in the script.
  void ExpectProblem(const Graph& graph, ErrorCode code, const std::string& at) {
    ASSERT_EQ(graph.problems.size(), 1U);
    const Error& problem = graph.problems[0];
    EXPECT_EQ(problem.code(), code) << problem.message();
    ASSERT_TRUE(problem.where());
    const SourceSpot spot = SpotAt(script_, script_.find(at), "a.sql");
    EXPECT_EQ(problem.where()->line, spot.line);
    EXPECT_EQ(problem.where()->column, spot.column);
    EXPECT_EQ(problem.where()->file, "a.sql");
  }

  std::string script_;
  std::set<std::string> known_tables_;
  std::set<std::string> known_models_;
  QueryReader reader_;
};

TEST_F(GraphTest, OrdersByWhatQueriesRead) {
  const Graph graph = Build(
      "CREATE MATERIALIZED VIEW gold.routes AS SELECT * FROM silver.flights JOIN bronze.airports "
      "USING "
      "(i);"
      "CREATE STREAMING TABLE silver.flights AS SELECT * FROM STREAM bronze.flights;"
      "CREATE STREAMING TABLE bronze.flights AS SELECT * FROM STREAM read_files('*.csv');"
      "CREATE STREAMING TABLE bronze.airports AS SELECT * FROM STREAM read_files('*.csv');"
      "CREATE MODEL delay AS SELECT * FROM silver.flights;"
      "CREATE SERVICE risk (a INT) AS SELECT p.*, r.x FROM ML.PREDICT(MODEL delay, (SELECT * FROM "
      "request)) p LEFT JOIN gold.routes r USING (i)");
  EXPECT_THAT(graph.problems, IsEmpty());
  EXPECT_THAT(graph.warnings, IsEmpty());
  EXPECT_THAT(Order(graph), ElementsAre("bronze.airports", "bronze.flights", "silver.flights",
                                        "delay", "gold.routes", "risk"));
  EXPECT_THAT(Upstream(graph, "gold.routes"), ElementsAre("bronze.airports", "silver.flights"));
  EXPECT_THAT(Upstream(graph, "risk"), ElementsAre("delay", "gold.routes"));
  EXPECT_THAT(Names(graph, At(graph, "silver.flights").downstream),
              ElementsAre("delay", "gold.routes"));
  EXPECT_EQ(At(graph, "silver.flights").target, "silver.flights");
  EXPECT_EQ(At(graph, "delay").target, "");
}

TEST_F(GraphTest, ReadersOfATableWaitForTheFlowsIntoIt) {
  const Graph graph = Build(
      "CREATE STREAMING TABLE silver.training (a INT);"
      "CREATE FLOW z AS INSERT INTO silver.training BY NAME SELECT a FROM STREAM bronze.x;"
      "CREATE FLOW y AS INSERT INTO silver.training BY NAME SELECT a FROM STREAM "
      "inference.risk_labelled;"
      "CREATE STREAMING TABLE bronze.x (a INT);"
      "CREATE MODEL a AS SELECT * FROM silver.training;"
      "CREATE SERVICE risk (a INT) AS SELECT * FROM ML.PREDICT(MODEL a, TABLE request)");
  EXPECT_THAT(graph.problems, IsEmpty());
  EXPECT_THAT(Upstream(graph, "a"), UnorderedElementsAre("silver.training", "flow y", "flow z"));
  EXPECT_THAT(Upstream(graph, "flow z"), UnorderedElementsAre("bronze.x", "silver.training"));
  // The loop is closed through what was captured.
  EXPECT_THAT(Upstream(graph, "flow y"), ElementsAre("silver.training"));
  EXPECT_THAT(At(graph, "flow y").captured, ElementsAre("inference.risk_labelled"));
  EXPECT_EQ(At(graph, "flow y").target, "silver.training");
}

TEST_F(GraphTest, ConditionsAndPromotionQueriesAreInputsToo) {
  const std::string script =
      "CREATE MATERIALIZED VIEW gold.v (CONSTRAINT a EXPECT (x > 0), CONSTRAINT b EXPECT (x IN "
      "(SELECT "
      "x FROM gold.allowed)) ON VIOLATION DROP ROW) AS SELECT x FROM gold.src;"
      "CREATE MATERIALIZED VIEW gold.allowed AS SELECT 1 AS x;"
      "CREATE MATERIALIZED VIEW gold.src AS SELECT 1 AS x;"
      "CREATE MODEL m OPTIONS (promotion_query = 'SELECT * FROM gold.v') AS SELECT * FROM gold.src";
  const Graph graph = Build(script);
  EXPECT_THAT(graph.problems, IsEmpty());
  EXPECT_THAT(Upstream(graph, "gold.v"), ElementsAre("gold.allowed", "gold.src"));
  EXPECT_THAT(Upstream(graph, "m"), ElementsAre("gold.src", "gold.v"));
  const Node& view = At(graph, "gold.v");
  for (const TableRead& read : view.inputs.tables)
    EXPECT_EQ(view.object.definition.substr(read.offset, read.key.size()), read.key);
  const Node& model = At(graph, "m");
  EXPECT_EQ(model.object.definition.substr(model.inputs.tables[0].offset, 9), "promotion");

  ExpectProblem(
      Build("CREATE MATERIALIZED VIEW v (CONSTRAINT a EXPECT (y > 0), CONSTRAINT b EXPECT (x "
            "IN (FROM nowhere WHERE))) AS SELECT 1 AS x"),
      ErrorCode::kSyntax, "))) AS");
  ExpectProblem(Build("CREATE MODEL m OPTIONS (promotion_query = 'SELECT FROM') AS SELECT 1"),
                ErrorCode::kSyntax, "promotion_query");
  ExpectProblem(Build("CREATE MODEL m OPTIONS (promotion_query = 'FROM nowhere') AS SELECT 1"),
                ErrorCode::kTableNotFound, "promotion_query");
}

TEST_F(GraphTest, QuarantinedRowsComeFromTheirTable) {
  const Graph graph = Build(
      "CREATE MATERIALIZED VIEW a AS SELECT * FROM s.t__quarantine;"
      "CREATE STREAMING TABLE s.t (x INT, CONSTRAINT c EXPECT (x > 0) ON VIOLATION QUARANTINE);"
      "CREATE FLOW f AS INSERT INTO s.t BY NAME SELECT 1 AS x");
  EXPECT_THAT(graph.problems, IsEmpty());
  EXPECT_THAT(Upstream(graph, "main.a"), UnorderedElementsAre("s.t", "flow f"));
  ExpectProblem(Build("CREATE STREAMING TABLE s.t (x INT);\nCREATE MATERIALIZED VIEW a AS FROM "
                      "s.t__quarantine"),
                ErrorCode::kTableNotFound, "s.t__quarantine");
}

TEST_F(GraphTest, WhatTheLakeHasMayBeRead) {
  known_tables_ = {"bronze.old", "inference.gone", "main.plain"};
  known_models_ = {"old_model"};
  const Graph graph = Build(
      "CREATE MATERIALIZED VIEW v AS SELECT * FROM bronze.old, plain, ML.PREDICT(MODEL old_model, "
      "TABLE "
      "bronze.old), inference.gone, feedback.gone, inference.gone_labelled");
  EXPECT_THAT(graph.problems, IsEmpty());
  EXPECT_THAT(graph.nodes[0].upstream, IsEmpty());
  EXPECT_THAT(graph.nodes[0].captured,
              ElementsAre("inference.gone", "feedback.gone", "inference.gone_labelled"));
  EXPECT_FALSE(graph.nodes[0].inputs.reads_unknown);
  EXPECT_TRUE(
      Build("CREATE MATERIALIZED VIEW v AS SELECT * FROM braid.run").nodes[0].inputs.reads_unknown);
}

TEST_F(GraphTest, UnknownNamesAreProblemsWithTheirPlace) {
  const std::string tables = "CREATE MATERIALIZED VIEW gold.routes AS SELECT 1;\n";
  Graph graph = Build(tables + "CREATE MATERIALIZED VIEW v AS\n  SELECT 'ü' FROM gold.rotes");
  ExpectProblem(graph, ErrorCode::kTableNotFound, "gold.rotes");
  EXPECT_EQ(graph.problems[0].hint(), "did you mean gold.routes?");
  graph = Build(tables + "CREATE MATERIALIZED VIEW v AS SELECT 1 FROM\n Routes");
  ExpectProblem(graph, ErrorCode::kTableNotFound, "Routes");
  EXPECT_EQ(graph.problems[0].hint(), "did you mean gold.routes?");
  graph = Build(
      "CREATE MODEL delay AS SELECT 1;\nCREATE MATERIALIZED VIEW v AS SELECT * FROM "
      "ML.PREDICT(MODEL dealy, (SELECT 1))");
  ExpectProblem(graph, ErrorCode::kModelNotFound, "dealy");
  EXPECT_EQ(graph.problems[0].hint(), "did you mean delay?");
  const std::string service = "CREATE SERVICE risk (a INT) AS SELECT a FROM request;\n";
  graph = Build(service + "CREATE MATERIALIZED VIEW v AS FROM inference.rsik_labelled");
  ExpectProblem(graph, ErrorCode::kServiceNotFound, "inference.rsik");
  graph = Build(service + "CREATE MATERIALIZED VIEW v AS FROM feedback.rsk");
  ExpectProblem(graph, ErrorCode::kServiceNotFound, "feedback.rsk");
  EXPECT_EQ(graph.problems[0].hint(), "did you mean risk?");
  graph = Build(service + "CREATE MATERIALIZED VIEW v AS SELECT * FROM rsk(TABLE (SELECT 1))");
  ExpectProblem(graph, ErrorCode::kServiceNotFound, "rsk(");
  // `request` is a table in services alone.
  ExpectProblem(Build("CREATE MATERIALIZED VIEW v AS SELECT * FROM request"),
                ErrorCode::kTableNotFound, "request");
  ExpectProblem(Build("CREATE MATERIALIZED VIEW v AS SELECT *\nFROM WHERE"), ErrorCode::kSyntax,
                "WHERE");
  graph = Build("CREATE MATERIALIZED VIEW v AS FROM a.x, b.y");
  EXPECT_EQ(graph.problems.size(), 2U);
}

TEST_F(GraphTest, StreamsStandInStreamingTablesAndFlows) {
  ExpectProblem(
      Build("CREATE STREAMING TABLE t (a INT);\nCREATE MATERIALIZED VIEW v AS SELECT * FROM "
            "STREAM main.t"),
      ErrorCode::kNotSupported, "main.t");
  ExpectProblem(Build("CREATE MODEL m AS SELECT * FROM STREAM read_files('x')"),
                ErrorCode::kNotSupported, "read_files");
  const Graph graph = Build(
      "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a; CREATE STREAMING TABLE t AS FROM STREAM v");
  EXPECT_THAT(graph.problems, IsEmpty());
  EXPECT_THAT(graph.warnings, ElementsAre(HasSubstr("streams from main.v")));
}

TEST_F(GraphTest, CirclesAreToldWhole) {
  Graph graph = Build(
      "CREATE MATERIALIZED VIEW a AS FROM c;\nCREATE MATERIALIZED VIEW b AS FROM a;\nCREATE "
      "MATERIALIZED "
      "VIEW c AS FROM b;\nCREATE MATERIALIZED VIEW d AS FROM c; CREATE MATERIALIZED VIEW e AS "
      "SELECT 1");
  ExpectProblem(graph, ErrorCode::kCycle, "c;");
  EXPECT_THAT(graph.problems[0].message(), HasSubstr("main.a → main.b → main.c → main.a"));
  EXPECT_THAT(graph.problems[0].hint(), HasSubstr("inference.*"));
  EXPECT_EQ(graph.nodes[0].name, "main.e");
  EXPECT_EQ(graph.nodes.size(), 5U);

  graph = Build("CREATE MATERIALIZED VIEW self AS FROM self");
  EXPECT_THAT(graph.problems[0].message(), HasSubstr("main.self → main.self"));

  // A model whose answers train it, within one run.
  graph = Build(
      "CREATE STREAMING TABLE t (a INT); CREATE MODEL m AS SELECT * FROM t; CREATE FLOW f AS "
      "INSERT INTO "
      "t BY NAME SELECT * FROM ML.PREDICT(MODEL m, (SELECT 1 AS a))");
  ASSERT_EQ(graph.problems.size(), 1U);
  EXPECT_THAT(graph.problems[0].message(), HasSubstr("flow f → m → flow f"));

  graph = Build(
      "CREATE MATERIALIZED VIEW a AS FROM b; CREATE MATERIALIZED VIEW b AS FROM a; CREATE "
      "MATERIALIZED VIEW "
      "x AS FROM y; CREATE MATERIALIZED VIEW y AS FROM x");
  EXPECT_EQ(graph.problems.size(), 2U);
}

TEST_F(GraphTest, ArrowsThatPointUpAreWarnings) {
  const Graph graph = Build(
      "CREATE MATERIALIZED VIEW gold.g AS SELECT 1;\nCREATE MATERIALIZED VIEW silver.s AS FROM "
      "gold.g, "
      "gold.g AS h;\nCREATE STREAMING TABLE bronze.b (a INT);\nCREATE FLOW f AS INSERT INTO "
      "bronze.b BY "
      "NAME FROM silver.s;\nCREATE MATERIALIZED VIEW other.o AS FROM gold.g");
  EXPECT_THAT(graph.problems, IsEmpty());
  EXPECT_THAT(graph.warnings, UnorderedElementsAre(HasSubstr("silver.s reads gold.g"),
                                                   HasSubstr("flow f reads silver.s")));
  EXPECT_THAT(graph.warnings[0], HasSubstr("a.sql:2"));
}

TEST_F(GraphTest, NamesAreUnique) {
  const Graph graph = Build(
      "CREATE MATERIALIZED VIEW gold.x AS SELECT 1; CREATE MODEL gold.x AS SELECT 1; CREATE "
      "SERVICE gold.x "
      "(a INT) AS SELECT a FROM request; CREATE SERVICE y (a INT) AS SELECT a FROM request");
  EXPECT_THAT(Order(graph), ElementsAre("gold.x", "model gold.x", "service gold.x", "y"));
}

TEST_F(GraphTest, SelectsNodes) {
  const Graph graph = Build(
      "CREATE MATERIALIZED VIEW bronze.a AS SELECT 1; CREATE MATERIALIZED VIEW silver.b AS FROM "
      "bronze.a; "
      "CREATE MATERIALIZED VIEW gold.c AS FROM silver.b; CREATE MATERIALIZED VIEW gold.d AS SELECT "
      "1; CREATE "
      "STREAMING TABLE t (a INT); CREATE FLOW into_t AS INSERT INTO t BY NAME FROM gold.d");
  const auto selected = [&](const std::vector<std::string>& selectors) {
    std::vector<std::string> names;
    for (const size_t at : Select(graph, selectors)) names.push_back(graph.nodes[at].name);
    std::sort(names.begin(), names.end());
    return names;
  };
  EXPECT_EQ(selected({}).size(), 6U);
  EXPECT_THAT(selected({"silver.b"}), ElementsAre("silver.b"));
  EXPECT_THAT(selected({"Silver.B+"}), ElementsAre("gold.c", "silver.b"));
  EXPECT_THAT(selected({"+silver.b"}), ElementsAre("bronze.a", "silver.b"));
  EXPECT_THAT(selected({"+silver.b+"}), ElementsAre("bronze.a", "gold.c", "silver.b"));
  EXPECT_THAT(selected({"gold.*"}), ElementsAre("gold.c", "gold.d"));
  EXPECT_THAT(selected({"*.b", "gold.d"}), ElementsAre("gold.d", "silver.b"));
  EXPECT_THAT(selected({"into_t"}), ElementsAre("flow into_t"));
  EXPECT_THAT(selected({"flow into_t"}), ElementsAre("flow into_t"));
  EXPECT_THAT(selected({"t"}), ElementsAre("main.t"));
  try {
    selected({"gold.c", "silver.bb"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_EQ(error.hint(), "did you mean silver.b?");
  }
}

}  // namespace
}  // namespace braid::flow
