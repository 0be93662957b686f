// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace braid::http {

// Replaces %XX by its byte and, in a query, + by a space. Nothing for a bad escape or a zero byte.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);

// Splits a request target ("/a%20b?x=1", "http://host/a", "*") into path, query and
// query_parameters. Throws Error MALFORMED_REQUEST.
void ParseTarget(std::string_view target, Request& request);

// How the request that is answered bears on the head of its answer.
struct AnswerTo {
  bool is_http_1_0 = false;
  bool keep_alive = true;
};

// True for statuses whose answers never have a body (1xx, 204, 304).
bool IsBodiless(int status);

// The status line and headers with the empty line after them, appended to `out`. Control characters
// in header values become spaces, so that a value cannot start a header of its own.
void AppendHead(const Response& response, AnswerTo to, std::string& out);

}  // namespace braid::http
