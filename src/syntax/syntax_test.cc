// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "syntax/format.h"
#include "syntax/parse.h"
#include "syntax/query.h"
#include "syntax/query_block.h"
#include "syntax/script.h"
#include "syntax/select_list.h"
#include "syntax/source_map.h"
#include "syntax/token.h"

namespace braid::syntax {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Error Failure(std::string_view text) {
  try {
    Parse(text, "f.sql");
    FindExtensions(text);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "parsed: " << text;
  return Error(ErrorCode::kInternal, "");
}

std::pair<int, int> Place(const Error& error) {
  return {error.where()->line, error.where()->column};
}

TEST(LexTest, KnowsStringsNamesAndComments) {
  std::vector<std::string> texts;
  for (const Token& token :
       Lex("a\"b\"\"c\" 'it''s' E'\\'' $$x;$$ $t$y$t$ 1.5e-3 /* /* n */ */ => -- c\n::", ""))
    texts.emplace_back(token.text);
  EXPECT_THAT(texts, ElementsAre("a", "\"b\"\"c\"", "'it''s'", "E'\\''", "$$x;$$", "$t$y$t$",
                                 "1.5e-3", "=>", "::", ""));
  EXPECT_EQ(StringOf(Lex("'it''s'", "")[0]), "it's");
  EXPECT_EQ(StringOf(Lex("$t$y$t$", "")[0]), "y");
  EXPECT_EQ(NameOf(Lex("`b`", "")[0]), "b");
}

TEST(LexTest, SaysWhatDoesNotEndAtItsOpening) {
  for (const char* text : {"SELECT 'abc", "SELECT \"abc", "SELECT /* x", "SELECT $$x"}) {
    try {
      Lex(text, "f.sql");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(Place(error), std::make_pair(1, 8)) << text;
    }
  }
}

TEST(ScriptTest, SplitsAtSemicolonsOfTheTopLevel) {
  std::vector<std::string> texts;
  for (const StatementText& statement :
       SplitStatements(" -- c\nSELECT ';' ;; /* ; */ SELECT 2 -- d\n", ""))
    texts.push_back(statement.text);
  EXPECT_THAT(texts, ElementsAre("SELECT ';'", "SELECT 2"));
  EXPECT_TRUE(IsComplete("SELECT 1; -- done"));
  EXPECT_FALSE(IsComplete("SELECT ';"));
  EXPECT_FALSE(IsComplete("SELECT 1"));
}

TEST(ParseTest, ReadsAStreamingTable) {
  const auto table = std::get<CreateStreamingTable>(
      Parse("create or refresh streaming table bronze.t (a DECIMAL(10, 2) NOT NULL, \"b c\", "
            "CONSTRAINT ok EXPECT (a > 0 "
            "AND f(a, 2)) ON VIOLATION QUARANTINE, CONSTRAINT k EXPECT (b)) COMMENT 'x' AS SELECT "
            "* FROM STREAM "
            "read_files('*.csv')",
            ""));
  EXPECT_TRUE(table.or_refresh);
  EXPECT_EQ(table.name.ToString(), "bronze.t");
  ASSERT_EQ(table.columns.size(), 2U);
  EXPECT_EQ(table.columns[0].type, "DECIMAL(10, 2)");
  EXPECT_TRUE(table.columns[0].not_null);
  EXPECT_EQ(table.columns[1].name, "b c");
  ASSERT_EQ(table.expectations.size(), 2U);
  EXPECT_EQ(table.expectations[0].condition.text, "a > 0 AND f(a, 2)");
  EXPECT_EQ(table.expectations[0].action, ViolationAction::kQuarantine);
  EXPECT_EQ(table.expectations[1].action, ViolationAction::kKeep);
  EXPECT_EQ(table.query->text, "SELECT * FROM STREAM read_files('*.csv')");
}

TEST(ParseTest, ReadsAModel) {
  const auto model =
      std::get<CreateModel>(Parse("CREATE OR REPLACE MODEL gold.m TRANSFORM (a + 1 AS a1, label) "
                                  "OPTIONS (model_type = 'linear_reg', "
                                  "L2_REG=-0.5, input_label_cols=['label'], x = STRUCT(1 AS a, "
                                  "NULL AS b), early_stop = FALSE) AS SELECT 1",
                                  ""));
  EXPECT_EQ(model.transform->text, "a + 1 AS a1, label");
  ASSERT_EQ(model.options.size(), 5U);
  EXPECT_EQ(model.options[1].name, "l2_reg");
  EXPECT_EQ(std::get<double>(model.options[1].value.value), -0.5);
  EXPECT_EQ(std::get<OptionValue::List>(model.options[2].value.value).size(), 1U);
  EXPECT_EQ(std::get<bool>(model.options[4].value.value), false);
  EXPECT_EQ(model.query.text, "SELECT 1");
}

TEST(ParseTest, ReadsAPartitionedModel) {
  const auto model = std::get<CreateModel>(Parse(
      "CREATE MODEL m PARTITION BY (region, \"the product\") OPTIONS (a = 1) AS SELECT 1", ""));
  ASSERT_EQ(model.partition_by.size(), 2U);
  EXPECT_EQ(model.partition_by[0].name, "region");
  EXPECT_EQ(model.partition_by[1].name, "the product");
  EXPECT_EQ(model.partition_by[1].offset, 37U);
  EXPECT_EQ(Failure("CREATE MODEL m PARTITION BY region AS SELECT 1").message(),
            "Expected ( after PARTITION BY: region");
  EXPECT_EQ(Failure("CREATE MODEL m PARTITION BY (a, A) AS SELECT 1").message(),
            "A partition column appears twice: A");
}

TEST(ParseTest, ReadsRulesOfAModel) {
  const std::string text =
      "CREATE MODEL m OPTIONS (a = 1) RETRAIN WHEN new_rows >= 200 OR (drift > CAST(1 AS DOUBLE)) "
      "PROMOTE WHEN gain_low > 0 AS SELECT 1";
  const auto model = std::get<CreateModel>(Parse(text, ""));
  EXPECT_EQ(model.retrain_when->text, "new_rows >= 200 OR (drift > CAST(1 AS DOUBLE))");
  EXPECT_EQ(model.retrain_when->offset, text.find("new_rows"));
  EXPECT_EQ(model.promote_when->text, "gain_low > 0");
  EXPECT_EQ(model.query.text, "SELECT 1");
  EXPECT_EQ(Failure("CREATE MODEL m RETRAIN WHEN AS SELECT 1").message(),
            "Expected a condition after RETRAIN WHEN");
  EXPECT_EQ(Failure("CREATE MODEL m RETRAIN WHEN a > 1, b AS SELECT 1").code(), ErrorCode::kSyntax);
  const auto rollback = std::get<RollbackModel>(Parse("ROLLBACK MODEL m TO 3 REASON 'late'", ""));
  EXPECT_EQ(rollback.model.name, "m");
  EXPECT_EQ(rollback.version, 3);
  EXPECT_EQ(rollback.reason, "late");
  EXPECT_FALSE(std::get<RollbackModel>(Parse("ROLLBACK MODEL m", "")).version);
  EXPECT_EQ(Failure("ROLLBACK MODEL m TO x").message(), "Not a model version: x");
  EXPECT_TRUE(std::holds_alternative<EngineStatement>(Parse("ROLLBACK", "")));
}

TEST(ParseTest, ReadsTheOthers) {
  EXPECT_EQ(std::get<CreateFlow>(Parse("CREATE FLOW f AS INSERT INTO s.t BY NAME SELECT 1", ""))
                .target.ToString(),
            "s.t");
  const auto service =
      std::get<CreateService>(Parse("CREATE SERVICE s (a VARCHAR, b STRUCT(x INT, y INT)[]) "
                                    "OPTIONS (outcome = 'late BOOLEAN') AS SELECT 1 FROM request",
                                    ""));
  EXPECT_EQ(service.params[1].type, "STRUCT(x INT, y INT)[]");
  EXPECT_EQ(std::get<ExportModel>(Parse("EXPORT MODEL m@3 OPTIONS (uri = 'd')", "")).model.version,
            3);
  EXPECT_EQ(std::get<DropObject>(Parse("DROP MODEL IF EXISTS m", "")).if_exists, true);
  EXPECT_EQ(std::get<DropObject>(Parse("DROP MODEL m", "")).version, std::nullopt);
  EXPECT_EQ(std::get<DropObject>(Parse("DROP MODEL s.m@3", "")).version, 3);
  EXPECT_EQ(std::get<Show>(Parse("SHOW MODELS", "")).kind, ShowKind::kModels);
  EXPECT_EQ(std::get<Describe>(Parse("DESCRIBE MODEL m@champion", "")).object.alias, "champion");
}

TEST(ParseTest, LeavesDuckDbAlone) {
  for (const char* text :
       {"SELECT 1", "CREATE TABLE t (a INT)", "CREATE OR REPLACE VIEW v AS SELECT 1",
        "DROP TABLE t", "SHOW TABLES", "DESCRIBE t", "DESCRIBE SELECT 1", "EXPORT DATABASE 'd'",
        "CREATE MACRO m(a) AS a", "FROM t", "DESCRIBE model", "CREATE TEMP TABLE t AS SELECT 1"})
    EXPECT_TRUE(std::holds_alternative<EngineStatement>(Parse(text, ""))) << text;
}

TEST(ParseTest, SaysWhatWasMeant) {
  Error error = Failure("CREATE MATERIALISED VIEW v AS SELECT 1");
  EXPECT_EQ(error.hint(), "did you mean MATERIALIZED?");
  EXPECT_EQ(Place(error), std::make_pair(1, 8));
  EXPECT_EQ(Failure("CREATE STREMING TABLE v").hint(), "did you mean STREAMING?");
  EXPECT_EQ(Failure("CREATE MODLE m AS SELECT 1").hint(), "did you mean MODEL?");
  error = Failure(
      "CREATE STREAMING TABLE t (CONSTRAINT c EXPECT (a)\n ON VIOLATION DROP ROWS) AS SELECT 1");
  EXPECT_EQ(error.hint(), "did you mean ROW?");
  EXPECT_EQ(Place(error), std::make_pair(2, 20));
  EXPECT_THAT(Failure("CREATE FLOW f AS INSERT INTO t SELECT 1").hint(), HasSubstr("BY NAME"));
  EXPECT_THAT(Failure("CREATE MODEL m OPTIONS (a = 1, a = 2) AS SELECT 1").message(),
              HasSubstr("twice"));
  EXPECT_THAT(Failure("CREATE MODEL m OPTIONS (a = 1,) AS SELECT 1").message(),
              HasSubstr("Expected"));
  EXPECT_EQ(Place(Failure("CREATE STREAMING TABLE t (a INT")), std::make_pair(1, 32));
  EXPECT_THAT(Failure("DROP MODEL m n").message(), HasSubstr("Unexpected"));
}

TEST(ParseTest, PlacesErrorsInTheWholeFile) {
  const std::string whole = "SELECT 1;\n  CREATE MODLE m AS SELECT 'x";
  try {
    Parse(std::string_view(whole).substr(12), StatementPlace{"a.sql", whole, 12});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(Place(error), std::make_pair(2, 28));
    EXPECT_EQ(error.where()->line_text, "  CREATE MODLE m AS SELECT 'x");
  }
}

TEST(QueryTest, FindsOutermostCalls) {
  const std::string query =
      "WITH a AS (SELECT * FROM ML.PREDICT(MODEL gold.m@champion, (SELECT * FROM ML.PREDICT(MODEL "
      "n, TABLE s.t)), "
      "STRUCT(0.6 AS threshold))) SELECT * FROM a, STREAM bronze.x AS y JOIN "
      "STREAM(read_files('d/*.csv', format => 'csv', "
      "header => true)) ON a.i = y.i JOIN risk(TABLE (SELECT 1)) r ON true";
  const QueryExtensions found = FindExtensions(query);
  ASSERT_EQ(found.calls.size(), 1U);
  EXPECT_EQ(found.calls[0].function, "PREDICT");
  EXPECT_EQ(found.calls[0].models[0].alias, "champion");
  EXPECT_EQ(found.calls[0].rows[0].query->text, "SELECT * FROM ML.PREDICT(MODEL n, TABLE s.t)");
  EXPECT_EQ(query.substr(found.calls[0].rows[0].query->offset, 6), "SELECT");
  EXPECT_EQ(std::get<double>(found.calls[0].settings[0].value.value), 0.6);
  ASSERT_EQ(found.streams.size(), 2U);
  EXPECT_EQ(query.substr(found.streams[0].begin, found.streams[0].end - found.streams[0].begin),
            "STREAM bronze.x");
  const auto& files = std::get<ReadFiles>(found.streams[1].source);
  EXPECT_EQ(files.pattern, "d/*.csv");
  EXPECT_THAT(files.options,
              ElementsAre(std::make_pair("format", "'csv'"), std::make_pair("header", "true")));
  ASSERT_EQ(found.services.size(), 1U);
  EXPECT_EQ(found.services[0].rows.query->text, "SELECT 1");
}

TEST(QueryTest, TakesSeveralModelsAndRows) {
  const std::string query =
      "FROM ML.COMPARE(MODEL a, MODEL s.b@2, STRUCT(0.9 AS confidence_level), (SELECT 1), TABLE t)";
  const QueryExtensions found = FindExtensions(query);
  ASSERT_EQ(found.calls.size(), 1U);
  const MlCall& call = found.calls[0];
  ASSERT_EQ(call.models.size(), 2U);
  EXPECT_EQ(call.models[1].name.ToString(), "s.b");
  EXPECT_EQ(call.models[1].version, 2);
  ASSERT_EQ(call.rows.size(), 2U);
  EXPECT_EQ(call.rows[0].query->text, "SELECT 1");
  EXPECT_EQ(call.rows[1].table->ToString(), "t");
  EXPECT_EQ(call.settings.size(), 1U);
}

TEST(QueryTest, DoesNotMistakeTablesForStreams) {
  EXPECT_TRUE(FindExtensions("SELECT stream x FROM stream WHERE a").streams.empty());
  EXPECT_TRUE(FindExtensions("SELECT stream FROM t").streams.empty());
  EXPECT_EQ(FindExtensions("FROM ML.WEIGHTS(MODEL m, STRUCT(TRUE AS standardize))")
                .calls[0]
                .settings.size(),
            1U);
  EXPECT_EQ(FindExtensions("SELECT ML.STANDARD_SCALER(a) OVER ()").functions[0].name,
            "STANDARD_SCALER");
}

TEST(QueryTest, FindsCallsOverRows) {
  const std::string query =
      "SELECT * FROM ML.VALIDATE_DATA_DRIFT(TABLE s.a, (SELECT f(1, 2)), STRUCT([('x', 0.1), "
      "STRUCT('y', 1)] AS thresholds)) JOIN ML.DESCRIBE_DATA(TABLE b) ON TRUE";
  const std::vector<MlRowsCall> found = FindExtensions(query).rows_calls;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].function, "VALIDATE_DATA_DRIFT");
  ASSERT_EQ(found[0].rows.size(), 2U);
  EXPECT_EQ(found[0].rows[0].table->ToString(), "s.a");
  EXPECT_EQ(found[0].rows[1].query->text, "SELECT f(1, 2)");
  const auto& pairs = std::get<OptionValue::List>(found[0].settings.at(0).value.value);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(std::get<OptionValue::Struct>(pairs[0].value).size(), 2U);
  EXPECT_EQ(query.substr(found[1].end), " ON TRUE");
  EXPECT_THROW(FindExtensions("FROM ML.DESCRIBE_DATA()"), Error);
  EXPECT_THROW(FindExtensions("FROM ML.DESCRIBE_DATA(STRUCT(1 AS top_k))"), Error);
  EXPECT_THROW(FindExtensions("FROM ML.DESCRIBE_DATA(TABLE a, STRUCT(1 AS top_k), TABLE b)"),
               Error);
}

