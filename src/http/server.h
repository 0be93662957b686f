// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/message.h"

namespace braid::http {

struct ServerOptions {
  std::string address = "127.0.0.1";  // loopback only: there is no authentication yet
  uint16_t port = 0;                  // 0 picks one
  size_t max_body_bytes = 8 << 20;
  size_t max_header_bytes = 16 << 10;
  std::chrono::milliseconds header_timeout{
      10'000};  // from a request's first byte to its headers' end
  std::chrono::milliseconds body_timeout{
      30'000};  // for the body, and for a client to take its answer
  std::chrono::milliseconds idle_timeout{60'000};  // between requests
  size_t threads = 1;
  size_t max_connections = 4096;  // further ones are answered 503
};

// Answers a request: call once, from any thread, now or later (later calls do nothing, as does a
// call after the server has stopped). When every copy is gone uncalled, the client gets 500
// INTERNAL.
using Respond = std::function<void(Response)>;

// Runs on a server thread and must not block: slow work goes elsewhere and responds from there.
// What it throws becomes an ErrorResponse.
using Handler = std::function<void(Request, Respond)>;

// An HTTP/1.1 server on a loopback address: keep-alive, pipelining (answered in order, one at a
// time a connection), HEAD, Expect: 100-continue, chunked request bodies. Each thread runs its own
// event loop and its own connections. Bad requests are answered 400, 408, 413 or 431 in our error
// form and closed. Start and Stop are called from one thread, not from a handler.
class Server {
 public:
  // Throws Error USAGE for an address that is not loopback.
  Server(ServerOptions options, Handler handler);
  // Stops without waiting for requests in flight.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and begins to serve. Throws Error IO when the port is taken.
  void Start();
  // The port in use; 0 before Start.
  uint16_t port() const;
  // Stops accepting, closes idle connections, lets requests in flight finish for up to `drain`,
  // then closes what is left. A second call does nothing.
  void Stop(std::chrono::milliseconds drain);

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace braid::http
