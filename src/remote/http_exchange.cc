// SPDX-License-Identifier: Apache-2.0
#include "remote/http_exchange.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace braid::remote {

namespace {

constexpr int kLookMs = 50;  // how often `stopped` is asked

class HeaderList {
 public:
  explicit HeaderList(const std::vector<std::string>& headers) {
    for (const std::string& header : headers) list_ = curl_slist_append(list_, header.c_str());
  }
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// Receives the body; refuses what goes beyond the limit.
struct Body {
  std::string text;
  bool is_too_large = false;

  static size_t Write(const char* bytes, size_t size, size_t count, void* target) {
    auto& body = *static_cast<Body*>(target);
    if (body.text.size() + size * count > kMostAnswerBytes) {
      body.is_too_large = true;
      return 0;
    }
    body.text.append(bytes, size * count);
    return size * count;
  }
};

}  // namespace

struct HttpExchange::Handles {
  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }

  // The handle takes part in `multi` for the time of one try.
  struct Part {
    explicit Part(Handles& owner) : handles(owner) {
      curl_multi_add_handle(handles.multi, handles.easy);
    }
    ~Part() { curl_multi_remove_handle(handles.multi, handles.easy); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    Handles& handles;
  };

  // Returns nothing when stopped.
  std::optional<CURLcode> Perform(const std::function<bool()>& stopped) {
    const Part part(*this);
    for (int running = 1; running > 0;) {
      if (stopped()) return std::nullopt;
      if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      if (running > 0) curl_multi_poll(multi, nullptr, 0, kLookMs, nullptr);
    }
    CURLcode code = CURLE_OK;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left))
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    return code;
  }

  bool HasConnected() const {
    curl_off_t time = 0;
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &time);
    return time > 0;
  }
};

HttpExchange::HttpExchange() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  BRAID_CHECK(started == CURLE_OK);
  handles_ = std::make_unique<Handles>();
  BRAID_CHECK(handles_->multi != nullptr && handles_->easy != nullptr);
}

HttpExchange::~HttpExchange() = default;

HttpOutcome HttpExchange::Try(const std::string& url, const Request& request,
                              const std::vector<std::string>& headers,
                              const std::function<bool()>& stopped) {
  CURL* easy = handles_->easy;
  const HeaderList list(headers);
  Body body;
  std::array<char, CURL_ERROR_SIZE> text{};
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "braid");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, Body::Write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
  if (request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  const std::optional<CURLcode> code = handles_->Perform(stopped);
  if (!code) return {.end = HttpOutcome::End::kStopped};
  HttpOutcome outcome{.reason = text[0] != 0 ? text.data() : curl_easy_strerror(*code)};
  if (*code == CURLE_OK) {
    outcome.end = HttpOutcome::End::kAnswered;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &outcome.status);
    outcome.body = std::move(body.text);
  } else if (body.is_too_large) {
    outcome.end = HttpOutcome::End::kTooLarge;
  } else if (*code == CURLE_COULDNT_CONNECT || *code == CURLE_COULDNT_RESOLVE_HOST ||
             (*code == CURLE_OPERATION_TIMEDOUT && !handles_->HasConnected())) {
    outcome.end = HttpOutcome::End::kUnreachable;
  } else if (*code == CURLE_OPERATION_TIMEDOUT) {
    outcome.end = HttpOutcome::End::kTimedOut;
  }
  return outcome;
}

bool HttpExchange::Pause(std::chrono::milliseconds time, const std::function<bool()>& stopped) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    if (stopped()) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return true;
    curl_multi_poll(handles_->multi, nullptr, 0,
                    static_cast<int>(std::min<int64_t>(left.count(), kLookMs)), nullptr);
  }
}

}  // namespace braid::remote