std::vector<std::string> TablesSeen(const std::string& query) {
  std::vector<std::string> tables;
  for (const SourceText& table : CommonTables(query, query.find("HERE")))
    tables.push_back(table.text);
  return tables;
}

TEST(QueryTest, FindsTheTablesOfWithThatAPlaceSees) {
  EXPECT_THAT(TablesSeen("WITH a AS (SELECT (1)), b(x) AS MATERIALIZED (FROM a) FROM HERE"),
              ElementsAre("a AS (SELECT (1))", "b(x) AS MATERIALIZED (FROM a)"));
  EXPECT_THAT(TablesSeen("WITH RECURSIVE a AS (FROM t), b AS (FROM HERE), c AS (FROM b) FROM c"),
              ElementsAre("a AS (FROM t)"));
  EXPECT_THAT(TablesSeen("CREATE TABLE t AS WITH a AS (FROM t) SELECT (WITH b AS (FROM a) FROM "
                         "(SELECT HERE))"),
              ElementsAre("a AS (FROM t)", "b AS (FROM a)"));
  EXPECT_THAT(
      TablesSeen("SELECT (WITH b AS (FROM a) FROM b), CAST(x AS TIME WITH TIME ZONE), HERE"),
      ElementsAre());
}

TEST(QueryTest, FindsPreprocessingFunctions) {
  const std::string query = "SELECT ML.imputer(f(a, [1, 2]), 'mean') OVER ( ) + 1, ML.B(x) OVER w";
  const std::vector<MlFunction> found = FindExtensions(query).functions;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "IMPUTER");
  ASSERT_EQ(found[0].arguments.size(), 2U);
  EXPECT_EQ(found[0].arguments[0].text, "f(a, [1, 2])");
  EXPECT_EQ(query.substr(found[0].arguments[1].offset, 6), "'mean'");
  EXPECT_EQ(found[0].over->text, "");
  EXPECT_EQ(query.substr(found[0].end, 4), " + 1");
  EXPECT_EQ(found[1].over->text, "w");
  EXPECT_FALSE(FindExtensions("SELECT ML.B()").functions[0].over);
}

