// SPDX-License-Identifier: Apache-2.0
#include "serve/service_runtime.h"

#include <fmt/ranges.h>

#include <atomic>
#include <cmath>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "serve/service_fixture.h"

namespace braid::serve {
namespace {

using Json = nlohmann::ordered_json;

class ServiceRuntimeTest : public ServiceTest {
 protected:
  ~ServiceRuntimeTest() override { runtime_.reset(); }

  void Start(RuntimeOptions options = {.threads = 2}) {
    runtime_ = std::make_unique<ServiceRuntime>(workspace(), *log_, options);
    runtime_->Start();
  }

  Answer Ask(const std::string& service, const std::string& body, const std::string& id = "") {
    std::promise<Answer> promise;
    runtime_->Call(service, body, id, [&](Answer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }
  Json Rows(const std::string& service, const std::string& body) {
    const Answer answer = Ask(service, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Json::parse(answer.body).at("rows");
  }
  std::pair<int, std::string> Code(const Answer& answer) {
    return {answer.status, Json::parse(answer.body).at("error").at("code").get<std::string>()};
  }
  Answer Tell(const std::string& body) {
    std::promise<Answer> promise;
    runtime_->Feedback(body, [&](Answer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }
  std::vector<capture::StoredEntry> Captured(
      capture::EntryKind kind = capture::EntryKind::kInference) {
    std::vector<capture::StoredEntry> entries;
    log_->Read(0, capture::Log::kNewest, kind, std::nullopt,
               [&](const capture::StoredEntry& entry) { entries.push_back(entry); });
    return entries;
  }
  capture::Account AccountOf(const std::string& service) {
    log_->Flush();
    for (const capture::Account& account : log_->Accounts())
      if (account.service == service) return account;
    return {};
  }
  void DeclareLookup(const std::string& options = "") {
    Commit(
        "CREATE TABLE gold.routes AS SELECT 'r' || range AS route, range * 1.5::DOUBLE AS d FROM "
        "range(50)");
    Declare("CREATE SERVICE price (route VARCHAR, n BIGINT) " + options +
            " AS SELECT r.d * request.n AS price FROM request LEFT JOIN gold.routes r ON r.route = "
            "request.route");
  }

  std::unique_ptr<ServiceRuntime> runtime_;
};

TEST_F(ServiceRuntimeTest, AnswersARowAndCapturesIt) {
  DeclareLookup();
  Start();
  const Answer answer = Ask("Price", R"({"route":"r4","n":2})", "order-7");
  EXPECT_EQ(answer.status, 200);
  const Json row = Json::parse(answer.body).at("rows").at(0);
  EXPECT_EQ(row.at("price"), 12.0);
  const auto entries = Captured();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].id, row.at("inference_id").get<std::string>());
  EXPECT_EQ(entries[0].client_request_id, "order-7");
  EXPECT_EQ(entries[0].service, "price");
  const Json payload = Json::parse(entries[0].payload);
  EXPECT_EQ(payload.at("status"), "ok");
  EXPECT_EQ(payload.at("input").dump(), R"({"route":"r4","n":2})");
  EXPECT_EQ(payload.at("output").dump(), R"({"price":12.0})");
  EXPECT_EQ(payload.at("service_version"), 1);
  EXPECT_EQ(payload.at("lake_snapshot"), lake_->CurrentSnapshot());
  EXPECT_LE(payload.at("arrived_at"), payload.at("answered_at"));
  const capture::Account account = AccountOf("price");
  EXPECT_EQ(account.served, 1);
  EXPECT_EQ(account.captured, 1);
}

TEST_F(ServiceRuntimeTest, AnswersWithAModel) {
  TrainLate();
  Declare(
      "CREATE SERVICE delay (dep_delay DOUBLE, carrier VARCHAR) AS SELECT predicted_late, "
      "predicted_late_probs, carrier FROM ML.PREDICT(MODEL late, TABLE request)");
  Start();
  const Json row = Rows("delay", R"({"dep_delay":8,"carrier":"UA"})").at(0);
  EXPECT_EQ(row.at("predicted_late"), true);
  EXPECT_EQ(row.at("carrier"), "UA");
  EXPECT_NEAR(row.at("predicted_late_probs").at(0).at("prob").get<double>(), 1 / (1 + std::exp(-1)),
              1e-12);
  EXPECT_EQ(Json::parse(Captured()[0].payload).at("model_versions").dump(), R"({"late":1})");
  // A new champion answers after the next refresh.
  TrainLate();
  runtime_->Refresh();
  EXPECT_EQ(Rows("delay", R"({"dep_delay":8})").at(0).at("predicted_late_probs").at(0).at("prob"),
            0.5);
  EXPECT_EQ(Json::parse(Captured()[1].payload).at("model_versions").dump(), R"({"late":2})");
}

TEST_F(ServiceRuntimeTest, AServiceWithoutItsModelSaysSo) {
  catalog::State state;
  state.Put(Declaration(
      "CREATE SERVICE s (x INT) AS SELECT * FROM ML.PREDICT(MODEL late, TABLE request)"));
  catalog_.Publish(std::move(state));
  Start();
  EXPECT_EQ(Code(Ask("s", "{}")), std::pair(503, std::string("MODEL_NOT_FOUND")));
  ASSERT_EQ(runtime_->Unavailable().size(), 1U);
  EXPECT_EQ(runtime_->Unavailable()[0].first, "s");
  EXPECT_TRUE(runtime_->Services().empty());
  EXPECT_TRUE(Captured().empty());
}

TEST_F(ServiceRuntimeTest, AFailingRowFailsAlone) {
  Declare(
      "CREATE SERVICE s (x BIGINT) AS SELECT 10 // x AS y, CAST(chr(x::INT) AS BIGINT) AS z FROM "
      "request");
  Start();
  const Json rows = Rows("s", R"({"rows":[{"x":50},{"x":65},{"x":"wrong"},{"y":1},5,{"x":51}]})");
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[0].at("z"), 2);
  EXPECT_EQ(rows[1].at("error").at("code"), "CONVERSION");
  EXPECT_EQ(rows[2].at("error").at("code"), "WRONG_TYPE");
  EXPECT_EQ(rows[3].at("error").at("code"), "MALFORMED_REQUEST");
  EXPECT_EQ(rows[4].at("error").at("code"), "MALFORMED_REQUEST");
  EXPECT_EQ(rows[5].at("z"), 3);
  const auto entries = Captured();
  ASSERT_EQ(entries.size(), 6U);
  std::vector<std::string> inputs;
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].id, rows[i].at("inference_id").get<std::string>());
    const Json payload = Json::parse(entries[i].payload);
    EXPECT_EQ(payload.at("status"), rows[i].contains("error") ? "error" : "ok");
    EXPECT_EQ(payload.at("output").is_null(), rows[i].contains("error"));
    inputs.push_back(payload.at("input").dump());
  }
  EXPECT_EQ(inputs, (std::vector<std::string>{R"({"x":50})", R"({"x":65})", R"({"x":"wrong"})",
                                              R"({"y":1})", "null", R"({"x":51})"}));
  EXPECT_EQ(AccountOf("s").captured, 6);
}

TEST_F(ServiceRuntimeTest, ExactlyOneRowIsAnAnswer) {
  Commit("CREATE TABLE gold.t AS SELECT unnest([1, 2, 2])::BIGINT AS k");
  Declare("CREATE SERVICE s (k BIGINT) AS SELECT t.k AS found FROM request JOIN gold.t USING (k)");
  Start();
  const Json rows = Rows("s", R"({"rows":[{"k":1},{"k":2},{"k":3},{"k":null}]})");
  EXPECT_EQ(rows[0].at("found"), 1);
  for (size_t i = 1; i < 4; ++i)
    EXPECT_EQ(rows[i].at("error").at("code"), "SERVICE_ROW_COUNT") << i;
}

TEST_F(ServiceRuntimeTest, EachRowIsAskedOnItsOwn) {
  Declare(
      "CREATE SERVICE s (x BIGINT) AS WITH r AS (FROM request) SELECT count(*) AS n, max(x) AS top "
      "FROM r -- end");
  Start();
  const Json rows = Rows("s", R"({"rows":[{"x":1},{"x":2}]})");
  EXPECT_EQ(rows[0].at("n"), 1);
  EXPECT_EQ(rows[1].at("top"), 2);
}

// A request of many rows asks for them together where it can; what each gets alone is what it must
// get among others, to the bit.
TEST_F(ServiceRuntimeTest, ManyRowsAreAnsweredAsEachAlone) {
  Commit("CREATE TABLE gold.t AS SELECT range AS k, sin(range) AS v FROM range(400)");
  Commit("INSERT INTO gold.t VALUES (7, 0.5)");  // one key twice
  TrainLate();
  Declare(
      "CREATE SERVICE s (k BIGINT, f FLOAT, d DECIMAL(9, 3), n VARCHAR) AS SELECT p.*, CAST(n AS "
      "BIGINT) AS number FROM ML.PREDICT(MODEL late, (SELECT request.*, v, v * f + coalesce(d, 0) "
      "AS dep_delay FROM request JOIN gold.t USING (k))) AS p");
  Start();
  std::vector<std::string> requests;
  for (int i = 0; i < 1500; ++i)
    requests.push_back(fmt::format(R"({{"k":{},"f":{},"d":{},"n":{}}})", i % 450, i * 0.37,
                                   i % 3 == 0 ? "null" : "12.345", i % 5 == 0 ? "null" : "\"17\""));
  // One row without a number makes its whole batch fail: the second.
  requests[1200] = R"({"k":1,"f":1,"d":1,"n":"seventeen"})";
  const Json together = Rows("s", fmt::format(R"({{"rows":[{}]}})", fmt::join(requests, ",")));
  ASSERT_EQ(together.size(), requests.size());
  size_t failed = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    Json alone = Json::parse(Ask("s", requests[i]).body).at("rows").at(0);
    Json among = together[i];
    alone.erase("inference_id");
    among.erase("inference_id");
    ASSERT_EQ(alone.dump(), among.dump()) << requests[i];
    failed += alone.contains("error") ? 1 : 0;
  }
  // Keys from 400 are unknown (150 rows), key 7 comes twice (4 rows), and the one above.
  EXPECT_EQ(failed, 155U);
  EXPECT_EQ(together[1200].at("error").at("code"), "CONVERSION");
}

