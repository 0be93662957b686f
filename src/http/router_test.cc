// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace braid::http {
namespace {

RouteHandler Say(std::string text) {
  return [text = std::move(text)](const Request&, const PathParameters& parameters,
                                  const Respond& respond) {
    Response response;
    response.body = text;
    for (const auto& [name, value] : parameters)
      response.body += fmt::format(" {}={}", name, value);
    respond(std::move(response));
  };
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    router_.Add("GET", "/v1/services", Say("list"));
    router_.Add("POST", "/v1/services/{name}", Say("infer"));
    router_.Add("GET", "/v1/services/{name}", Say("describe"));
    router_.Add("POST", "/v1/services/all", Say("all"));
    router_.Add("GET", "/healthz", Say("healthy"));
    router_.Add("GET", "/{a}/x/{b}", Say("two"));
  }

  Response Ask(std::string method, std::string path) const {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    Response answer;
    answer.status = -1;
    router_.Handle(std::move(request),
                   [&answer](Response response) { answer = std::move(response); });
    return answer;
  }

  Router router_;
};

TEST_F(RouterTest, FindsRoutesByMethodAndPath) {
  EXPECT_EQ(Ask("GET", "/v1/services").body, "list");
  EXPECT_EQ(Ask("POST", "/v1/services/delay").body, "infer name=delay");
  EXPECT_EQ(Ask("GET", "/v1/services/delay").body, "describe name=delay");
  EXPECT_EQ(Ask("HEAD", "/healthz").body, "healthy");
  EXPECT_EQ(Ask("GET", "/1/x/2").body, "two a=1 b=2");
}

TEST_F(RouterTest, LiteralSegmentsWinOverParameters) {
  EXPECT_EQ(Ask("POST", "/v1/services/all").body, "all");
  EXPECT_EQ(Ask("GET", "/v1/services/all").body, "describe name=all");
}

TEST_F(RouterTest, UnknownPathsAreAnsweredWithTheClosest) {
  const Response typo = Ask("GET", "/v1/servces");
  EXPECT_EQ(typo.status, 404);
  EXPECT_THAT(typo.body, testing::HasSubstr("ROUTE_NOT_FOUND"));
  EXPECT_THAT(typo.body, testing::HasSubstr("did you mean /v1/services?"));
  EXPECT_THAT(Ask("POST", "/v1/service/delay").body,
              testing::HasSubstr("did you mean /v1/services/delay?"));
  EXPECT_THAT(Ask("GET", "/completely/different/and/long").body,
              testing::HasSubstr("/openapi.json"));
  for (const char* path : {"", "/", "//", "*", "/v1/services/", "/v1/services/a/b"})
    EXPECT_EQ(Ask("POST", path).status, 404) << path;
  EXPECT_EQ(Ask("GET", "/" + std::string(100'000, 'a')).status, 404);
}

TEST_F(RouterTest, WrongMethodsAreToldTheRightOnes) {
  const Response response = Ask("DELETE", "/v1/services/delay");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.Header("allow"), "POST, GET, HEAD");
  EXPECT_THAT(response.body, testing::HasSubstr("METHOD_NOT_ALLOWED"));
  EXPECT_EQ(Ask("get", "/healthz").status, 405);
}

TEST_F(RouterTest, RefusesBadAndRepeatedPatterns) {
  EXPECT_THROW(router_.Add("GET", "healthz", Say("")), Error);
  EXPECT_THROW(router_.Add("GET", "/a{b}", Say("")), Error);
  EXPECT_THROW(router_.Add("GET", "/healthz", Say("")), Error);
  EXPECT_EQ(router_.Routes().size(), 6U);
  EXPECT_EQ(router_.Routes()[1].pattern, "/v1/services/{name}");
}

}  // namespace
}  // namespace braid::http
