// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <gtest/gtest.h>

#include "http/wire.h"

namespace braid::http {
namespace {

TEST(MessageTest, ErrorsCarryCodeMessageHintAndStatus) {
  const Response response = ErrorResponse(
      Error(ErrorCode::kServiceNotFound, "Service not found: dely", "did you mean delay?"));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body,
            R"({"error":{"code":"SERVICE_NOT_FOUND","message":"Service not found: dely",)"
            R"("hint":"did you mean delay?"}})");
  EXPECT_EQ(response.Header("Retry-After"), "");
}

TEST(MessageTest, OverloadAsksToRetry) {
  const Response response = ErrorResponse(Error(ErrorCode::kOverloaded, "busy"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("retry-after"), "1");
}

TEST(MessageTest, ErrorsWithBadUtf8AreStillJson) {
  const Response response = ErrorResponse(Error(ErrorCode::kMalformedRequest, "Bad: \xFF\xC3"));
  EXPECT_NE(response.body.find("Bad: \xEF\xBF\xBD"), std::string::npos) << response.body;
}

TEST(WireTest, DecodesPercentEscapes) {
  EXPECT_EQ(PercentDecode("a%20b%C3%a9+c", false), "a b\xC3\xA9+c");
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
  EXPECT_EQ(PercentDecode("", false), "");
  for (const char* bad : {"%", "%2", "%zz", "a%2", "%00", "%+1"})
    EXPECT_EQ(PercentDecode(bad, false), std::nullopt) << bad;
}

TEST(WireTest, SplitsTargets) {
  Request request;
  ParseTarget("/a%20b/c?x=1&y=%26&x=2&z&&w=a=b", request);
  EXPECT_EQ(request.path, "/a b/c");
  EXPECT_EQ(request.query, "x=1&y=%26&x=2&z&&w=a=b");
  const Request::Map expected = {{"w", "a=b"}, {"x", "2"}, {"y", "&"}, {"z", ""}};
  EXPECT_EQ(request.query_parameters, expected);

  Request absolute;
  ParseTarget("http://host:1/p?q", absolute);
  EXPECT_EQ(absolute.path, "/p");
  EXPECT_EQ(absolute.query, "q");
  Request bare;
  ParseTarget("http://host", bare);
  EXPECT_EQ(bare.path, "/");
  Request star;
  ParseTarget("*", star);
  EXPECT_EQ(star.path, "*");
  Request ambiguous;  // a URL in the query is not an absolute target
  ParseTarget("/p?u=http://x/y", ambiguous);
  EXPECT_EQ(ambiguous.path, "/p");
}

TEST(WireTest, RefusesBadTargets) {
  for (const char* bad : {"", "x", "/%zz", "/?a=%1", "host:80", "/a%00"}) {
    Request request;
    EXPECT_THROW(ParseTarget(bad, request), Error) << bad;
  }
}

TEST(WireTest, HeaderValuesCannotStartHeaders) {
  Response response;
  response.body = "{}";
  response.headers.emplace_back("X-Request-Id", "a\r\nX-Evil: 1");
  std::string head;
  AppendHead(response, {.is_http_1_0 = false, .keep_alive = false}, head);
  EXPECT_EQ(head,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            "X-Request-Id: a  X-Evil: 1\r\nConnection: close\r\n\r\n");
}

TEST(WireTest, BodilessAnswersHaveNoLength) {
  Response response;
  response.status = 204;
  std::string head;
  AppendHead(response, {}, head);
  EXPECT_EQ(head, "HTTP/1.1 204 No Content\r\n\r\n");
}

}  // namespace
}  // namespace braid::http