TEST_F(ServiceRuntimeTest, AMalformedBodyIsAnsweredAndCaptured) {
  DeclareLookup();
  Start();
  EXPECT_EQ(Code(Ask("price", "{\"route\":", "r-1")),
            std::pair(400, std::string("MALFORMED_REQUEST")));
  const auto entries = Captured();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].client_request_id, "r-1");
  const Json payload = Json::parse(entries[0].payload);
  EXPECT_EQ(payload.at("status"), "error");
  EXPECT_EQ(payload.at("input"), nullptr);
  EXPECT_TRUE(payload.at("error").get<std::string>().starts_with("MALFORMED_REQUEST: "));
}

TEST_F(ServiceRuntimeTest, AnUnknownServiceIsNotCaptured) {
  DeclareLookup();
  Start();
  const Answer answer = Ask("prise", "{}");
  EXPECT_EQ(Code(answer), std::pair(404, std::string("SERVICE_NOT_FOUND")));
  EXPECT_NE(answer.body.find("did you mean price?"), std::string::npos);
  EXPECT_TRUE(Captured().empty());
}

TEST_F(ServiceRuntimeTest, EveryTypeGoesThrough) {
  Declare(
      "CREATE SERVICE s (b BOOLEAN, i TINYINT, u UBIGINT, f FLOAT, d DOUBLE, m DECIMAL(38,2), t "
      "VARCHAR, "
      "day DATE, at TIMESTAMP, atz TIMESTAMPTZ, tm TIME, id UUID, bytes BLOB, l BIGINT[], st "
      "STRUCT(a "
      "BIGINT, b VARCHAR), mp MAP(VARCHAR, DOUBLE), j JSON) AS SELECT * FROM request");
  Start();
  const std::string body =
      R"({"b":true,"i":-7,"u":18446744073709551615,"f":0.1,"d":"NaN","m":"123456789012345678901234567890.12",)"
      R"("t":"it's \"ü\" \\ 😀","day":"2024-02-29","at":"2024-02-29 12:30","atz":"2024-02-29T12:30+01:00",)"
      R"("tm":"12:30","id":"0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b","bytes":"AP8nXA==","l":[1,null],)"
      R"("st":{"a":1,"b":"it's"},"mp":{"k":1.5},"j":{"x":[1,null]}})";
  const Json row = Rows("s", body).at(0);
  ASSERT_FALSE(row.contains("error")) << row.dump();
  const std::string values =
      R"("b":true,"i":-7,"u":18446744073709551615,"f":0.1,"d":"NaN","m":"123456789012345678901234567890.12",)"
      R"("t":"it's \"ü\" \\ 😀","day":"2024-02-29","at":"2024-02-29T12:30:00","atz":"2024-02-29T11:30:00Z",)"
      R"("tm":"12:30:00","id":"0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b","bytes":"AP8nXA==","l":[1,null],)"
      R"("st":{"a":1,"b":"it's"},"mp":{"k":1.5},"j":"{\"x\":[1,null]}"})";
  EXPECT_EQ(row.dump().substr(row.dump().find("\"b\":")), values);
  const Json empty = Rows("s", "{}").at(0);
  for (const auto& [name, value] : empty.items())
    EXPECT_TRUE(name == "inference_id" || value.is_null()) << name;
}

