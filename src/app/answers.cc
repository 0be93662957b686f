// SPDX-License-Identifier: Apache-2.0
#include "app/answers.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace braid::app {

http::Response JsonResponse(const nlohmann::ordered_json& body, int status) {
  return {.status = status, .content_type = "application/json", .headers = {}, .body = body.dump()};
}

serve::AnswerSink ToResponse(http::Respond respond) {
  return [respond = std::move(respond)](serve::Answer answer) {
    http::Response response{.status = answer.status,
                            .content_type = std::move(answer.content_type),
                            .headers = std::move(answer.headers),
                            .body = std::move(answer.body)};
    if (answer.status == 429 || answer.status == 503)
      response.headers.emplace_back("Retry-After", "1");
    respond(std::move(response));
  };
}

void RequirePlainBody(const http::Request& request) {
  const std::string_view encoding = request.Header("content-encoding");
  if (encoding.empty() || EqualsIgnoringCase(encoding, "identity")) return;
  throw Error(ErrorCode::kUnsupportedMediaType,
              "Not a content encoding that this endpoint takes: " + std::string(encoding),
              "send the body as it is");
}

void RequireJson(const http::Request& request) {
  RequirePlainBody(request);
  const std::string_view type = request.Header("content-type");
  const bool form =
      type.starts_with("application/x-www-form-urlencoded");  // what curl -d says unasked
  if (type.empty() || form || type.starts_with("application/json")) return;
  throw Error(ErrorCode::kUnsupportedMediaType,
              "Not a content type that this endpoint takes: " + std::string(type),
              "send Content-Type: application/json");
}

std::optional<std::chrono::milliseconds> TimeoutOf(const http::Request& request) {
  constexpr int64_t kMostMillis = 3'600'000;
  const std::string_view text = request.Header("x-request-timeout-ms");
  if (text.empty()) return std::nullopt;
  int64_t millis = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, millis);
  if (parsed.ec != std::errc() || parsed.ptr != end || millis < 1 || millis > kMostMillis)
    throw Error(ErrorCode::kMalformedRequest,
                "Not a time of X-Request-Timeout-Ms: " + std::string(text.substr(0, 100)),
                "it is a whole number of milliseconds from 1 to 3600000");
  return std::chrono::milliseconds(millis);
}

}  // namespace braid::app
