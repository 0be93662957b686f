// SPDX-License-Identifier: Apache-2.0
#include "app/gateway.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "app/open_inference.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/uuid.h"
#include "http/message.h"

namespace braid::app {

namespace {

constexpr size_t kMaxRequestId = 128;

bool IsVisible(char c) { return c > ' ' && c < 0x7F; }

// The client's id where it is one to repeat in a header and a log.
std::string RequestId(const http::Request& request, const Clock& clock) {
  const std::string_view given = request.Header("x-request-id");
  const bool is_good = !given.empty() && given.size() <= kMaxRequestId &&
                       std::all_of(given.begin(), given.end(), IsVisible);
  return is_good ? std::string(given) : NewUuidV7(clock);
}

// Methods are the client's words; a counter takes only those that there are.
std::string CountedMethod(const std::string& method) {
  for (const char* known : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
    if (method == known) return method;
  return "other";
}

bool IsReadiness(std::string_view path) { return path == "/readyz" || path == "/v2/health/ready"; }

bool IsWatching(std::string_view path) {
  return path == "/healthz" || path == "/metrics" || path == "/v2/health/live";
}

http::Response Refusal(std::string_view path) {
  if (path == "/readyz") return {.status = 503, .headers = {}, .body = R"({"status":"stopping"})"};
  if (path == "/v2/health/ready")
    return {.status = 503, .headers = {}, .body = R"({"live":true,"ready":false})"};
  return http::ErrorResponse(Error(ErrorCode::kOverloaded, "The server is stopping",
                                   "ask another one, or this one a little later"));
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

// version "-" trace-id "-" parent-id "-" flags; a later version may go on after another "-".
std::optional<std::string> TraceIdOf(std::string_view traceparent) {
  constexpr size_t kSize = 55;
  if (traceparent.size() < kSize || traceparent[2] != '-' || traceparent[35] != '-' ||
      traceparent[52] != '-')
    return std::nullopt;
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace = traceparent.substr(3, 32);
  const std::string_view parent = traceparent.substr(36, 16);
  if (!IsHex(version) || version == "ff" || !IsHex(trace) || IsZero(trace) || !IsHex(parent) ||
      IsZero(parent) || !IsHex(traceparent.substr(53, 2)))
    return std::nullopt;
  const bool is_whole = traceparent.size() == kSize;
  if (!is_whole && (version == "00" || traceparent[kSize] != '-')) return std::nullopt;
  return std::string(trace);
}

struct Gateway::State {
  State(const http::Router& router_in, const Clock& clock_in, const AccessLog* log_in)
      : router(router_in), clock(clock_in), log(log_in) {}

  const http::Router& router;
  const Clock& clock;
  const AccessLog* log;
  std::atomic<bool> is_draining = false;
  mutable Mutex mutex;
  ConditionVariable idle;
  HttpCounts counts GUARDED_BY(mutex);
};

// One request on its way; counts as in flight until it is answered or dropped.
class Gateway::Passage {
 public:
  Passage(std::shared_ptr<State> state, const http::Request& request, http::Respond respond)
      : state_(std::move(state)), respond_(std::move(respond)) {
    record_ = {.at_us = state_->clock.NowMicros(),
               .request_id = RequestId(request, state_->clock),
               .trace_id = "",
               .remote = request.remote_address,
               .method = request.method,
               .path = request.path,
               .agent = std::string(request.Header("user-agent")),
               .bytes_in = request.body.size()};
    if (const auto trace = TraceIdOf(request.Header("traceparent"))) {
      record_.trace_id = *trace;
      traceparent_ = std::string(request.Header("traceparent"));
    }
    const MutexLock lock(state_->mutex);
    ++state_->counts.in_flight;
  }
  ~Passage() {
    if (!is_answered_.exchange(true)) Leave(0);
  }
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  void Answer(http::Response response) {
    if (is_answered_.exchange(true)) return;
    response.headers.emplace_back("X-Request-Id", record_.request_id);
    if (!traceparent_.empty()) response.headers.emplace_back("traceparent", traceparent_);
    if (state_->is_draining) response.close = true;
    record_.status = response.status;
    record_.bytes_out = response.body.size();
    record_.micros = state_->clock.NowMicros() - record_.at_us;
    respond_(std::move(response));
    if (state_->log != nullptr) state_->log->Write(record_);
    Leave(record_.status);
  }

 private:
  void Leave(int status) {
    const MutexLock lock(state_->mutex);
    --state_->counts.in_flight;
    if (status > 0) ++state_->counts.answers[{CountedMethod(record_.method), status}];
    if (state_->counts.in_flight == 0) state_->idle.NotifyAll();
  }

  std::shared_ptr<State> state_;
  http::Respond respond_;
  AccessRecord record_;
  std::string traceparent_;
  std::atomic<bool> is_answered_ = false;
};

Gateway::Gateway(const http::Router& router, const Clock& clock, const AccessLog* log)
    : state_(std::make_shared<State>(router, clock, log)) {}

void Gateway::Handle(http::Request request, http::Respond respond) {
  const auto passage = std::make_shared<Passage>(state_, request, std::move(respond));
  const http::Respond answer = [passage](http::Response response) {
    passage->Answer(std::move(response));
  };
  const std::string path = request.path;
  const bool is_refused = state_->is_draining && (IsReadiness(path) || !IsWatching(path));
  try {
    if (is_refused && IsOpenInference(path)) {
      AnswerOpenInference(Refusal(path), answer);
    } else if (is_refused) {
      answer(Refusal(path));
    } else if (IsOpenInference(path)) {
      HandleOpenInference(state_->router, std::move(request), answer);
    } else {
      state_->router.Handle(std::move(request), answer);
    }
  } catch (const Error& error) {
    answer(http::ErrorResponse(error));
  } catch (const std::exception& error) {
    answer(http::ErrorResponse(Error(ErrorCode::kInternal, error.what())));
  }
}

void Gateway::Drain() { state_->is_draining = true; }

bool Gateway::WaitIdle(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const MutexLock lock(state_->mutex);
  while (state_->counts.in_flight > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    state_->idle.WaitFor(state_->mutex, left);
  }
  return true;
}

HttpCounts Gateway::counts() const {
  const MutexLock lock(state_->mutex);
  return state_->counts;
}

}  // namespace braid::app