TEST_F(ServiceRuntimeTest, WithoutCaptureOnlyTheAccountKnows) {
  DeclareLookup("OPTIONS (capture = 'off')");
  Start();
  EXPECT_EQ(Rows("price", R"({"rows":[{"route":"r1","n":1},{"route":"r2","n":1}]})").size(), 2U);
  EXPECT_TRUE(Captured().empty());
  runtime_->Stop(std::chrono::seconds(5));
  EXPECT_EQ(AccountOf("price").served, 2);
  EXPECT_EQ(AccountOf("price").captured, 0);
}

TEST_F(ServiceRuntimeTest, AsyncCaptureFollowsTheAnswer) {
  DeclareLookup("OPTIONS (capture = 'async')");
  Start();
  EXPECT_EQ(Rows("price", R"({"rows":[{"route":"r1","n":1},{"route":"r2","n":1}]})").size(), 2U);
  EXPECT_EQ(Rows("price", R"({"route":"r1","n":1})").size(), 1U);
  log_->Flush();
  EXPECT_EQ(Captured().size(), 3U);
  EXPECT_EQ(AccountOf("price").served, 3);
  EXPECT_EQ(AccountOf("price").captured, 3);
  // What a crash at this moment would leave: of 1,024 rows that were reserved three are known.
  const std::filesystem::path crashed = folder_ / "crashed.sqlite";
  for (const char* part : {"", "-wal"})
    std::filesystem::copy_file(folder_ / (std::string("capture.sqlite") + part),
                               crashed.string() + part);
  {
    const capture::Log recovered(crashed, clock_);
    EXPECT_EQ(recovered.Accounts().at(0).served, 3);
    EXPECT_EQ(recovered.Accounts().at(0).unknown, 1021);
  }
  runtime_->Stop(std::chrono::seconds(5));
  EXPECT_EQ(AccountOf("price").unknown, 0);
  log_->Close();
  EXPECT_EQ(capture::Log(folder_ / "capture.sqlite", clock_).Accounts().at(0).unknown, 0);
}

