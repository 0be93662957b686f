// SPDX-License-Identifier: Apache-2.0
#include "serve/service_schema.h"

#include <algorithm>

#include "lake/tables.h"
#include "serve/service_fixture.h"
#include "serve/struct_type.h"

namespace braid::serve {
namespace {

using ServiceSchemaTest = ServiceTest;

std::string Show(const std::vector<FieldType>& fields) { return StructType(fields); }

TEST_F(ServiceSchemaTest, BindsParametersOutputsAndTables) {
  Commit("CREATE TABLE gold.routes (route VARCHAR, distance DOUBLE)");
  const ServiceSchema schema = Bind(
      "CREATE SERVICE Price (route STRING, n int, w numeric(8,2)) AS\n"
      "SELECT r.distance * request.n AS price, request.route AS \"the route\"\n"
      "FROM request LEFT JOIN gold.routes r ON r.route = request.route");
  EXPECT_EQ(schema.name, "price");
  EXPECT_EQ(schema.version, 0);
  EXPECT_EQ(Show(schema.parameters), R"(STRUCT("route" VARCHAR, "n" INTEGER, "w" DECIMAL(8,2)))");
  EXPECT_EQ(Show(schema.outputs), R"(STRUCT("price" DOUBLE, "the route" VARCHAR))");
  EXPECT_EQ(schema.tables, std::vector<std::string>{"gold.routes"});
  EXPECT_EQ(schema.settings.capture, CaptureMode::kDurable);
  EXPECT_EQ(Show(schema.settings.outcome), R"(STRUCT("label" VARCHAR))");
}

TEST_F(ServiceSchemaTest, BindsAQueryWithCommonTables) {
  const ServiceSchema schema = Bind(
      "CREATE SERVICE s (x INT) AS WITH a AS (SELECT x + 1 AS y FROM request) SELECT y FROM a -- "
      "end");
  EXPECT_EQ(Show(schema.outputs), R"(STRUCT("y" INTEGER))");
}

TEST_F(ServiceSchemaTest, BindsModels) {
  TrainLate();
  TrainLate();
  const std::string text =
      "CREATE SERVICE s (dep_delay DOUBLE) AS SELECT predicted_late, predicted_late_probs FROM "
      "ML.PREDICT(MODEL late, TABLE request)";
  const ServiceSchema schema = Bind(text);
  EXPECT_EQ(schema.model_versions, (std::map<std::string, int64_t>{{"late", 2}}));
  EXPECT_EQ(
      Show(schema.outputs),
      R"(STRUCT("predicted_late" BOOLEAN, "predicted_late_probs" STRUCT(label BOOLEAN, prob DOUBLE)[]))");
}

TEST_F(ServiceSchemaTest, ReadsOptions) {
  const ServiceSchema schema = Bind(
      "CREATE SERVICE s (x INT) OPTIONS (capture = 'OFF', outcome = 'late bool, \"how much\" "
      "numeric(8, 2)') AS SELECT x FROM request");
  EXPECT_EQ(schema.settings.capture, CaptureMode::kOff);
  EXPECT_EQ(Show(schema.settings.outcome), R"(STRUCT("late" BOOLEAN, "how much" DECIMAL(8,2)))");
}

TEST_F(ServiceSchemaTest, RefusesWrongOptions) {
  const auto with = [this](const std::string& options) {
    return ErrorOf([&] {
      Bind("CREATE SERVICE s (x INT)\nOPTIONS (" + options + ") AS SELECT x FROM request");
    });
  };
  const Error unknown = with("captur = 'off'");
  EXPECT_EQ(unknown.code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(unknown.hint(), "did you mean capture?");
  ASSERT_TRUE(unknown.where().has_value());
  EXPECT_EQ(unknown.where()->line, 2);
  EXPECT_EQ(unknown.where()->column, 10);
  EXPECT_EQ(with("capture = 'sometimes'").code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(with("capture = 'sometimes'").code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(with("capture = 1").code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(with("outcome = ''").code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(with("outcome = 'late'").code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(with("outcome = 'late bool,'").code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(with("outcome = 'late bool, LATE int'").code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(with("outcome = 'late nonsense'").code(), ErrorCode::kBinder);
}

TEST_F(ServiceSchemaTest, SaysWhereAQueryIsWrong) {
  const Error error = ErrorOf([&] {
    Bind("CREATE SERVICE s (x INT) AS\nSELECT x + 1 AS y,\n  missing FROM request", "a/s.sql", 11);
  });
  EXPECT_EQ(error.code(), ErrorCode::kBinder);
  ASSERT_TRUE(error.where().has_value());
  EXPECT_EQ(error.where()->file, "a/s.sql");
  EXPECT_EQ(error.where()->line, 13);
  EXPECT_EQ(error.where()->column, 3);
  EXPECT_EQ(error.where()->line_text, "  missing FROM request");
  const Error model = ErrorOf([&] {
    Bind("CREATE SERVICE s (x INT) AS SELECT * FROM\nML.PREDICT(MODEL gone, TABLE request)");
  });
  EXPECT_EQ(model.code(), ErrorCode::kModelNotFound);
  ASSERT_TRUE(model.where().has_value());
  EXPECT_EQ(model.where()->line, 2);
}

TEST_F(ServiceSchemaTest, RefusesWhatCannotBeServed) {
  const auto of = [this](const std::string& text) { return CodeOf([&] { Bind(text); }); };
  EXPECT_EQ(of("CREATE SERVICE s (x INT) AS SELECT 1 AS y"), ErrorCode::kBinder);
  EXPECT_EQ(of("CREATE SERVICE s (x INT, X INT) AS SELECT 1 AS y FROM request"),
            ErrorCode::kSyntax);
  EXPECT_EQ(of("CREATE SERVICE s (x INT) AS SELECT 1 AS y, 2 AS Y FROM request"),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(of("CREATE SERVICE s (inference_id INT) AS SELECT 1 AS y FROM request"),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(of("CREATE SERVICE s (x INT) AS SELECT x AS inference_id FROM request"),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(of("CREATE SERVICE s (x INT) AS SELECT x AS error FROM request"),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(of("CREATE SERVICE s_labelled (x INT) AS SELECT x FROM request"),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(of("CREATE SERVICE s (x NONSENSE) AS SELECT x FROM request"), ErrorCode::kBinder);
}

TEST_F(ServiceSchemaTest, RefusesTypesThatCaptureWouldChange) {
  const auto parameter = [this](const std::string& type) {
    return CodeOf([&] { Bind("CREATE SERVICE s (x " + type + ") AS SELECT 1 AS y FROM request"); });
  };
  const auto output = [this](const std::string& value) {
    return CodeOf(
        [&] { Bind("CREATE SERVICE s (x INT) AS SELECT " + value + " AS y FROM request"); });
  };
  for (const char* type :
       {"HUGEINT", "HUGEINT[]", "STRUCT(a BLOB)", "BLOB[]", "INTERVAL", "FLOAT[3]"})
    EXPECT_EQ(parameter(type), ErrorCode::kTypeNotStorable) << type;
  for (const char* value : {"sum(x)", "INTERVAL 1 DAY", "MAP {1: 'a'}", "{'a': 'x'::BLOB}"})
    EXPECT_EQ(output(value), ErrorCode::kTypeNotStorable) << value;
  EXPECT_EQ(Bind("CREATE SERVICE s (x BLOB, hugeint MAP(BIGINT, VARCHAR)) AS SELECT x FROM request")
                .parameters.size(),
            2U);
}

TEST_F(ServiceSchemaTest, AServiceAskedInsideAServiceIsNamed) {
  Declare("CREATE SERVICE other (x INT) AS SELECT x AS y FROM request");
  const Error error = ErrorOf([&] {
    Bind("CREATE SERVICE s (x INT) AS SELECT o.y FROM request, LATERAL other(request.x, 2) o");
  });
  EXPECT_EQ(error.code(), ErrorCode::kBinder);
  EXPECT_NE(error.message().find("other"), std::string::npos);
}

class DeclareServiceTest : public ServiceTest {
 protected:
  std::string TypeOf(const std::string& schema, const std::string& table,
                     const std::string& column) {
    for (const lake::Column& found : lake::TableColumns(*run_, schema, table))
      if (found.name == column) return found.type;
    return "";
  }
  int64_t Version(const std::string& service) {
    return run_
        ->Scalar("SELECT max(version) FROM lake.braid.service_version WHERE service = $1",
                 std::vector<engine::Value>{service})
        .get<int64_t>();
  }
};

TEST_F(DeclareServiceTest, MakesItsTables) {
  Declare(
      "CREATE SERVICE s (x INT, \"a b\" VARCHAR) OPTIONS (outcome = 'late BOOLEAN') AS SELECT x / "
      "2 "
      "AS y FROM request");
  EXPECT_EQ(TypeOf("inference", "s", "input"), R"(STRUCT(x INTEGER, "a b" VARCHAR))");
  EXPECT_EQ(TypeOf("inference", "s", "output"), "STRUCT(y DOUBLE)");
  EXPECT_EQ(TypeOf("feedback", "s", "outcome"), "STRUCT(late BOOLEAN)");
  std::string columns;
  for (const lake::Column& column : lake::TableColumns(*run_, "inference", "s_labelled"))
    columns += column.name + " ";
  EXPECT_EQ(columns,
            "inference_id client_request_id arrived_at answered_at status error service_version "
            "model_versions lake_snapshot principal input output feedback_id origin observed_at "
            "recorded_at annotator supersedes outcome ");
  EXPECT_EQ(Version("s"), 1);
}

TEST_F(DeclareServiceTest, AVersionIsADifferentText) {
  const std::string first = "CREATE SERVICE s (x INT) AS SELECT x AS y FROM request";
  Declare(first);
  Declare(first);
  EXPECT_EQ(Version("s"), 1);
  Declare("CREATE SERVICE s (x INT) AS SELECT x + 1 AS y FROM request");
  EXPECT_EQ(Version("s"), 2);
  Declare(first);
  EXPECT_EQ(Version("s"), 3);
  EXPECT_EQ(Bind(first).version, 3);
}

TEST_F(DeclareServiceTest, NewFieldsAreAddedAndOldOnesStay) {
  Declare("CREATE SERVICE s (x INT, gone INT) AS SELECT x AS y FROM request");
  Commit(
      "INSERT INTO lake.inference.s (inference_id, input, output) VALUES (uuid(), {'x': 1, 'gone': "
      "2}, {'y': 3})");
  Declare(
      "CREATE SERVICE s (x INT, \"new field\" VARCHAR) OPTIONS (outcome = 'label VARCHAR, cost "
      "DOUBLE') AS SELECT x AS y, x * 1.5 AS z FROM request");
  EXPECT_EQ(TypeOf("inference", "s", "input"),
            R"(STRUCT(x INTEGER, gone INTEGER, "new field" VARCHAR))");
  EXPECT_EQ(TypeOf("inference", "s_labelled", "output"), "STRUCT(y INTEGER, z DECIMAL(12,1))");
  EXPECT_EQ(TypeOf("feedback", "s", "outcome"), "STRUCT(label VARCHAR, cost DOUBLE)");
  EXPECT_EQ(run_->Scalar("SELECT input::VARCHAR FROM lake.inference.s").get<std::string>(),
            "{'x': 1, 'gone': 2, 'new field': NULL}");
}

TEST_F(DeclareServiceTest, AChangedTypeIsRefusedAndNothingChanges) {
  Declare("CREATE SERVICE s (x INT) AS SELECT x AS y FROM request");
  const Error error = ErrorOf([&] {
    Declare("CREATE SERVICE s (x INT, more INT) AS SELECT x::VARCHAR AS y FROM request");
  });
  EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
  EXPECT_FALSE(error.hint().empty());
  EXPECT_EQ(TypeOf("inference", "s", "input"), "STRUCT(x INTEGER)");
  EXPECT_EQ(Version("s"), 1);
}

}  // namespace
}  // namespace braid::serve