TEST(QueryTest, FindsTheBlockAroundAPlace) {
  const auto from = [](const std::string& query) {
    const QueryBlock block = FindBlock(query, query.find('!'));
    return query.substr(block.from_begin, block.from_end - block.from_begin);
  };
  EXPECT_EQ(from("SELECT '!' FROM t WHERE a ORDER BY b"), "FROM t WHERE a");
  EXPECT_EQ(from("SELECT (a + '!') FROM (SELECT 1 FROM u) LIMIT 2"), "FROM (SELECT 1 FROM u)");
  EXPECT_EQ(from("SELECT 1 FROM (SELECT '!' FROM u) WHERE b"), "FROM u");
  EXPECT_EQ(from("SELECT 1 FROM a UNION ALL SELECT '!' FROM b EXCEPT SELECT 2 FROM c"), "FROM b");
  EXPECT_EQ(from("SELECT * EXCEPT (x), '!' FROM b JOIN c ON true"), "FROM b JOIN c ON true");
  EXPECT_EQ(from("WITH w AS (SELECT 1 FROM z) SELECT a IS DISTINCT FROM '!' FROM w"), "FROM w");
  EXPECT_EQ(from("FROM t SELECT '!'"), "FROM t");
  EXPECT_EQ(from("SELECT '!'"), "");
  EXPECT_TRUE(FindBlock("SELECT a, b FROM t GROUP BY a", 10).is_grouped);
  EXPECT_FALSE(FindBlock("SELECT a FROM (SELECT b FROM t GROUP BY b)", 7).is_grouped);
  EXPECT_TRUE(FindBlock("SELECT a FROM t USING SAMPLE 3", 7).is_sampled);
  EXPECT_TRUE(FindBlock("SELECT a FROM t QUALIFY a", 7).has_qualify);
}