TEST_F(ServiceRuntimeTest, AsyncCaptureThatFailsIsCountedAsShed) {
  DeclareLookup("OPTIONS (capture = 'async')");
  Start();
  log_->Close();
  EXPECT_EQ(Ask("price", R"({"route":"r1","n":1})").status, 200);
}

TEST_F(ServiceRuntimeTest, AnAnswerMeansThatItsRowsAreInTheLog) {
  DeclareLookup();
  Start();
  std::atomic<int> missing = 0;
  std::vector<std::promise<void>> answered(50);
  for (auto& done : answered)
    runtime_->Call("price", R"({"route":"r1","n":1})", "", [&](const Answer& answer) {
      const std::string id = Json::parse(answer.body).at("rows").at(0).at("inference_id");
      if (!log_->Has("price", id)) ++missing;
      done.set_value();
    });
  for (auto& done : answered) done.get_future().get();
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(Captured().size(), 50U);
}

TEST_F(ServiceRuntimeTest, WhatCannotBeCapturedIsNoSuccess) {
  DeclareLookup();
  Start();
  log_->Close();
  EXPECT_EQ(Code(Ask("price", R"({"route":"r1","n":1})")),
            std::pair(503, std::string("OVERLOADED")));
}

TEST_F(ServiceRuntimeTest, ManyThreadsAskAtOnce) {
  DeclareLookup();
  Start();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const Json rows = Rows("price", fmt::format(R"({{"route":"r{}","n":{}}})", i, t));
        if (rows.at(0).at("price") != i * 1.5 * t) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  std::set<std::string> ids;
  for (const auto& entry : Captured()) ids.insert(entry.id);
  EXPECT_EQ(ids.size(), 400U);
  EXPECT_EQ(AccountOf("price").served, 400);
  EXPECT_EQ(AccountOf("price").captured, 400);
}

