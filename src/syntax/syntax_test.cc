// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "syntax/parse.h"
#include "syntax/query.h"
#include "syntax/script.h"
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

std::pair<int, int> Place(const Error& error) { return {error.where()->line, error.where()->column}; }

TEST(LexTest, KnowsStringsNamesAndComments) {
  std::vector<std::string> texts;
  for (const Token& token : Lex("a\"b\"\"c\" 'it''s' E'\\'' $$x;$$ $t$y$t$ 1.5e-3 /* /* n */ */ => -- c\n::", ""))
    texts.emplace_back(token.text);
  EXPECT_THAT(texts, ElementsAre("a", "\"b\"\"c\"", "'it''s'", "E'\\''", "$$x;$$", "$t$y$t$", "1.5e-3", "=>", "::", ""));
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
  for (const StatementText& statement : SplitStatements(" -- c\nSELECT ';' ;; /* ; */ SELECT 2 -- d\n", ""))
    texts.push_back(statement.text);
  EXPECT_THAT(texts, ElementsAre("SELECT ';'", "SELECT 2"));
  EXPECT_TRUE(IsComplete("SELECT 1; -- done"));
  EXPECT_FALSE(IsComplete("SELECT ';"));
  EXPECT_FALSE(IsComplete("SELECT 1"));
}