TEST(SelectListTest, ReadsColumnsAndStars) {
  const auto items =
      ParseSelectList("t.a, f(b, 1) AS b, * EXCEPT (c, d) REPLACE (e + 1 AS e), a + 1");
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[0].name, "a");
  EXPECT_EQ(items[1].name, "b");
  EXPECT_EQ(items[1].expression.text, "f(b, 1)");
  EXPECT_TRUE(items[2].is_star);
  EXPECT_EQ(items[2].excluded.at(1).name, "d");
  EXPECT_EQ(items[2].replaced.at(0).expression.text, "e + 1");
  EXPECT_EQ(items[3].name, "");
  EXPECT_THROW(ParseSelectList(""), Error);
  EXPECT_EQ(ParseStruct("STRUCT(1 AS x, y)").at(1).name, "y");
  EXPECT_TRUE(ParseStruct("{'x': 1}").empty());
  EXPECT_TRUE(ParseStruct("STRUCT(1 AS x).x").empty());
}

TEST(SelectListTest, ReadsLiterals) {
  EXPECT_EQ(std::get<int64_t>(ParseLiteral("-3").value), -3);
  EXPECT_EQ(std::get<OptionValue::List>(ParseLiteral("[1, 2]").value).size(), 2U);
  EXPECT_THROW(ParseLiteral("1 + 1"), Error);
}

