// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "remote/remote_server.h"

namespace braid::remote {

// What one try came to.
struct HttpOutcome {
  enum class End : uint8_t { kAnswered, kUnreachable, kTimedOut, kTooLarge, kBroken, kStopped };
  End end = End::kBroken;
  long status = 0;  // when answered
  std::string body;
  std::string reason;  // when not
};

// libcurl's handles for one request at a time; the connection stays open for the next.
class HttpExchange {
 public:
  HttpExchange();
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  HttpOutcome Try(const std::string& url, const Request& request,
                  const std::vector<std::string>& headers, const std::function<bool()>& stopped);
  // Returns false when stopped.
  bool Pause(std::chrono::milliseconds time, const std::function<bool()>& stopped);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace braid::remote
