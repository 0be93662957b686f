// SPDX-License-Identifier: Apache-2.0
#include "app/instance.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "app/output.h"
#include "base/error.h"
#include "base/file.h"

namespace braid::app {
namespace {

class Texts final : public owner::OutputSink {
 public:
  void Out(std::string_view bytes) override { out += bytes; }
  void Err(std::string_view) override {}
  std::string out;
};

class Results final : public flow::RunObserver {
 public:
  void RunStarted(const std::vector<std::string>&) override {}
  void NodeStarted(const std::string&, size_t, size_t) override {}
  void NodeProgress(double, std::string_view) override {}
  void NodeFinished(const flow::NodeResult& result) override { nodes[result.node] = result; }
  void Notice(std::string_view) override {}
  std::map<std::string, flow::NodeResult> nodes;
};

class InstanceTest : public testing::Test {
 protected:
  InstanceTest() {
    std::string name = (std::filesystem::temp_directory_path() / "braid_app_XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    Open();
  }
  ~InstanceTest() override {
    instance_.reset();
    std::filesystem::remove_all(root_);
  }
  void Open() {
    instance_.reset();
    instance_ = std::make_unique<Instance>(
        InstanceOptions{.home = root_ / ".braid", .root = root_, .engine = {.threads = 2}}, clock_);
  }
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    WriteFileDurably(root_ / name, text);
  }
  std::map<std::string, flow::NodeResult> Run(bool full_refresh = false) {
    Results results;
    instance_->Run({.run_id = "", .command = "test", .select = {}, .full_refresh = full_refresh},
                   results, {});
    return results.nodes;
  }
  // What a script prints as CSV.
  std::string Sql(const std::string& script) {
    Texts texts;
    const auto sink = MakeResultSink(OutputFormat::kCsv, texts, 0);
    instance_->NewSession(std::chrono::seconds(5))->ExecuteScript(script, "", *sink);
    return texts.out;
  }
  ErrorCode SqlError(const std::string& script) {
    try {
      Sql(script);
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "no error: " << script;
    return ErrorCode::kInternal;
  }

  SystemClock clock_;
  std::filesystem::path root_;
  std::unique_ptr<Instance> instance_;
};

constexpr const char* kProject =
    "CREATE STREAMING TABLE bronze.t AS SELECT * FROM STREAM read_files('in/*.csv');\n"
    "CREATE STREAMING TABLE silver.t (CONSTRAINT positive EXPECT (v > 0) ON VIOLATION DROP ROW, "
    "CONSTRAINT small "
    "EXPECT (v < 100) ON VIOLATION QUARANTINE) AS SELECT k, v FROM STREAM bronze.t;\n"
    "CREATE MATERIALIZED VIEW gold.t AS SELECT k, CAST(sum(v) AS BIGINT) AS total FROM silver.t "
    "GROUP BY k ORDER BY k;\n";

TEST_F(InstanceTest, RunsThreeHopsOnceAndSkipsWhatIsUnchanged) {
  Write("a.sql", kProject);
  Write("in/1.csv", "k,v\na,1\na,-5\nb,2\nb,500\n");
  auto first = Run();
  EXPECT_EQ(first.at("bronze.t").rows, 4);
  EXPECT_EQ(first.at("silver.t").rows, 2);
  ASSERT_EQ(first.at("silver.t").expectations.size(), 2U);
  EXPECT_EQ(first.at("silver.t").expectations[0].failed, 1);
  EXPECT_EQ(first.at("silver.t").expectations[1].failed, 1);
  EXPECT_EQ(Sql("FROM gold.t ORDER BY k"), "k,total\na,1\nb,2\n");
  EXPECT_EQ(Sql("SELECT k, v, _rules FROM silver.t__quarantine"),
            "k,v,_rules\nb,500,\"[\"\"small\"\"]\"\n");
  for (const auto& [name, node] : Run()) EXPECT_EQ(node.action, "skipped") << name;
  Write("in/2.csv", "k,v\na,10\n");
  Open();
  EXPECT_EQ(Run().at("silver.t").rows, 1);
  EXPECT_EQ(Sql("FROM gold.t ORDER BY k"), "k,total\na,11\nb,2\n");
}

TEST_F(InstanceTest, AFailedUpdateLeavesNothingBehind) {
  Write("a.sql",
        "CREATE STREAMING TABLE bronze.t AS SELECT * FROM STREAM read_files('in/*.csv');\n"
        "CREATE STREAMING TABLE silver.t (CONSTRAINT positive EXPECT (v > 0) ON VIOLATION FAIL "
        "UPDATE) AS SELECT * FROM "
        "STREAM bronze.t;\n");
  Write("in/1.csv", "v\n1\n-1\n");
  try {
    Run();
    FAIL() << "the run went through";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kExpectationFailed);
  }
  EXPECT_EQ(SqlError("FROM bronze.t"), ErrorCode::kTableNotFound);
  EXPECT_EQ(Sql("SELECT status FROM braid.run"), "status\nfailed\n");
}

TEST_F(InstanceTest, ModelsTrainAndPredictInAnyQuery) {
  Sql("CREATE TABLE gold.p AS SELECT range AS x, range * 2.0 + 1 AS y FROM range(100)");
  Sql("CREATE MODEL line OPTIONS (model_type = 'linear_reg', input_label_cols = ['y']) AS SELECT "
      "x, y FROM gold.p");
  EXPECT_EQ(Sql("SELECT round(p.predicted_y, 6) AS y FROM ML.PREDICT(MODEL line, (SELECT 7 AS x)) "
                "p JOIN gold.p USING (x)"),
            "y\n15.0\n");
  EXPECT_EQ(SqlError("CREATE MODEL line OPTIONS (model_type = 'linear_reg', input_label_cols = "
                     "['y']) AS SELECT 1"),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(SqlError("SELECT * FROM ML.PREDICT(MODEL line, (SELECT 1 AS z))"),
            ErrorCode::kModelInput);
  EXPECT_EQ(SqlError("SELECT * FROM ML.PREDICT(MODEL lime, TABLE gold.p)"),
            ErrorCode::kModelNotFound);
  EXPECT_EQ(SqlError("CREATE TABLE gold.h AS SELECT sum(x) AS s FROM gold.p"),
            ErrorCode::kTypeNotStorable);
}

// The tutorial's published figures (BigQuery ML, linear regression on penguins).
TEST_F(InstanceTest, PenguinsThroughSql) {
  const std::filesystem::path data =
      std::filesystem::path(BRAID_TEST_DATA) / "penguins" / "penguins_tutorial.csv";
  Sql("CREATE TABLE gold.penguins AS SELECT * FROM read_csv('" + data.string() + "')");
  Sql("CREATE MODEL mass OPTIONS (model_type = 'linear_reg', input_label_cols = ['body_mass_g']) "
      "AS SELECT * FROM "
      "gold.penguins WHERE body_mass_g IS NOT NULL");
  EXPECT_EQ(Sql("SELECT round(mean_absolute_error, 6) AS mae, round(mean_squared_error, 6) AS mse, "
                "round(r2_score, 6) AS r2, "
                "round(median_absolute_error, 4) AS med FROM ML.EVALUATE(MODEL mass)"),
            "mae,mse,r2,med\n227.012237,81838.159892,0.872377,174.9986\n");
}

}  // namespace
}  // namespace braid::app