TEST(MappedTextTest, KeepsPlacesWhenTextIsInserted) {
  MappedText text;
  text.AppendOriginal("abc def", 10);
  text.Insert(4, "__row.");
  EXPECT_EQ(text.text(), "abc __row.def");
  EXPECT_EQ(text.OriginalOffset(2), 12U);
  EXPECT_EQ(text.OriginalOffset(6), 14U);
  EXPECT_EQ(text.OriginalOffset(11), 15U);
}

TEST(MappedTextTest, FillsPatterns) {
  MappedText a;
  a.AppendOriginal("xy", 5);
  const MappedText filled = FillIn("f($1, '$', $1)", {a});
  EXPECT_EQ(filled.text(), "f(xy, '$', xy)");
  EXPECT_EQ(filled.OriginalOffset(3), 6U);
  EXPECT_EQ(filled.OriginalOffset(12), 6U);
}

TEST(QueryTest, SaysWhereACallIsWrong) {
  EXPECT_EQ(Place(Failure("SELECT * FROM ML.PREDICT(MODEL m, t)")), std::make_pair(1, 35));
  EXPECT_EQ(Place(Failure("SELECT * FROM ML.PREDICT(MODEL m, (SELECT 1)")), std::make_pair(1, 45));
}

TEST(MappedTextTest, FindsOriginalPlaces) {
  MappedText text;
  text.AppendOriginal("SELECT ", 0);
  text.Append("(inserted)", 7);
  text.AppendOriginal(" FROM t", 20);
  EXPECT_EQ(text.text(), "SELECT (inserted) FROM t");
  EXPECT_EQ(text.OriginalOffset(3), 3U);
  EXPECT_EQ(text.OriginalOffset(12), 7U);
  EXPECT_EQ(text.OriginalOffset(23), 26U);
}

