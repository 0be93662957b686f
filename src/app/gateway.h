// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "app/access_log.h"
#include "base/clock.h"
#include "http/router.h"
#include "http/server.h"

namespace braid::app {

struct HttpCounts {
  std::map<std::pair<std::string, int>, int64_t> answers;  // by method and status
  size_t in_flight = 0;
};

// What every request passes on its way in and its answer on its way out: a request id
// (X-Request-Id, the client's or a new one), trace context (traceparent, echoed and logged), the
// form of errors that the path wants, counts, the access log, and the refusal of requests while the
// server drains. Thread-safe. The router, the clock and the log must outlive every answer.
class Gateway {
 public:
  // `log` may be null.
  Gateway(const http::Router& router, const Clock& clock, const AccessLog* log);

  void Handle(http::Request request, http::Respond respond);

  // From now on readiness is 503, new requests are refused with 503, and every answer closes its
  // connection; requests in flight go on.
  void Drain();
  // Waits until nothing is in flight; false when the time ran out.
  bool WaitIdle(std::chrono::milliseconds limit);

  HttpCounts counts() const;

 private:
  struct State;
  class Passage;
  std::shared_ptr<State> state_;  // shared with what is in flight
};

// The trace id of a W3C traceparent header; nothing when the header is not valid.
std::optional<std::string> TraceIdOf(std::string_view traceparent);

}  // namespace braid::app
