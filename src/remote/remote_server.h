// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace braid::remote {

// A connection of braid.yaml.
struct ServerSettings {
  std::string name;
  std::string url;    // "https://host:port/base", without a slash at its end
  std::string token;  // sent as "Authorization: Bearer …"; empty: none
};

struct Request {
  std::string method = "GET";
  std::string path;                           // "/v2/models/m"
  std::string body;                           // JSON; empty: none
  std::chrono::milliseconds timeout{30'000};  // of one try
  int64_t retries = 3;
};

// One HTTP server that Braid asks. Connections are kept and used again. Redirects are not followed,
// so that the token goes nowhere else; the token stands in no message. Thread-safe.
class Server {
 public:
  explicit Server(ServerSettings settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& name() const { return settings_.name; }
  const std::string& url() const { return settings_.url; }

  // The body of the answer 200. Tries again, after pauses that double from 100 ms to 5 s, when the
  // server cannot be reached and after 502, 503 and 504; anything else fails at once. Throws
  // kRemoteServer with the address, the status and what the server said, kInterrupted when
  // `stopped` says so. `stopped` is asked every 50 ms.
  std::string Ask(const Request& request, const std::function<bool()>& stopped) const;

 private:
  class Pool;
  std::string Readable(std::string_view answer) const;
  ServerSettings settings_;
  std::unique_ptr<Pool> pool_;
};

// How long to wait before try `retry` (from 1).
std::chrono::milliseconds PauseBefore(int64_t retry);

// The largest answer that is read.
inline constexpr size_t kMostAnswerBytes = size_t{64} << 20;

}  // namespace braid::remote
