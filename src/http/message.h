// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace braid::http {

// A request as a handler gets it: whole, with its body. Names of headers are lower-case; a header
// or query parameter that is given twice keeps both values, joined by ", " (header) or the last
// (query).
struct Request {
  using Map = std::map<std::string, std::string, std::less<>>;

  std::string method;  // as sent: "GET"
  std::string path;    // percent-decoded, without the query: "/v1/services/delay"
  std::string query;   // as sent, without the question mark
  Map query_parameters;
  Map headers;
  std::string body;
  std::string remote_address;  // "127.0.0.1"

  // The value of a header by its lower-case name; empty when it is absent.
  std::string_view Header(std::string_view name) const;
};

// An answer. Content-Length and Connection are the server's; do not set them.
struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool close = false;  // the connection ends after this answer

  // The value of the first header of that name, whatever its case; empty when it is absent.
  std::string_view Header(std::string_view name) const;
};

// {"error":{"code","message","hint"}} with the status of the code (error_codes.def); 429 and 503
// carry Retry-After. The second form answers with another status of the same family (408, 431).
Response ErrorResponse(const Error& error);
Response ErrorResponse(const Error& error, int status);

// "Not Found" for 404; empty for a status without a standard phrase.
std::string_view ReasonPhrase(int status);

}  // namespace braid::http