TEST(ParseTest, ReadsAStreamingTable) {
  const auto table = std::get<CreateStreamingTable>(
      Parse("create or refresh streaming table bronze.t (a DECIMAL(10, 2) NOT NULL, \"b c\", CONSTRAINT ok EXPECT (a > 0 "
            "AND f(a, 2)) ON VIOLATION QUARANTINE, CONSTRAINT k EXPECT (b)) COMMENT 'x' AS SELECT * FROM STREAM "
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
  const auto model = std::get<CreateModel>(
      Parse("CREATE OR REPLACE MODEL gold.m TRANSFORM (a + 1 AS a1, label) OPTIONS (model_type = 'linear_reg', "
            "L2_REG=-0.5, input_label_cols=['label'], x = STRUCT(1 AS a, NULL AS b), early_stop = FALSE) AS SELECT 1",
            ""));
  EXPECT_EQ(model.transform->text, "a + 1 AS a1, label");
  ASSERT_EQ(model.options.size(), 5U);
  EXPECT_EQ(model.options[1].name, "l2_reg");
  EXPECT_EQ(std::get<double>(model.options[1].value.value), -0.5);
  EXPECT_EQ(std::get<OptionValue::List>(model.options[2].value.value).size(), 1U);
  EXPECT_EQ(std::get<bool>(model.options[4].value.value), false);
  EXPECT_EQ(model.query.text, "SELECT 1");
}

TEST(ParseTest, ReadsTheOthers) {
  EXPECT_EQ(std::get<CreateFlow>(Parse("CREATE FLOW f AS INSERT INTO s.t BY NAME SELECT 1", "")).target.ToString(), "s.t");
  const auto service = std::get<CreateService>(
      Parse("CREATE SERVICE s (a VARCHAR, b STRUCT(x INT, y INT)[]) OPTIONS (outcome = 'late BOOLEAN') AS SELECT 1 FROM request", ""));
  EXPECT_EQ(service.params[1].type, "STRUCT(x INT, y INT)[]");
  EXPECT_EQ(std::get<ExportModel>(Parse("EXPORT MODEL m@3 OPTIONS (uri = 'd')", "")).model.version, 3);
  EXPECT_EQ(std::get<DropObject>(Parse("DROP MODEL IF EXISTS m", "")).if_exists, true);
  EXPECT_EQ(std::get<Show>(Parse("SHOW MODELS", "")).kind, ShowKind::kModels);
  EXPECT_EQ(std::get<Describe>(Parse("DESCRIBE MODEL m@champion", "")).object.alias, "champion");
}

TEST(ParseTest, LeavesDuckDbAlone) {
  for (const char* text : {"SELECT 1", "CREATE TABLE t (a INT)", "CREATE OR REPLACE VIEW v AS SELECT 1", "DROP TABLE t",
                           "SHOW TABLES", "DESCRIBE t", "DESCRIBE SELECT 1", "EXPORT DATABASE 'd'", "CREATE MACRO m(a) AS a",
                           "FROM t", "DESCRIBE model", "CREATE TEMP TABLE t AS SELECT 1"})
    EXPECT_TRUE(std::holds_alternative<EngineStatement>(Parse(text, ""))) << text;
}

TEST(ParseTest, SaysWhatWasMeant) {
  Error error = Failure("CREATE MATERIALISED VIEW v AS SELECT 1");
  EXPECT_EQ(error.hint(), "did you mean MATERIALIZED?");
  EXPECT_EQ(Place(error), std::make_pair(1, 8));
  EXPECT_EQ(Failure("CREATE STREMING TABLE v").hint(), "did you mean STREAMING?");
  EXPECT_EQ(Failure("CREATE MODLE m AS SELECT 1").hint(), "did you mean MODEL?");
  error = Failure("CREATE STREAMING TABLE t (CONSTRAINT c EXPECT (a)\n ON VIOLATION DROP ROWS) AS SELECT 1");
  EXPECT_EQ(error.hint(), "did you mean ROW?");
  EXPECT_EQ(Place(error), std::make_pair(2, 20));
  EXPECT_THAT(Failure("CREATE FLOW f AS INSERT INTO t SELECT 1").hint(), HasSubstr("BY NAME"));
  EXPECT_THAT(Failure("CREATE MODEL m OPTIONS (a = 1, a = 2) AS SELECT 1").message(), HasSubstr("twice"));
  EXPECT_THAT(Failure("CREATE MODEL m OPTIONS (a = 1,) AS SELECT 1").message(), HasSubstr("Expected"));
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
      "WITH a AS (SELECT * FROM ML.PREDICT(MODEL gold.m@champion, (SELECT * FROM ML.PREDICT(MODEL n, TABLE s.t)), "
      "STRUCT(0.6 AS threshold))) SELECT * FROM a, STREAM bronze.x AS y JOIN STREAM(read_files('d/*.csv', format => 'csv', "
      "header => true)) ON a.i = y.i JOIN risk(TABLE (SELECT 1)) r ON true";
  const QueryExtensions found = FindExtensions(query);
  ASSERT_EQ(found.calls.size(), 1U);
  EXPECT_EQ(found.calls[0].function, "PREDICT");
  EXPECT_EQ(found.calls[0].model.alias, "champion");
  EXPECT_EQ(found.calls[0].query->text, "SELECT * FROM ML.PREDICT(MODEL n, TABLE s.t)");
  EXPECT_EQ(query.substr(found.calls[0].query->offset, 6), "SELECT");
  EXPECT_EQ(std::get<double>(found.calls[0].settings[0].value.value), 0.6);
  ASSERT_EQ(found.streams.size(), 2U);
  EXPECT_EQ(query.substr(found.streams[0].begin, found.streams[0].end - found.streams[0].begin), "STREAM bronze.x");
  const auto& files = std::get<ReadFiles>(found.streams[1].source);
  EXPECT_EQ(files.pattern, "d/*.csv");
  EXPECT_THAT(files.options, ElementsAre(std::make_pair("format", "'csv'"), std::make_pair("header", "true")));
  ASSERT_EQ(found.services.size(), 1U);
  EXPECT_EQ(found.services[0].query->text, "SELECT 1");
}

TEST(QueryTest, DoesNotMistakeTablesForStreams) {
  EXPECT_TRUE(FindExtensions("SELECT stream x FROM stream WHERE a").streams.empty());
  EXPECT_TRUE(FindExtensions("SELECT stream FROM t").streams.empty());
  EXPECT_EQ(FindExtensions("FROM ML.WEIGHTS(MODEL m, STRUCT(TRUE AS standardize))").calls[0].settings.size(), 1U);
  EXPECT_EQ(FindExtensions("SELECT ML.STANDARD_SCALER(a) OVER ()").functions[0].name, "STANDARD_SCALER");
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

}  // namespace
}  // namespace braid::syntax