std::vector<std::string> ErrorPlaces(const std::vector<std::string>& texts) {
  std::vector<std::string> places;
  for (const std::string& text : texts) {
    const Error error = Failure(text);
    EXPECT_EQ(error.code(), ErrorCode::kSyntax) << text;
    places.push_back(std::to_string(Place(error).first) + ":" +
                     std::to_string(Place(error).second));
  }
  return places;
}

TEST(LexTest, TakesAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    if (std::string_view("'\"`$/-").find(static_cast<char>(i)) == std::string_view::npos)
      bytes += static_cast<char>(i);
  size_t at = 0;
  for (const Token& token : Lex(bytes, "")) {
    EXPECT_GE(token.begin, at);
    EXPECT_EQ(token.text, std::string_view(bytes).substr(token.begin, token.end - token.begin));
    at = token.end;
  }
  EXPECT_EQ(at, bytes.size());
  EXPECT_EQ(Lex("größe_1$", "")[0].text, "größe_1$");
  EXPECT_EQ(Lex("$1", "")[0].kind, TokenKind::kSymbol);
}

TEST(LexTest, UnescapesAndQuotes) {
  EXPECT_EQ(StringOf(Lex("E'a\\n\\t\\'\\\\''b'", "")[0]), "a\n\t'\\'b");
  EXPECT_EQ(StringOf(Lex("$$$$", "")[0]), "");
  for (const std::string text : {"", "a", "\"", "''", "`\\", "a\nb"}) {
    const std::string name = QuoteIdentifier(text);
    const std::string string = QuoteString(text);
    EXPECT_EQ(NameOf(Lex(name, "")[0]), text);
    EXPECT_EQ(StringOf(Lex(string, "")[0]), text);
    EXPECT_EQ(Lex(string, "").size(), 2U);
  }
}

TEST(LexTest, FailsOnAnythingLeftOpen) {
  for (const char* text : {"E'\\", "E'a\\'", "'a''", "/* /* */", "$a$ $a", "`a``", "/*/"})
    EXPECT_THROW(Lex(text, ""), Error) << text;
}

TEST(ScriptTest, KeepsOffsetsAndTakesNothing) {
  EXPECT_TRUE(SplitStatements("", "").empty());
  EXPECT_TRUE(SplitStatements(" ; -- x\n;/**/;", "").empty());
  const std::string script = "-- ä\n  SELECT $$;$$ /* c */;\nCREATE FLOW f -- end";
  const std::vector<StatementText> statements = SplitStatements(script, "");
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_EQ(statements[0].text, "SELECT $$;$$");
  for (const StatementText& statement : statements)
    EXPECT_EQ(script.substr(statement.offset, statement.text.size()), statement.text);
  EXPECT_FALSE(IsComplete(""));
  EXPECT_FALSE(IsComplete("SELECT 1 -- ;"));
  EXPECT_FALSE(IsComplete("SELECT $$ ;"));
  EXPECT_FALSE(IsComplete("SELECT 1 /* ;"));
}

