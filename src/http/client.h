// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "http/message.h"

namespace braid::http {

// A blocking HTTP/1.1 client for tests and load tools. It keeps its connection and connects again
// when the server has closed it in between. It reads answers that carry Content-Length or end with
// the connection, not chunked ones. One thread at a time. Throws Error IO when the server cannot be
// reached, answers nonsense or takes longer than `timeout`.
class Client {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  Client(std::string host, uint16_t port,
         std::chrono::milliseconds timeout = std::chrono::seconds(30));

  // Sends one request and waits for its answer. `path` may carry a query and is sent as it is.
  Response Send(std::string_view method, std::string_view path, std::string_view body = {},
                const Headers& headers = {});

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  void Connect(Deadline deadline);
  void WriteAll(std::string_view bytes, Deadline deadline);
  bool ReadMore(Deadline deadline);
  void Wait(short events, Deadline deadline) const;
  Response ReadResponse(bool is_head, Deadline deadline);

  std::string host_;
  uint16_t port_;
  std::chrono::milliseconds timeout_;
  FileDescriptor socket_;
  std::string buffer_;
};

}  // namespace braid::http