// Requests that wait together are asked together; each gets its own answer, and its own rows in the
// log.
TEST_F(ServiceRuntimeTest, WhoWaitsTogetherIsAnsweredApart) {
  DeclareLookup();
  Start({.threads = 1});
  constexpr int kRequests = 400;
  std::vector<std::promise<Answer>> answers(kRequests);
  for (int i = 0; i < kRequests; ++i) {
    const std::string row = fmt::format(R"({{"route":"r{}","n":{}}})", i % 50, i);
    const std::string body = i % 7 == 1   ? "{no json"
                             : i % 7 == 2 ? R"({"route":5,"n":1})"
                             : i % 7 == 3 ? fmt::format(R"({{"rows":[{0},{0}]}})", row)
                                          : row;
    runtime_->Call("price", body, fmt::format("client-{}", i), [&answers, i](Answer answer) {
      answers[static_cast<size_t>(i)].set_value(answer);
    });
  }
  for (int i = 0; i < kRequests; ++i) {
    const Answer answer = answers[static_cast<size_t>(i)].get_future().get();
    if (i % 7 == 1) {
      EXPECT_EQ(Code(answer), std::pair(400, std::string("MALFORMED_REQUEST")));
      continue;
    }
    const Json rows = Json::parse(answer.body).at("rows");
    ASSERT_EQ(rows.size(), i % 7 == 3 ? 2U : 1U);
    for (const Json& row : rows) {
      if (i % 7 == 2) {
        EXPECT_EQ(row.at("error").at("code"), "WRONG_TYPE");
      } else {
        EXPECT_EQ(row.at("price"), i % 50 * 1.5 * i);
      }
    }
  }
  std::map<std::string, int> rows_of;
  for (const auto& entry : Captured()) ++rows_of[entry.client_request_id];
  for (int i = 0; i < kRequests; ++i)
    EXPECT_EQ(rows_of[fmt::format("client-{}", i)], i % 7 == 3 ? 2 : 1) << i;
  EXPECT_EQ(AccountOf("price").captured, kRequests + kRequests / 7);
}