TEST(ParseTest, ReadsRemoteModels) {
  const auto model = std::get<CreateModel>(
      Parse("CREATE MODEL m INPUT (x DOUBLE, v FLOAT[4]) OUTPUT (y VARCHAR) REMOTE WITH CONNECTION "
            "scorer OPTIONS (endpoint = 'n')",
            ""));
  EXPECT_EQ(model.connection, "scorer");
  EXPECT_EQ(model.inputs.at(1).type, "FLOAT[4]");
  EXPECT_EQ(model.outputs.at(0).name, "y");
  EXPECT_EQ(std::get<CreateModel>(
                Parse("CREATE MODEL m REMOTE WITH CONNECTION c OPTIONS (endpoint = 'n')", ""))
                .connection,
            "c");
  for (const char* wrong :
       {"CREATE MODEL m REMOTE WITH CONNECTION c",
        "CREATE MODEL m REMOTE CONNECTION c OPTIONS (a=1)",
        "CREATE MODEL m INPUT (x DOUBLE) REMOTE WITH CONNECTION c OPTIONS (a = 1)",
        "CREATE MODEL m INPUT (x DOUBLE) OUTPUT (y DOUBLE) OPTIONS (a = 1)",
        "CREATE MODEL m REMOTE WITH CONNECTION c OPTIONS (a = 1) AS SELECT 1",
        "CREATE MODEL m REMOTE WITH CONNECTION c TRANSFORM (x) OPTIONS (a = 1)",
        "CREATE MODEL m PARTITION BY (g) REMOTE WITH CONNECTION c OPTIONS (a = 1)",
        "DROP MODEL m@champion", "DROP FLOW f@1"})
    EXPECT_THROW(Parse(wrong, ""), Error) << wrong;
}

TEST(ParseTest, ReadsLiterals) {
  const auto model = std::get<CreateModel>(
      Parse("CREATE MODEL m OPTIONS (a = -9223372036854775808, b = +2, c = .5, d = 1e-3, e = "
            "NORMAL_EQUATION, f = NULL, g = "
            "[[1], []], h = STRUCT(TRUE AS yes, 'x' AS \"no\"), \"Quoted\" = $$y$$) AS SELECT 1",
            ""));
  ASSERT_EQ(model.options.size(), 9U);
  const auto value = [&](size_t i) { return model.options[i].value.value; };
  EXPECT_EQ(std::get<int64_t>(value(0)), INT64_MIN);
  EXPECT_EQ(std::get<int64_t>(value(1)), 2);
  EXPECT_EQ(std::get<double>(value(2)), 0.5);
  EXPECT_EQ(std::get<double>(value(3)), 1e-3);
  EXPECT_EQ(std::get<std::string>(value(4)), "NORMAL_EQUATION");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(value(5)));
  EXPECT_EQ(std::get<OptionValue::List>(value(6)).size(), 2U);
  const auto fields = std::get<OptionValue::Struct>(value(7));
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[1].first, "no");
  EXPECT_EQ(model.options[8].name, "quoted");
  EXPECT_EQ(std::get<std::string>(value(8)), "y");
}

TEST(ParseTest, PlacesErrorsAtTheWordThatIsWrong) {
  EXPECT_THAT(
      ErrorPlaces({"CREATE STREAMING TABEL t", "CREATE MODEL m OPTONS (a = 1) AS SELECT 1",
                   "CREATE STREAMING TABLE t (CONSTRAINT c EXPCT (a))",
                   "CREATE STREAMING TABLE t (CONSTRAINT c EXPECT ())",
                   "CREATE STREAMING TABLE t\n (a INT,)", "CREATE MODEL a.b.c AS SELECT 1",
                   "CREATE MODEL m\nOPTIONS (a = [1, ]) AS SELECT 1",
                   "CREATE MODEL m OPTIONS (a 1) AS SELECT 1",
                   "CREATE MODEL m OPTIONS (a = 1_000) AS SELECT 1", "CREATE MODEL m AS",
                   "CREATE SERVICE s (a) AS q", "CREATE SERVICE s (\n a INT, b STRUCT(x INT",
                   "CREATE MODEL m TRANSFORM (a, (b) AS SELECT 1",
                   "CREATE OR REPLACE STREAMING TABLE t", "EXPORT MODEL m@1.5 OPTIONS ()",
                   "DESCRIBE MODEL m@", "DROP MODEL", "SHOW MODELS x"}),
      ElementsAre("1:18", "1:16", "1:40", "1:48", "2:9", "1:17", "2:18", "1:27", "1:29", "1:18",
                  "1:20", "2:17", "1:26", "1:19", "1:16", "1:18", "1:11", "1:13"));
}

