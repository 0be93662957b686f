// SPDX-License-Identifier: Apache-2.0
#include "remote/remote_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "remote/http_exchange.h"

namespace braid::remote {

namespace {

constexpr size_t kMostShownBytes = 500;  // of what a server says

bool IsWorthRetrying(const HttpOutcome& outcome) {
  if (outcome.end == HttpOutcome::End::kUnreachable) return true;
  return outcome.end == HttpOutcome::End::kAnswered &&
         (outcome.status == 502 || outcome.status == 503 || outcome.status == 504);
}

// The protocol's errors are {"error": "text"}.
std::string ErrorText(std::string_view answer) {
  const auto json = nlohmann::json::parse(answer, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    return json["error"].get<std::string>();
  return std::string(answer);
}

}  // namespace

// Handles that are not in use; as many as were ever in use at once.
class Server::Pool {
 public:
  std::unique_ptr<HttpExchange> Take() {
    {
      MutexLock lock(mutex_);
      if (!free_.empty()) {
        auto taken = std::move(free_.back());
        free_.pop_back();
        return taken;
      }
    }
    return std::make_unique<HttpExchange>();
  }
  void GiveBack(std::unique_ptr<HttpExchange> exchange) {
    MutexLock lock(mutex_);
    free_.push_back(std::move(exchange));
  }

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<HttpExchange>> free_ GUARDED_BY(mutex_);
};

Server::Server(ServerSettings settings)
    : settings_(std::move(settings)), pool_(std::make_unique<Pool>()) {}

Server::~Server() = default;

std::chrono::milliseconds PauseBefore(int64_t retry) {
  return std::chrono::milliseconds(std::min<int64_t>(5000, 100 << std::min<int64_t>(retry - 1, 6)));
}

// One line, without the token, of bounded length.
std::string Server::Readable(std::string_view answer) const {
  std::string text = ErrorText(answer.substr(0, size_t{1} << 20));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  if (!settings_.token.empty())
    for (size_t at = 0; (at = text.find(settings_.token, at)) != std::string::npos; at += 3)
      text.replace(at, settings_.token.size(), "***");
  if (text.size() > kMostShownBytes) text = text.substr(0, kMostShownBytes) + "…";
  // Bytes that are no UTF-8 are replaced.
  text = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(text).get<std::string>();
}

std::string Server::Ask(const Request& request, const std::function<bool()>& stopped) const {
  std::vector<std::string> headers = {"Accept: application/json", "Expect:"};
  if (!request.body.empty()) headers.emplace_back("Content-Type: application/json");
  if (!settings_.token.empty()) headers.push_back("Authorization: Bearer " + settings_.token);
  const std::string url = settings_.url + request.path;
  std::unique_ptr<HttpExchange> exchange = pool_->Take();
  HttpOutcome outcome;
  int64_t tries = 0;
  for (;;) {
    outcome = exchange->Try(url, request, headers, stopped);
    ++tries;
    if (!IsWorthRetrying(outcome) || tries > request.retries) break;
    if (!exchange->Pause(PauseBefore(tries), stopped)) outcome.end = HttpOutcome::End::kStopped;
    if (outcome.end == HttpOutcome::End::kStopped) break;
  }
  pool_->GiveBack(std::move(exchange));
  const std::string what = fmt::format("{} {}", request.method, url);
  const std::string after = tries > 1 ? fmt::format(", after {} tries", tries) : "";
  switch (outcome.end) {
    case HttpOutcome::End::kAnswered:
      if (outcome.status == 200) return std::move(outcome.body);
      throw Error(ErrorCode::kRemoteServer,
                  fmt::format("The model's server answered HTTP {}{} to {}: {}", outcome.status,
                              after, what, Readable(outcome.body)),
                  outcome.status == 401 || outcome.status == 403
                      ? fmt::format("give connection {} a token in braid.yaml", name())
                      : "");
    case HttpOutcome::End::kUnreachable:
      throw Error(ErrorCode::kRemoteServer,
                  fmt::format("The model's server cannot be reached{}: {}: {}", after, what,
                              Readable(outcome.reason)),
                  fmt::format("braid.yaml says where connection {} leads", name()));
    case HttpOutcome::End::kTimedOut:
      throw Error(ErrorCode::kRemoteServer,
                  fmt::format("The model's server did not answer within {} ms: {}",
                              request.timeout.count(), what),
                  "give the model a larger TIMEOUT_MS or fewer MAX_BATCHING_ROWS");
    case HttpOutcome::End::kTooLarge:
      throw Error(ErrorCode::kRemoteServer,
                  fmt::format("The model's server answered with more than {} MiB: {}",
                              kMostAnswerBytes >> 20, what),
                  "give the model fewer MAX_BATCHING_ROWS");
    case HttpOutcome::End::kStopped:
      throw Error(ErrorCode::kInterrupted, "Interrupted");
    case HttpOutcome::End::kBroken:
      break;
  }
  throw Error(ErrorCode::kRemoteServer,
              fmt::format("The exchange with the model's server failed: {}: {}", what,
                          Readable(outcome.reason)));
}

}  // namespace braid::remote
