// SPDX-License-Identifier: Apache-2.0
#include "flow/query_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace braid::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class QueryInputsTest : public ::testing::Test {
 protected:
  QueryInputs Read(const std::string& query) { return reader_.Read(query); }

  std::vector<std::string> Tables(const std::string& query) {
    std::vector<std::string> keys;
    for (const TableRead& read : Read(query).tables) {
      keys.push_back((read.streamed ? "~" : "") + read.key);
      // Every offset is where the table's name is written.
      const std::string bare = read.key.substr(read.key.find('.') + 1);
      const std::string text = query.substr(read.offset, 40);
      EXPECT_THAT(text, HasSubstr(bare)) << query;
    }
    return keys;
  }

  Error Failure(const std::string& query) {
    try {
      reader_.Read(query);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "read: " << query;
    return Error(ErrorCode::kInternal, "");
  }

  // The failure stands where `at` does in the query.
  void ExpectFailureAt(const std::string& query, const std::string& at) {
    const Error error = Failure(query);
    ASSERT_TRUE(error.where()) << query;
    EXPECT_EQ(error.where()->column, SpotAt(query, query.find(at), "").column) << query;
  }

  QueryReader reader_;
};

TEST_F(QueryInputsTest, FindsTablesWhereverQueriesStand) {
  EXPECT_EQ(Read("SELECT * FROM Gold.\"Routes\"").tables[0].key, "gold.routes");
  EXPECT_THAT(Tables("FROM s.a"), ElementsAre("s.a"));
  EXPECT_THAT(Tables("TABLE s.a"), ElementsAre("s.a"));
  EXPECT_THAT(Tables("FROM lake.s.a, lake.b"), ElementsAre("s.a", "main.b"));
  EXPECT_THAT(Tables("SELECT (SELECT max(k) FROM s.a), k IN (FROM s.b), EXISTS (FROM s.c) FROM s.d "
                     "WHERE k > ALL (FROM s.e) GROUP BY ALL HAVING (SELECT true FROM s.f) ORDER BY "
                     "(SELECT 1 FROM s.g) LIMIT (SELECT 3 FROM s.h)"),
              ElementsAre("s.a", "s.b", "s.c", "s.d", "s.e", "s.f", "s.g", "s.h"));
  EXPECT_THAT(Tables("SELECT a FROM s.a UNION BY NAME (SELECT a FROM s.b EXCEPT FROM s.c)"),
              ElementsAre("s.a", "s.b", "s.c"));
  EXPECT_THAT(Tables("VALUES (1, (SELECT x FROM s.a))"), ElementsAre("s.a"));
  EXPECT_THAT(Tables("FROM s.a ASOF JOIN s.b ON a.x >= b.x POSITIONAL JOIN s.c SEMI JOIN s.d USING "
                     "(x), LATERAL (SELECT a.x + y FROM s.e)"),
              ElementsAre("s.a", "s.b", "s.c", "s.d", "s.e"));
  EXPECT_THAT(Tables("PIVOT s.a ON k IN (1, 2) USING sum(v)"), ElementsAre("s.a"));
  EXPECT_THAT(Tables("SELECT * FROM (UNPIVOT s.a ON x, y INTO NAME n VALUE v)"),
              ElementsAre("s.a"));
  EXPECT_THAT(Tables("SELECT sum(a) FILTER ((SELECT true FROM s.f)) OVER (PARTITION BY (SELECT 1 "
                     "FROM s.p)) FROM s.t QUALIFY (SELECT true FROM s.q)"),
              ElementsAre("s.f", "s.p", "s.t", "s.q"));
  EXPECT_THAT(Tables("DESCRIBE s.a"), ElementsAre("s.a"));
  EXPECT_THAT(Tables("SELECT * FROM s.a, s.a AS b"), ElementsAre("s.a", "s.a"));
  EXPECT_THAT(Tables("FROM s.a AT (VERSION => 3)"), ElementsAre("s.a"));
  EXPECT_THAT(Tables("SELECT 'ü' FROM s.ä, s.b"), ElementsAre("s.ä", "s.b"));
  EXPECT_THAT(Tables("FROM s.a TABLESAMPLE 10%"), ElementsAre("s.a"));
}