TEST(ParseTest, CountsCharactersNotBytes) {
  EXPECT_EQ(Place(Failure("CREATE STREAMING TABLE \"größe\" (CONSTRAINT ü EXPCT (a))")),
            std::make_pair(1, 46));
}

TEST(ParseTest, BoundsNesting) {
  std::string lists;
  std::string structs;
  for (int i = 0; i < 200000; ++i) {
    lists += "[";
    structs += "STRUCT(";
  }
  EXPECT_THAT(Failure("CREATE MODEL m OPTIONS (a = " + lists).message(), HasSubstr("too deeply"));
  EXPECT_THAT(Failure("CREATE MODEL m OPTIONS (a = " + structs).message(), HasSubstr("too deeply"));
  const std::string open(200000, '(');
  EXPECT_EQ(Place(Failure("CREATE MODEL m TRANSFORM " + open)), std::make_pair(1, 26));
  EXPECT_TRUE(FindExtensions(open).calls.empty());
}

TEST(QueryTest, PlacesErrors) {
  EXPECT_THAT(
      ErrorPlaces({"FROM ML.PREDICT(MODEL m, TABEL t)", "FROM ML.PREDICT(MODEL m TABLE t)",
                   "FROM ML.PREDICT(MODEL m,\n)",
                   "FROM ML.PREDICT(MODEL m, TABLE t, STRUC(1 AS a))", "FROM risk(TABLE t, 1)",
                   "FROM STREAM read_files()", "FROM STREAM read_files('x', a => )",
                   "FROM STREAM a.b.c", "SELECT ML.STANDARD_SCALER(x",
                   "FROM ML.F(MODEL a, TABLE t, MODEL b)", "FROM ML.F(MODEL a, MODEL)",
                   "FROM ML.F(MODEL a, STRUCT(1 AS x), STRUCT(2 AS y))"}),
      ElementsAre("1:26", "1:25", "2:1", "1:35", "1:18", "1:24", "1:34", "1:16", "1:26", "1:29",
                  "1:25", "1:36"));
}

TEST(QueryTest, TakesStreamsOnlyAsSources) {
  EXPECT_EQ(FindExtensions("INSERT INTO t SELECT * FROM STREAM s").streams.size(), 1U);
  EXPECT_EQ(FindExtensions("FROM (STREAM s) JOIN STREAM r ON true, STREAM q").streams.size(), 3U);
  EXPECT_EQ(FindExtensions("SELECT * FROM t -- , STREAM s").streams.size(), 0U);
  EXPECT_EQ(FindExtensions("SELECT ', STREAM s' FROM \"STREAM\" s").streams.size(), 0U);
  EXPECT_EQ(FindExtensions("FROM t SELECT a, stream b").streams.size(), 0U);
  EXPECT_EQ(FindExtensions("SELECT extract(year FROM stream), stream z FROM t").streams.size(), 0U);
  EXPECT_TRUE(FindExtensions("SELECT risk(TABLE t)").services.empty());
}

TEST(MappedTextTest, KeepsPlacesWhenTextsAreJoined) {
  MappedText inner;
  inner.AppendOriginal("xyz", 10);
  MappedText text;
  text.AppendOriginal("ab", 3);
  text.Append("+");  // shown where the piece before ended
  text.Append(inner);
  EXPECT_EQ(text.text(), "ab+xyz");
  EXPECT_EQ(text.OriginalOffset(2), 5U);
  EXPECT_EQ(text.OriginalOffset(3), 10U);
  EXPECT_EQ(text.OriginalOffset(6), 13U);
  EXPECT_EQ(MappedText().OriginalOffset(4), 0U);
}

}  // namespace
}  // namespace braid::syntax
