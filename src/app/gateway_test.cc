// SPDX-License-Identifier: Apache-2.0
#include "app/gateway.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace braid::app {
namespace {

using Json = nlohmann::json;

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() {
    router_.Add("GET", "/now",
                [](http::Request, const http::PathParameters&, const http::Respond& respond) {
                  respond({.body = "{}"});
                });
    router_.Add("GET", "/healthz",
                [](http::Request, const http::PathParameters&, const http::Respond& respond) {
                  respond({.body = "{}"});
                });
    router_.Add("GET", "/later",
                [this](http::Request, const http::PathParameters&, http::Respond respond) {
                  later_ = std::move(respond);
                });
    router_.Add("GET", "/v2/bad",
                [](http::Request, const http::PathParameters&, const http::Respond&) {
                  throw Error(ErrorCode::kMalformedRequest, "it is bad", "do better");
                });
  }

  http::Response Get(const std::string& path, http::Request::Map headers = {}) {
    // Shared, since an answer may come when nobody waits for it any more.
    const auto answer = std::make_shared<std::optional<http::Response>>();
    http::Request request{.method = "GET",
                          .path = path,
                          .query = "",
                          .query_parameters = {},
                          .headers = std::move(headers),
                          .body = "",
                          .remote_address = ""};
    gateway_.Handle(std::move(request),
                    [answer](http::Response response) { *answer = std::move(response); });
    return answer->value_or(http::Response{.status = 0, .headers = {}, .body = ""});
  }

  SystemClock clock_;
  http::Router router_;
  http::Respond later_;
  Gateway gateway_{router_, clock_, nullptr};
};

TEST_F(GatewayTest, GivesEachRequestAnId) {
  EXPECT_EQ(Get("/now", {{"x-request-id", "mine-1"}}).Header("X-Request-Id"), "mine-1");
  const http::Response first = Get("/now");
  EXPECT_EQ(first.Header("X-Request-Id").size(), 36U);
  EXPECT_NE(first.Header("X-Request-Id"), Get("/now").Header("X-Request-Id"));
  // One that could not stand in a header, and one that fills logs.
  EXPECT_EQ(Get("/now", {{"x-request-id", "a b"}}).Header("X-Request-Id").size(), 36U);
  EXPECT_EQ(Get("/now", {{"x-request-id", std::string(129, 'x')}}).Header("X-Request-Id").size(),
            36U);
}

TEST_F(GatewayTest, EchoesTraceContextThatIsValid) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(Get("/now", {{"traceparent", good}}).Header("traceparent"), good);
  EXPECT_EQ(TraceIdOf(good), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_TRUE(TraceIdOf("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"));
  for (const char* bad : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"})
    EXPECT_FALSE(TraceIdOf(bad)) << bad;
}

TEST_F(GatewayTest, ErrorsOfTheProtocolAreText) {
  const http::Response thrown = Get("/v2/bad");
  EXPECT_EQ(thrown.status, 400);
  EXPECT_EQ(thrown.body, R"({"error":"it is bad; do better"})");
  EXPECT_TRUE(Json::parse(Get("/v2/nothing").body).at("error").is_string());
  EXPECT_TRUE(Json::parse(Get("/nothing").body).at("error").is_object());
}

TEST_F(GatewayTest, DrainsWhatIsInFlightAndRefusesTheRest) {
  Get("/later");
  EXPECT_EQ(gateway_.counts().in_flight, 1U);
  EXPECT_FALSE(Get("/now").close);
  gateway_.Drain();
  EXPECT_EQ(Get("/now").status, 503);
  EXPECT_TRUE(Get("/now").close);
  EXPECT_FALSE(Get("/now").Header("Retry-After").empty());
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/v2/health/ready").body, R"({"live":true,"ready":false})");
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_TRUE(Json::parse(Get("/v2/models/m").body).at("error").is_string());
  EXPECT_FALSE(gateway_.WaitIdle(std::chrono::milliseconds(1)));
  later_({.body = "{}"});
  EXPECT_TRUE(gateway_.WaitIdle(std::chrono::milliseconds(1)));
}

TEST_F(GatewayTest, CountsAnswersAndThoseThatNeverCame) {
  Get("/now");
  Get("/now");
  Get("/nothing");
  Get("/later");
  later_ = nullptr;  // dropped: the server answers 500
  const HttpCounts counts = gateway_.counts();
  EXPECT_EQ(counts.in_flight, 0U);
  EXPECT_EQ(counts.answers.at({"GET", 200}), 2);
  EXPECT_EQ(counts.answers.at({"GET", 404}), 1);
}

TEST(AccessLineTest, IsOneObjectALine) {
  const std::string line = AccessLine({.at_us = 1'700'000'000'000'000,
                                       .request_id = "r-1",
                                       .trace_id = "",
                                       .remote = "127.0.0.1",
                                       .method = "POST",
                                       .path = "/v1/services/\xFF\n",
                                       .agent = "curl",
                                       .status = 200,
                                       .bytes_in = 3,
                                       .bytes_out = 4,
                                       .micros = 1500});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Json json = Json::parse(line);
  EXPECT_EQ(json.at("time"), "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(json.at("ms"), 1.5);
  EXPECT_FALSE(json.contains("trace_id"));
}

}  // namespace
}  // namespace braid::app