TEST_F(QueryInputsTest, CommonTablesAreNoTablesInTheirScope) {
  EXPECT_THAT(Tables("WITH a AS (FROM s.t) SELECT * FROM A JOIN \"a\" USING (x)"),
              ElementsAre("s.t"));
  EXPECT_THAT(Tables("WITH a AS MATERIALIZED (FROM s.t), b AS (FROM a) FROM b, c"),
              ElementsAre("s.t", "main.c"));
  // A common table sees neither itself nor those after it.
  EXPECT_THAT(Tables("WITH t AS (FROM t) FROM t"), ElementsAre("main.t"));
  EXPECT_THAT(Tables("WITH a AS (FROM b), b AS (FROM c) FROM a"), ElementsAre("main.b", "main.c"));
  EXPECT_THAT(Tables("WITH t AS (SELECT 1) FROM main.t, s.t"), ElementsAre("main.t", "s.t"));
  // The name ends with its parentheses.
  EXPECT_THAT(Tables("SELECT * FROM (WITH t AS (SELECT 1) FROM t), t"), ElementsAre("main.t"));
  EXPECT_THAT(Tables("WITH a AS (SELECT 1) SELECT (WITH b AS (FROM a) SELECT * FROM b) FROM b"),
              ElementsAre("main.b"));
  EXPECT_THAT(Tables("WITH a AS (FROM s.x) (FROM a UNION ALL FROM a) ORDER BY (SELECT 1 FROM a)"),
              ElementsAre("s.x"));
}

TEST_F(QueryInputsTest, RecursiveCommonTablesSeeThemselves) {
  EXPECT_THAT(Tables("WITH RECURSIVE a AS (SELECT x FROM s.t UNION ALL SELECT x + 1 FROM a WHERE x "
                     "< 9) FROM a"),
              ElementsAre("s.t"));
  EXPECT_THAT(Tables("WITH RECURSIVE a AS (FROM a UNION ALL FROM a) FROM a"),
              ElementsAre("main.a"));
  EXPECT_THAT(Tables("WITH RECURSIVE a(k, v) USING KEY (k) AS (SELECT 1, 2 UNION SELECT k, v FROM "
                     "a JOIN recurring.a AS r USING (k)) FROM a"),
              IsEmpty());
}

TEST_F(QueryInputsTest, FindsStreams) {
  EXPECT_THAT(
      Tables("SELECT * FROM STREAM bronze.a JOIN STREAM(b) USING (i) JOIN silver.c USING (i)"),
      ElementsAre("~bronze.a", "~main.b", "silver.c"));
  const std::string query = "SELECT x FROM STREAM read_files('d/*.csv', format => 'csv') AS f";
  const QueryInputs inputs = Read(query);
  ASSERT_EQ(inputs.stream_files.size(), 1U);
  EXPECT_EQ(inputs.stream_files[0].pattern, "d/*.csv");
  EXPECT_EQ(inputs.stream_files[0].offset, query.find("read_files"));
  EXPECT_THAT(inputs.tables, IsEmpty());
  EXPECT_FALSE(inputs.reads_unknown);
  ExpectFailureAt("WITH ab AS (FROM t) FROM STREAM Ab", "Ab");
}

TEST_F(QueryInputsTest, FindsModelsAndWhatStandsInsideTheirCalls) {
  const std::string query =
      "SELECT * FROM ML.PREDICT(MODEL gold.m@champion, (SELECT * FROM ML.PREDICT(MODEL n@3, TABLE "
      "s.t) -- c\n), STRUCT(0.6 AS threshold)) p JOIN ML.WEIGHTS(MODEL w) ON true JOIN risk(TABLE "
      "s.u) ON true JOIN gold.cost(TABLE (FROM s.v)) ON true JOIN s.z USING (i)";
  const QueryInputs inputs = Read(query);
  ASSERT_EQ(inputs.models.size(), 3U);
  EXPECT_EQ(inputs.models[0].name.ToString(), "gold.m");
  EXPECT_EQ(inputs.models[1].name.ToString(), "n");
  EXPECT_EQ(inputs.models[1].version, 3);
  EXPECT_EQ(inputs.models[1].offset, query.find("n@3"));
  EXPECT_EQ(inputs.models[2].name.ToString(), "w");
  ASSERT_EQ(inputs.services.size(), 2U);
  EXPECT_EQ(inputs.services[0].name, "risk");
  EXPECT_EQ(inputs.services[1].ToString(), "gold.cost");
  EXPECT_EQ(inputs.services[1].offset, query.find("gold.cost"));
  EXPECT_THAT(Tables(query), ElementsAre("s.t", "s.u", "s.v", "s.z"));
  EXPECT_FALSE(inputs.reads_unknown);
  EXPECT_THAT(Tables("WITH r AS (FROM s.t) FROM ML.PREDICT(MODEL m, TABLE r)"), ElementsAre("s.t"));
  const std::string several =
      "FROM ML.COMPARE(MODEL a, MODEL b@2, (FROM s.t)), ML.PREDICT_CALIBRATED(MODEL c, TABLE s.u, "
      "(FROM s.v))";
  const QueryInputs of_several = Read(several);
  ASSERT_EQ(of_several.models.size(), 3U);
  EXPECT_EQ(of_several.models[1].offset, several.find("b@2"));
  EXPECT_EQ(of_several.models[2].name.ToString(), "c");
  EXPECT_THAT(Tables(several), ElementsAre("s.t", "s.u", "s.v"));
  EXPECT_THAT(Tables("SELECT a, ML.STANDARD_SCALER(b) OVER () FROM s.t"), ElementsAre("s.t"));
}

