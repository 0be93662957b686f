// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/error.h"
#include "engine/appender.h"
#include "engine/connection.h"
#include "engine/functions.h"
#include "engine/interrupt.h"
#include "engine/transaction.h"

namespace braid::engine {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  Database database{DatabaseOptions{
      .threads = 2, .memory_limit = "", .temp_directory = "", .with_extensions = false}};
  Connection connection{database};

  std::string Json(const std::string& expression) {
    return connection.Scalar("SELECT " + expression).dump();
  }
  ErrorCode CodeOf(const std::string& sql) {
    try {
      connection.Execute(sql);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  }
};

TEST_F(EngineTest, GivesEveryTypeAsJson) {
  EXPECT_EQ(Json("NULL"), "null");
  EXPECT_EQ(Json("true"), "true");
  EXPECT_EQ(Json("9007199254740993::BIGINT"), "9007199254740993");
  EXPECT_EQ(Json("18446744073709551615::UBIGINT"), "18446744073709551615");
  EXPECT_EQ(Json("(-170141183460469231731687303715884105728)::HUGEINT"),
            "\"-170141183460469231731687303715884105728\"");
  EXPECT_EQ(Json("-1.05::DECIMAL(4,2)"), "\"-1.05\"");
  EXPECT_EQ(Json("0.1::DOUBLE"), "0.1");
  EXPECT_EQ(Json("0.1::FLOAT"), "0.1");
  EXPECT_EQ(Json("'NaN'::DOUBLE"), "\"NaN\"");
  EXPECT_EQ(Json("DATE '2013-02-28'"), "\"2013-02-28\"");
  EXPECT_EQ(Json("TIMESTAMP '2013-02-28 01:02:03.5'"), "\"2013-02-28T01:02:03.5\"");
  EXPECT_EQ(Json("TIMESTAMPTZ '2013-02-28 01:02:03+01'"), "\"2013-02-28T00:02:03Z\"");
  EXPECT_EQ(Json("TIME '23:59:59'"), "\"23:59:59\"");
  EXPECT_EQ(Json("INTERVAL '1 year 2 days 3.5 seconds'"), "\"P1Y2DT3.5S\"");
  EXPECT_EQ(Json("'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID"),
            "\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"");
  EXPECT_EQ(Json("'\\x00a'::BLOB"), "\"AGE=\"");
  EXPECT_EQ(Json("'0101'::BIT"), "\"0101\"");
  EXPECT_EQ(Json("'b'::ENUM('a','b')"), "\"b\"");
  EXPECT_EQ(Json("[{'a': 1, 'b': NULL}, NULL]"), R"([{"a":1,"b":null},null])");
  EXPECT_EQ(Json("MAP {'k': 1}"), R"({"k":1})");
  EXPECT_EQ(Json("MAP {1: 'v'}"), R"([{"key":1,"value":"v"}])");
  EXPECT_EQ(Json("[1,2]::INTEGER[2]"), "[1,2]");
  EXPECT_EQ(Json("union_value(n := 5)"), "5");
}

TEST_F(EngineTest, NamesTypesAsSqlDoes) {
  const StatementInfo info = connection.DescribeStatement(
      "SELECT 1::INTEGER AS a, [{'x y': 1.5::DECIMAL(3,1)}] AS b, MAP {'k': now()} AS c");
  EXPECT_EQ(info.kind, StatementKind::kSelect);
  EXPECT_THAT(info.column_names, ::testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(info.column_types, ::testing::ElementsAre("INTEGER", "STRUCT(\"x y\" DECIMAL(3,1))[]",
                                                        "MAP(VARCHAR, TIMESTAMP WITH TIME ZONE)"));
}

TEST_F(EngineTest, ClassifiesStatements) {
  connection.Execute("CREATE TABLE t (a INTEGER)");
  EXPECT_EQ(connection.DescribeStatement("FROM t").kind, StatementKind::kSelect);
  EXPECT_EQ(connection.DescribeStatement("INSERT INTO t VALUES (1)").kind, StatementKind::kWrite);
  EXPECT_EQ(connection.DescribeStatement("SET threads = 1").kind, StatementKind::kSetting);
  EXPECT_EQ(connection.DescribeStatement("BEGIN").kind, StatementKind::kTransaction);
}

TEST_F(EngineTest, SaysWhereAStatementIsWrong) {
  try {
    connection.Execute("SELECT 1,\n  nme FROM range(3) t(name)");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBinder);
    ASSERT_TRUE(error.where().has_value());
    EXPECT_EQ(error.where()->line, 2);
    EXPECT_EQ(error.where()->column, 3);
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("name"));
    EXPECT_THAT(error.message(), ::testing::Not(::testing::HasSubstr("LINE")));
  }
}

// DuckDB's parser and its binder count differently; columns are characters.
// An interrupt that comes while nothing runs must reach the next statement.
TEST_F(EngineTest, StopsWhatRunsAfterTheStop) {
  std::stop_source stop;
  const auto endless = [&] { connection.Execute("SELECT count(*) FROM range(1000000000000)"); };
  {
    const InterruptOnStop interrupt(connection, stop.get_token());
    stop.request_stop();
    try {
      connection.Execute("SELECT 1");  // too short to notice, perhaps
      endless();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
    }
  }
  EXPECT_EQ(connection.Scalar("SELECT 42"), 42);  // no longer
}

// What a type's name says is a type again, whatever its fields are called.
TEST_F(EngineTest, NamesOfTypesAreTypes) {
  std::vector<std::string> words = {"plain", "two words", "1st", "quote\"d", "", "Ünicode"};
  for (const auto& row : connection.Rows("SELECT keyword_name FROM duckdb_keywords()"))
    words.push_back(row[0]);
  for (const std::string& word : words) {
    std::string quoted;
    for (const char c : word) quoted += c == '"' ? "\"\"" : std::string(1, c);
    if (word.empty()) continue;
    const auto type_of = [&](const std::string& type) {
      return connection.DescribeStatement("SELECT CAST(NULL AS " + type + ")").column_types.at(0);
    };
    const std::string type = type_of("STRUCT(\"" + quoted + "\" INTEGER[])");
    EXPECT_EQ(type_of(type), type) << word;
  }
}

TEST_F(EngineTest, ColumnsAreCharacters) {
  const std::pair<const char*, int> cases[] = {{"SELECT 'äö', FROM x WHERE )", 27},
                                               {"SELECT 'äö' AS \"é\",     nope", 25}};
  for (const auto& [statement, column] : cases) {
    try {
      connection.Execute(statement);
      FAIL() << statement;
    } catch (const Error& error) {
      ASSERT_TRUE(error.where().has_value());
      EXPECT_EQ(error.where()->column, column) << error.ToText();
    }
  }
}

TEST_F(EngineTest, MapsErrorsToCodes) {
  EXPECT_EQ(CodeOf("SELEC 1"), ErrorCode::kSyntax);
  EXPECT_EQ(CodeOf("SELECT * FROM nowhere"), ErrorCode::kTableNotFound);
  EXPECT_EQ(CodeOf("SELECT CAST('x' AS INTEGER)"), ErrorCode::kConversion);
  EXPECT_EQ(CodeOf("SELECT 1; SELECT 2"), ErrorCode::kSyntax);
  EXPECT_EQ(CodeOf("  -- nothing"), ErrorCode::kSyntax);
  EXPECT_EQ(CodeOf("COMMIT"), ErrorCode::kInvalidTransaction);
  EXPECT_EQ(CodeOf("SELECT * FROM read_csv('/no/such.csv')"), ErrorCode::kIo);
}

TEST_F(EngineTest, BindsParameters) {
  const Value values[] = {int64_t{2}, std::string("it's"), 0.5, true, std::monostate{}};
  const auto rows = connection.Rows("SELECT $1, $2, $3, $4, $5", values);
  EXPECT_EQ(nlohmann::ordered_json(rows).dump(), R"([[2,"it's",0.5,true,null]])");
}

TEST_F(EngineTest, RollsBackWhatIsNotCommitted) {
  connection.Execute("CREATE TABLE t (a INTEGER)");
  {
    Transaction transaction(connection);
    connection.Execute("INSERT INTO t VALUES (1)");
  }
  EXPECT_EQ(connection.Scalar("SELECT count(*) FROM t"), 0);
  Transaction transaction(connection);
  connection.Execute("INSERT INTO t VALUES (1)");
  transaction.Commit();
  EXPECT_EQ(connection.Scalar("SELECT count(*) FROM t"), 1);
}

TEST_F(EngineTest, InterruptStopsALongQuery) {
  std::jthread other([this](std::stop_token stop) {
    while (!stop.stop_requested()) {
      connection.Interrupt();
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(CodeOf("SELECT sum(a.range * b.range) FROM range(3000000) a, range(3000000) b"),
            ErrorCode::kInterrupted);
}

TEST_F(EngineTest, StreamsManyRows) {
  Result result =
      connection.Query("SELECT range::DOUBLE AS x, 'row ' || range AS t FROM range(300000)");
  double sum = 0;
  size_t texts = 0;
  while (auto chunk = result.Next()) {
    const Batch& batch = chunk->AsBatch();
    for (size_t row = 0; row < batch.rows; ++row) {
      sum += batch.columns[0].doubles()[row];
      texts += batch.columns[1].strings()[row].starts_with("row ") ? 1 : 0;
    }
  }
  EXPECT_EQ(sum, 299999.0 * 300000 / 2);
  EXPECT_EQ(texts, 300000U);
}

ScalarFunction Weighted() {
  ScalarFunction function{.name = "weighted",
                          .parameter_types = {"VARCHAR"},
                          .varargs_type = "ANY",
                          .return_type = "STRUCT(total DOUBLE, parts DOUBLE[])"};
  function.bind =
      [](std::span<const ScalarFunction::BoundArgument> arguments) -> std::shared_ptr<void> {
    if (!arguments[0].constant) throw Error(ErrorCode::kModelNotFound, "no name", "a hint");
    return std::make_shared<std::string>(*arguments[0].constant);
  };
  function.run = [](const std::shared_ptr<void>& bound, const Batch& arguments, VectorWriter out) {
    if (*static_cast<std::string*>(bound.get()) == "bad")
      throw Error(ErrorCode::kWrongType, "bad name", "another");
    VectorWriter total = out.Child(0);
    VectorWriter list = out.Child(1);
    const size_t parts = arguments.columns.size() - 1;
    VectorWriter values = list.ListChild(parts * arguments.rows);
    for (size_t row = 0; row < arguments.rows; ++row) {
      double sum = 0;
      for (size_t i = 0; i < parts; ++i) {
        const ColumnView& column = arguments.columns[i + 1];
        const double value = column.IsValid(row) ? column.doubles()[row] : -1;
        values.doubles()[row * parts + i] = value;
        sum += value;
      }
      total.doubles()[row] = sum;
      list.SetListEntry(row, row * parts, parts);
    }
  };
  return function;
}

TEST_F(EngineTest, CallsScalarFunctions) {
  Register(connection, Weighted());
  EXPECT_EQ(Json("weighted('m', 1::DOUBLE, NULL::DOUBLE)"), R"({"total":0.0,"parts":[1.0,-1.0]})");
  EXPECT_EQ(connection.Scalar("SELECT sum(weighted('m', range::DOUBLE).total) FROM range(5000)"),
            12497500.0);
  EXPECT_EQ(CodeOf("SELECT weighted('bad', 1::DOUBLE)"), ErrorCode::kWrongType);
  EXPECT_EQ(
      CodeOf("SELECT weighted(t.x, 1::DOUBLE) FROM (SELECT range::VARCHAR AS x FROM range(2)) t"),
      ErrorCode::kModelNotFound);
  EXPECT_EQ(CodeOf("SELECT weighted('m', (SELECT 1::DOUBLE))"), ErrorCode::kNotSupported);
}

struct SumState final : AggregateFunction::State {
  double sum = 0;
  void Add(const Batch& rows) override {
    for (size_t i = 0; i < rows.rows; ++i)
      if (rows.columns[0].IsValid(i)) sum += rows.columns[0].doubles()[i];
  }
  void Merge(State& other) override { sum += static_cast<SumState&>(other).sum; }
  std::string Finish() override { return std::to_string(sum); }
};

TEST_F(EngineTest, CallsAggregates) {
  Register(connection,
           AggregateFunction{"text_sum", 1, [] { return std::make_unique<SumState>(); }});
  EXPECT_EQ(connection.Scalar("SELECT decode(text_sum(range::DOUBLE)) FROM range(200000)"),
            "19999900000.000000");
  EXPECT_EQ(
      connection.Scalar(
          "SELECT string_agg(s, ' ' ORDER BY s) FROM (SELECT decode(text_sum(range::DOUBLE)) s "
          "FROM range(5000) GROUP BY range % 2)"),
      "6247500.000000 6250000.000000");
  EXPECT_EQ(connection.Scalar("SELECT text_sum(range::DOUBLE) FROM range(0)"), nullptr);
}

TEST_F(EngineTest, CallsTableFunctions) {
  TableFunction function{.name = "numbers",
                         .parameter_types = {"BIGINT"},
                         .columns = {{"i", "BIGINT"}, {"t", "VARCHAR"}}};
  function.open = [](std::span<const std::string> arguments) -> TableFunction::Producer {
    const int64_t end = std::stoll(arguments[0]);
    if (end < 0) throw Error(ErrorCode::kInvalidOption, "negative");
    return [end, at = int64_t{0}](std::span<VectorWriter> columns, size_t capacity) mutable {
      size_t rows = 0;
      for (; rows < capacity && at < end; ++rows, ++at) {
        columns[0].integers()[rows] = at;
        if (at % 2 == 0)
          columns[1].SetNull(rows);
        else
          columns[1].SetString(rows, "a text longer than twelve bytes");
      }
      return rows;
    };
  };
  Register(connection, std::move(function));
  EXPECT_EQ(connection.Rows("SELECT count(*), sum(i), count(t) FROM numbers(5000)")[0][2], 2500);
  EXPECT_EQ(CodeOf("FROM numbers(-1)"), ErrorCode::kInvalidOption);
}

TEST_F(EngineTest, AppendsRows) {
  connection.Execute("CREATE TABLE t (a BIGINT, b DOUBLE, c TIMESTAMPTZ, d VARCHAR)");
  Appender appender(connection, "memory", "main", "t");
  appender.Int(1).Double(0.5).Text("2013-01-01 00:00:00+00").Null().EndRow();
  appender.Close();
  EXPECT_EQ(nlohmann::ordered_json(connection.Rows("FROM t")).dump(),
            R"([[1,0.5,"2013-01-01T00:00:00Z",null]])");
}

TEST(DatabaseTest, SpillsBelowItsMemoryLimit) {
  const auto folder = std::filesystem::temp_directory_path() / "braid_engine_spill";
  Database database(DatabaseOptions{
      .threads = 1, .memory_limit = "100MB", .temp_directory = folder, .with_extensions = false});
  Connection connection(database);
  EXPECT_EQ(
      connection.Scalar("SELECT count(*) FROM (SELECT DISTINCT hash(range) FROM range(4000000))"),
      4000000);
  std::filesystem::remove_all(folder);
}

TEST(DatabaseTest, LoadsTheLakesExtensions) {
  Database database(DatabaseOptions{});
  Connection connection(database);
  EXPECT_EQ(connection.Scalar("SELECT count(*) FROM duckdb_extensions() WHERE loaded AND "
                              "extension_name IN ('ducklake', 'sqlite_scanner')"),
            2);
}

TEST(DatabaseTest, RefusesAWrongMemoryLimit) {
  EXPECT_THROW(
      Database(DatabaseOptions{
          .threads = 0, .memory_limit = "much%", .temp_directory = "", .with_extensions = false}),
      Error);
}

}  // namespace
}  // namespace braid::engine
