// SPDX-License-Identifier: Apache-2.0
#include "flow/declarations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace braid::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DeclarationsTest : public ::testing::Test {
 protected:
  DeclarationsTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(::testing::TempDir()) /
            ("braid_" + std::to_string(getpid()) + "_" + test->name());
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~DeclarationsTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  Declarations Load() { return LoadDeclarations(root_); }

  // "CODE file:line:column" of each problem.
  static std::vector<std::string> Problems(const Declarations& declarations) {
    std::vector<std::string> problems;
    for (const Error& error : declarations.problems) {
      std::string text(Describe(error.code()).text);
      if (const auto& where = error.where())
        text += " " + where->file + ":" + std::to_string(where->line) + ":" +
                std::to_string(where->column);
      problems.push_back(text);
    }
    return problems;
  }

  std::filesystem::path root_;
};

TEST_F(DeclarationsTest, ReadsFilesInOrder) {
  Write("b/z.sql", "CREATE MODEL m OPTIONS (model_type = 'linear_reg') AS SELECT 1");
  Write("a.sql",
        "\xEF\xBB\xBF-- ü\nCREATE MATERIALIZED VIEW Gold.V AS\n  SELECT 1;\n\n  CREATE STREAMING "
        "TABLE t (a INT); CREATE FLOW f AS INSERT INTO t BY NAME SELECT 1 AS a;\n");
  Write("c/d/e.sql", "CREATE SERVICE s (a INT) AS SELECT a FROM request");
  Write(".braid/x.sql", "nonsense");
  Write("b/.hidden/x.sql", "nonsense");
  Write("b/.#z.sql", "nonsense");
  Write("b/readme.md", "nonsense");
  Write("empty.sql", "-- nothing yet\n");
  const Declarations loaded = Load();
  EXPECT_THAT(Problems(loaded), IsEmpty());
  std::vector<std::string> keys;
  for (const catalog::Object& object : loaded.objects)
    keys.push_back(object.file + ":" + std::to_string(object.line) + " " + object.key);
  EXPECT_THAT(keys, ElementsAre("a.sql:2 gold.v", "a.sql:5 main.t", "a.sql:5 f", "b/z.sql:1 m",
                                "c/d/e.sql:1 s"));
  const catalog::Object& view = loaded.objects[0];
  EXPECT_EQ(view.owner, "project");
  EXPECT_EQ(view.file_text->substr(view.offset, view.definition.size()), view.definition);
  EXPECT_EQ(view.definition, "CREATE MATERIALIZED VIEW Gold.V AS\n  SELECT 1");
}

TEST_F(DeclarationsTest, TellsAllThatIsWrong) {
  Write("a.sql",
        "CREATE MODLE m AS SELECT 1;\nSELECT 1;\n CREATE TABLE t (a INT);\nCREATE VIEW v AS SELECT "
        "1;\nCREAT MODEL m AS SELECT 1;\nDROP MODEL m;\nCREATE MATERIALIZED VIEW ok AS SELECT 1");
  Write("b.sql", "CREATE MATERIALIZED VIEW w AS SELECT 'x");
  Write("c.sql", "-- sch\xF6n\nCREATE MATERIALIZED VIEW u AS SELECT 1");
  const Declarations loaded = Load();
  EXPECT_THAT(Problems(loaded),
              ElementsAre("SYNTAX a.sql:1:8", "NOT_SUPPORTED a.sql:2:1", "NOT_SUPPORTED a.sql:3:2",
                          "NOT_SUPPORTED a.sql:4:1", "NOT_SUPPORTED a.sql:5:1",
                          "NOT_SUPPORTED a.sql:6:1", "SYNTAX b.sql:1:38", "SYNTAX c.sql:1:7"));
  EXPECT_THAT(loaded.problems[1].hint(), HasSubstr("braid sql"));
  EXPECT_THAT(loaded.problems[2].hint(), HasSubstr("CREATE STREAMING TABLE"));
  EXPECT_THAT(loaded.problems[3].hint(), HasSubstr("CREATE MATERIALIZED VIEW"));
  EXPECT_THAT(loaded.problems[4].hint(), HasSubstr("CREATE?"));
  ASSERT_EQ(loaded.objects.size(), 1U);
  EXPECT_EQ(loaded.objects[0].key, "main.ok");
}

TEST_F(DeclarationsTest, NamesAreDeclaredOnce) {
  Write("a.sql",
        "CREATE STREAMING TABLE s.t (a INT);\nCREATE MATERIALIZED VIEW S.T AS SELECT 1;\nCREATE "
        "MODEL t AS SELECT 1;\nCREATE SERVICE t (a INT) AS SELECT 1;\nCREATE MODEL T AS SELECT 2;");
  const Declarations loaded = Load();
  EXPECT_THAT(Problems(loaded),
              ElementsAre("ALREADY_EXISTS a.sql:2:26", "ALREADY_EXISTS a.sql:5:14"));
  EXPECT_THAT(loaded.problems[0].hint(), HasSubstr("a.sql:1"));
  EXPECT_EQ(loaded.objects.size(), 3U);
}

TEST_F(DeclarationsTest, FlowsWriteIntoDeclaredStreamingTables) {
  Write(
      "a.sql",
      "CREATE STREAMING TABLE silver.training (a INT);\nCREATE MATERIALIZED VIEW v AS SELECT "
      "1;\nCREATE FLOW f AS INSERT INTO silver.trainig BY NAME SELECT 1;\nCREATE FLOW g AS INSERT "
      "INTO v BY NAME SELECT 1;\nCREATE FLOW h AS INSERT INTO silver.training BY NAME SELECT 1;");
  Declarations loaded = Load();
  EXPECT_THAT(Problems(loaded),
              ElementsAre("TABLE_NOT_FOUND a.sql:3:30", "NOT_SUPPORTED a.sql:4:30"));
  EXPECT_THAT(loaded.problems[0].hint(), HasSubstr("silver.training"));
  // What cannot be read may declare it.
  Write("b.sql", "CREATE STREAMING TABEL silver.trainig");
  EXPECT_THAT(Problems(Load()), ElementsAre("SYNTAX b.sql:1:18"));
}

TEST_F(DeclarationsTest, KeepsBraidsOwnSchemas) {
  Write("a.sql",
        "CREATE MATERIALIZED VIEW inference.x AS SELECT 1; CREATE MODEL braid.m AS SELECT 1");
  EXPECT_THAT(Problems(Load()), ElementsAre("NOT_SUPPORTED a.sql:1:26"));
}

TEST_F(DeclarationsTest, AMissingFolderIsAProblem) {
  std::filesystem::remove_all(root_);
  EXPECT_THAT(Problems(Load()), ElementsAre("IO"));
}

}  // namespace
}  // namespace braid::flow