TEST_F(QueryInputsTest, TellsFilesFromWhatNobodyKnows) {
  const QueryInputs files = Read(
      "SELECT * FROM 'a/x.parquet', read_csv('b.csv', header = true), read_json(['c', 'd']), "
      "range(3), unnest([1]) u, 'e.csv.gz', glob('f/*')");
  EXPECT_THAT(files.file_patterns,
              ElementsAre("a/x.parquet", "b.csv", "c", "d", "e.csv.gz", "f/*"));
  EXPECT_FALSE(files.reads_unknown);
  EXPECT_THAT(files.tables, IsEmpty());
  for (const char* query :
       {"FROM read_csv(getvariable('x'))", "FROM read_parquet(['a', b])", "FROM duckdb_tables()",
        "FROM query('SELECT 1')", "FROM my_macro(1)", "SHOW TABLES", "FROM other.s.t",
        "FROM information_schema.tables", "FROM duckdb_settings", "SELECT (SELECT 1 FROM f())"})
    EXPECT_TRUE(Read(query).reads_unknown) << query;
  EXPECT_FALSE(Read("FROM t").reads_unknown);
  ExpectFailureAt("FROM read_files('x')", "read_files");
  EXPECT_THAT(Failure("FROM read_files('x')").hint(), HasSubstr("STREAM"));
}

TEST_F(QueryInputsTest, SyntaxErrorsStandInTheOriginalQuery) {
  ExpectFailureAt("SELECT a FROM WHERE x", "WHERE");
  ExpectFailureAt("SELECT 'üü', a FROM WHERE x", "WHERE");
  ExpectFailureAt("SELECT 'ü' FROM ML.PREDICT(MODEL m, TABLE t), STREAM b WHER x = 1", "x = 1");
  ExpectFailureAt("SELECT * FROM ML.PREDICT(MODEL m, (SELECT 1 FROM t WHERE))", "))");
  ExpectFailureAt("SELECT * FROM ML.PREDICT(MODEL m, (SELECT * FROM ML.PREDICT(MODEL n t)))",
                  "t)))");
  ExpectFailureAt("SELECT 1; SELECT 2", "SELECT 2");
  ExpectFailureAt("INSERT INTO t SELECT 1", "INSERT");
  ExpectFailureAt("", "");
  ExpectFailureAt("SELECT 'x", "'x");
  ExpectFailureAt("SELECT 'ü\xED\xA0\x80' FROM t", "\xED");
  ExpectFailureAt("SELECT 'ü\xFC' FROM t", "\xFC");
  const Error pivot = Failure("PIVOT t ON a USING sum(b)");
  EXPECT_EQ(pivot.code(), ErrorCode::kNotSupported);
  const Error misplaced = Failure("SELECT 1 FROM t ML.PREDICT(MODEL m, TABLE t)");
  EXPECT_THAT(misplaced.message(), Not(HasSubstr("braid")));
}

TEST_F(QueryInputsTest, NestingEndsInAnError) {
  std::string query = "SELECT 1";
  for (int i = 0; i < 150; ++i) query = "SELECT * FROM ML.PREDICT(MODEL m, (" + query + "))";
  EXPECT_EQ(Failure(query).code(), ErrorCode::kSyntax);
}

TEST_F(QueryInputsTest, AnErrorLeavesTheReaderUsable) {
  EXPECT_EQ(Failure("SELEC").code(), ErrorCode::kSyntax);
  EXPECT_THAT(Tables("FROM s.t"), ElementsAre("s.t"));
}

}  // namespace
}  // namespace braid::flow