// While the table changes, each answer is that of the snapshot that its capture names.
TEST_F(ServiceRuntimeTest, ARefreshDropsNoRequestAndMixesNoSnapshots) {
  Commit("CREATE TABLE gold.a AS SELECT 0::BIGINT AS v");
  Commit("CREATE TABLE gold.b AS SELECT 0::BIGINT AS v");
  Declare(
      "CREATE SERVICE s (x BIGINT) AS SELECT a.v AS a, b.v AS b FROM request, gold.a AS a, gold.b "
      "AS b");
  Start();
  std::map<int64_t, int64_t> value_at = {{lake_->CurrentSnapshot(), 0}};
  std::atomic<bool> done = false;
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      while (!done) {
        const Answer answer = Ask("s", R"({"x":1})");
        if (answer.status != 200 || answer.body.find("error") != std::string::npos) ++failed;
      }
    });
  for (int64_t i = 1; i <= 8; ++i) {
    {
      lake::WriteTransaction transaction(*lake_, *run_, "a test");
      run_->Execute(fmt::format("UPDATE gold.a SET v = {}", i));
      run_->Execute(fmt::format("UPDATE gold.b SET v = {}", i));
      value_at[transaction.Commit("a test", "a test", "{}")] = i;
    }
    runtime_->Refresh();
    EXPECT_EQ(Rows("s", R"({"x":1})").at(0).at("a"), i);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  for (const auto& entry : Captured()) {
    const Json payload = Json::parse(entry.payload);
    const int64_t expected = value_at.at(payload.at("lake_snapshot").get<int64_t>());
    EXPECT_EQ(payload.at("output").dump(), fmt::format(R"({{"a":{0},"b":{0}}})", expected));
  }
}

TEST_F(ServiceRuntimeTest, ASnapshotThatChangesNoHeldTableIsCapturedToo) {
  DeclareLookup();
  Start();
  Commit("CREATE TABLE gold.other AS SELECT 1 AS x");
  runtime_->Refresh();
  EXPECT_EQ(Rows("price", R"({"route":"r2","n":1})").at(0).at("price"), 3.0);
  EXPECT_EQ(Json::parse(Captured()[0].payload).at("lake_snapshot"), lake_->CurrentSnapshot());
}

TEST_F(ServiceRuntimeTest, ReadsLiveTablesAndLargeOnesFromTheLake) {
  Declare("CREATE SERVICE first (x BIGINT) AS SELECT x AS y FROM request");
  lake_->PublishView("inference", "first", "SELECT * FROM lake.inference.\"first\"");
  Declare(
      "CREATE SERVICE history (x BIGINT) AS SELECT count(*) AS n FROM request, inference.\"first\" "
      "AS f "
      "WHERE f.input.x = request.x GROUP BY ALL");
  Declare(
      "CREATE SERVICE counted (x BIGINT) AS SELECT (SELECT count(*) FROM inference.\"first\") AS n "
      "FROM request");
  DeclareLookup();
  Start({.threads = 1, .max_held_rows = 10});
  EXPECT_EQ(Rows("counted", R"({"x":1})").at(0).at("n"), 0);
  Commit("INSERT INTO lake.inference.\"first\" (inference_id, input) VALUES (uuid(), {'x': 7})");
  // Without a refresh: live.
  EXPECT_EQ(Rows("counted", R"({"x":1})").at(0).at("n"), 1);
  EXPECT_EQ(Rows("history", R"({"x":7})").at(0).at("n"), 1);
  EXPECT_EQ(Rows("price", R"({"route":"r4","n":2})").at(0).at("price"), 12.0);
}

TEST_F(ServiceRuntimeTest, FeedbackIsDurableAndCountsUnknown) {
  Declare(
      "CREATE SERVICE s (x BIGINT) OPTIONS (outcome = 'late BOOLEAN, at TIMESTAMP') AS SELECT x AS "
      "y FROM request");
  Commit(
      "INSERT INTO lake.inference.s (inference_id, client_request_id) VALUES "
      "('0190b5a0-7c6e-7d3e-9b1a-2f4c6d8e0a1b', 'moved')");
  Start();
  const Answer asked = Ask("s", R"({"x":1})", "in-log");
  const std::string id = Json::parse(asked.body).at("rows").at(0).at("inference_id");
  const Answer answer = Tell(fmt::format(
      R"({{"service":"S","rows":[{{"inference_id":"{}","outcome":{{"late":true,"at":"2024-01-01 12:30"}},"origin":"human","annotator":"ann","observed_at":"2024-01-01T12:30Z"}},)"
      R"({{"inference_id":"0190B5A0-7C6E-7D3E-9B1A-2F4C6D8E0A1B","outcome":{{"late":null}}}},)"
      R"({{"client_request_id":"in-log","outcome":{{}}}},{{"client_request_id":"moved","outcome":{{}}}},)"
      R"({{"client_request_id":"it's \"no\"","outcome":{{}}}},)"
      R"({{"inference_id":"0190b5a0-7c6e-7d3e-9b1a-000000000000","outcome":{{}}}}]}})",
      id));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"accepted":6,"unknown":2})");
  const auto entries = Captured(capture::EntryKind::kFeedback);
  ASSERT_EQ(entries.size(), 6U);
  EXPECT_EQ(Json::parse(entries[0].payload).dump(),
            fmt::format(R"({{"inference_id":"{}","client_request_id":null,"origin":"human",)"
                        R"("observed_at":"2024-01-01T12:30:00Z","annotator":"ann",)"
                        R"("outcome":{{"late":true,"at":"2024-01-01T12:30:00"}}}})",
                        id));
  EXPECT_EQ(entries[2].client_request_id, "in-log");
  EXPECT_EQ(AccountOf("s").unknown, 0);
}

