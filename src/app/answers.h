// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "http/message.h"
#include "http/server.h"
#include "serve/answer.h"

// What the endpoints share about answers and bodies.
namespace braid::app {

http::Response JsonResponse(const nlohmann::ordered_json& body, int status = 200);

// Sends an answer of `serve`; 429 and 503 get Retry-After.
serve::AnswerSink ToResponse(http::Respond respond);

// Throws UNSUPPORTED_MEDIA_TYPE for a compressed body.
void RequirePlainBody(const http::Request& request);
// And for one that says to be something else than JSON; a client that names nothing is believed.
void RequireJson(const http::Request& request);

// The header X-Request-Timeout-Ms; nothing when it is absent. Throws MALFORMED_REQUEST.
std::optional<std::chrono::milliseconds> TimeoutOf(const http::Request& request);

}  // namespace braid::app