TEST_F(ServiceRuntimeTest, WrongFeedbackIsRefusedWhole) {
  Declare(
      "CREATE SERVICE s (x BIGINT) OPTIONS (outcome = 'late BOOLEAN') AS SELECT x AS y FROM "
      "request");
  Start();
  const auto tell = [this](const std::string& service, const std::string& outcome) {
    return Tell(fmt::format(
        R"({{"service":"{}","rows":[{{"client_request_id":"a","outcome":{{"late":true}}}},{{"client_request_id":"a","outcome":{}}}]}})",
        service, outcome));
  };
  const Answer wrong = tell("s", R"({"late":"yes"})");
  EXPECT_EQ(Code(wrong), std::pair(422, std::string("WRONG_TYPE")));
  EXPECT_NE(wrong.body.find("row 1"), std::string::npos);
  const Answer unknown = tell("s", R"({"lat":true})");
  EXPECT_EQ(Code(unknown), std::pair(422, std::string("WRONG_TYPE")));
  EXPECT_NE(unknown.body.find("did you mean late?"), std::string::npos);
  EXPECT_EQ(Code(tell("t", "{}")), std::pair(404, std::string("SERVICE_NOT_FOUND")));
  EXPECT_EQ(Code(Tell("{")), std::pair(400, std::string("MALFORMED_REQUEST")));
  EXPECT_TRUE(Captured(capture::EntryKind::kFeedback).empty());
}

TEST_F(ServiceRuntimeTest, AFullQueueRefuses) {
  DeclareLookup();
  Start({.threads = 1, .max_queued_requests = 0});
  EXPECT_EQ(Code(Ask("price", R"({"route":"r1","n":1})")),
            std::pair(503, std::string("OVERLOADED")));
  runtime_->Stop(std::chrono::milliseconds(0));
  EXPECT_EQ(AccountOf("price").served, 1);
  EXPECT_EQ(AccountOf("price").shed, 1);
}

TEST_F(ServiceRuntimeTest, StopFinishesWhatWasTaken) {
  DeclareLookup();
  Start({.threads = 1});
  EXPECT_TRUE(runtime_->ready());
  std::atomic<int> ok = 0;
  for (int i = 0; i < 100; ++i)
    runtime_->Call("price", R"({"route":"r1","n":1})", "",
                   [&](const Answer& answer) { ok += answer.status == 200 ? 1 : 0; });
  runtime_->Stop(std::chrono::seconds(30));
  EXPECT_EQ(ok, 100);
  EXPECT_FALSE(runtime_->ready());
  EXPECT_EQ(Code(Ask("price", R"({"route":"r1","n":1})")),
            std::pair(503, std::string("OVERLOADED")));
}

TEST_F(ServiceRuntimeTest, StopAtOnceAnswersEveryRequest) {
  DeclareLookup();
  Start({.threads = 1});
  std::atomic<int> answered = 0;
  for (int i = 0; i < 100; ++i)
    runtime_->Call("price", R"({"route":"r1","n":1})", "", [&](const Answer& answer) {
      if (answer.status == 200 || answer.status == 503) ++answered;
    });
  runtime_->Stop(std::chrono::milliseconds(0));
  EXPECT_EQ(answered, 100);
}

}  // namespace
}  // namespace braid::serve
