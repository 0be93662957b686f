// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/mutex.h"
#include "http/client.h"

namespace braid::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr milliseconds kPatience{20'000};

// A raw connection, for what the client would never send.
class RawSocket {
 public:
  explicit RawSocket(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // Reads until the text has come `times` times or the server has closed.
  std::string ReadUntil(std::string_view text, size_t times = 1) {
    std::string all;
    size_t from = 0;
    while (times > 0) {
      if (const size_t at = all.find(text, from); at != std::string::npos) {
        from = at + text.size();
        --times;
        continue;
      }
      pollfd entry{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (poll(&entry, 1, static_cast<int>(kPatience.count())) <= 0) return all + "<timed out>";
      char bytes[8192];
      const ssize_t got = recv(socket_.get(), bytes, sizeof bytes, 0);
      if (got <= 0) return all + "<closed>";
      all.append(bytes, static_cast<size_t>(got));
    }
    return all;
  }
  std::string ReadAll() { return ReadUntil("<never sent>"); }
  void EndSending() { shutdown(socket_.get(), SHUT_WR); }

 private:
  FileDescriptor socket_;
};

void Echo(const Request& request, const Respond& respond) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.method + " " + request.path + " " + request.body;
  respond(std::move(response));
}

TEST(ServerTest, KeepsAConnectionForAThousandRequests) {
  std::atomic<int> served = 0;
  Server server({}, [&](Request request, Respond respond) {
    ++served;
    Echo(request, respond);
  });
  server.Start();
  RawSocket socket(server.port());
  Client client("127.0.0.1", server.port());
  for (int i = 0; i < 1000; ++i) {
    const Response response = client.Send("POST", "/n/" + std::to_string(i), "body");
    ASSERT_EQ(response.body, "POST /n/" + std::to_string(i) + " body");
    ASSERT_EQ(response.Header("connection"), "");
  }
  EXPECT_EQ(served, 1000);
}

TEST(ServerTest, GivesHandlersTheWholeRequest) {
  Request seen;
  Server server({}, [&](Request request, Respond respond) {
    seen = std::move(request);
    respond({});
  });
  server.Start();
  Client client("127.0.0.1", server.port());
  client.Send("PATCH", "/a%20b?x=%31&y", "{}",
              {{"X-Request-Id", "7"}, {"Twice", "a"}, {"twice", "b"}});
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.path, "/a b");
  EXPECT_EQ(seen.query, "x=%31&y");
  EXPECT_EQ(seen.query_parameters["x"], "1");
  EXPECT_EQ(seen.Header("x-request-id"), "7");
  EXPECT_EQ(seen.Header("twice"), "a, b");
  EXPECT_EQ(seen.body, "{}");
  EXPECT_EQ(seen.remote_address, "127.0.0.1");
}

TEST(ServerTest, ServesManyClientsOnSeveralThreads) {
  for (const size_t threads : {size_t{1}, size_t{3}}) {
    Server server({.threads = threads}, Echo);
    server.Start();
    std::atomic<int> right = 0;
    {
      std::vector<std::jthread> clients;
      for (int c = 0; c < 16; ++c) {
        clients.emplace_back([&, c] {
          Client client("127.0.0.1", server.port());
          for (int i = 0; i < 50; ++i) {
            const std::string body = std::to_string(c) + "." + std::to_string(i);
            right += client.Send("POST", "/", body).body == "POST / " + body ? 1 : 0;
          }
        });
      }
    }
    EXPECT_EQ(right, 16 * 50);
  }
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  // Early answers come from other threads in whatever order; each connection still keeps its own.
  Server server({}, [](Request request, Respond respond) {
    std::thread([request = std::move(request), respond = std::move(respond)] {
      Echo(request, respond);
    }).detach();
  });
  server.Start();
  RawSocket socket(server.port());
  std::string requests;
  std::string bodies;
  for (int i = 0; i < 100; ++i) {
    requests += "POST /" + std::to_string(i) + " HTTP/1.1\r\nContent-Length: 1\r\n\r\n;";
    bodies += "POST /" + std::to_string(i) + " ;";
  }
  socket.Send(requests);
  const std::string answers = socket.ReadUntil(";", 100);
  std::string seen;
  for (size_t at = 0; (at = answers.find("POST /", at)) != std::string::npos;) {
    const size_t end = answers.find(';', at) + 1;
    seen += answers.substr(at, end - at);
    at = end;
  }
  EXPECT_EQ(seen, bodies);
  server.Stop(kPatience);
}

TEST(ServerTest, TakesRequestsByteByByte) {
  Server server({}, Echo);
  server.Start();
  RawSocket socket(server.port());
  for (const char c : std::string_view("POST /slow HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"))
    socket.Send({&c, 1});
  EXPECT_THAT(socket.ReadUntil("abc"), HasSubstr("POST /slow abc"));
}

TEST(ServerTest, RefusesLargeBodiesAtOnce) {
  Server server({.max_body_bytes = 1000}, Echo);
  server.Start();
  Client client("127.0.0.1", server.port());
  EXPECT_EQ(client.Send("POST", "/", std::string(1000, 'x')).status, 200);
  const Response response = client.Send("POST", "/", std::string(1001, 'x'));
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.body, HasSubstr("TOO_LARGE"));
  RawSocket declared(server.port());  // before a byte of the body has come
  declared.Send("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_THAT(declared.ReadUntil("}}"), StartsWith("HTTP/1.1 413 "));
  RawSocket chunked(server.port());
  chunked.Send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) chunked.Send("1f4\r\n" + std::string(500, 'x') + "\r\n");
  EXPECT_THAT(chunked.ReadUntil("}}"), StartsWith("HTTP/1.1 413 "));
}

TEST(ServerTest, RefusesLargeHeaders) {
  Server server({.max_header_bytes = 1024}, Echo);
  server.Start();
  RawSocket socket(server.port());
  socket.Send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  const std::string answer = socket.ReadUntil("}}");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer, HasSubstr("TOO_LARGE"));
}

TEST(ServerTest, RefusesGarbage) {
  Server server({}, Echo);
  server.Start();
  const std::string_view garbage[] = {
      "\x16\x03\x01\x02\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET / HTTP/1.1\r\nno colon\r\n\r\n",
      "GET /%zz HTTP/1.1\r\n\r\n",
      "GET x HTTP/1.1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  };
  for (const std::string_view bytes : garbage) {
    RawSocket socket(server.port());
    socket.Send(bytes);
    const std::string answer = socket.ReadUntil("}}");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << bytes;
    EXPECT_THAT(answer, HasSubstr(R"({"error":{"code":"MALFORMED_REQUEST")")) << bytes;
    EXPECT_THAT(answer, HasSubstr("Connection: close")) << bytes;
  }
  EXPECT_EQ(Client("127.0.0.1", server.port()).Send("GET", "/").status, 200);
}

TEST(ServerTest, TimesSlowRequestsOut) {
  Server server({.header_timeout = milliseconds(100),
                 .body_timeout = milliseconds(100),
                 .idle_timeout = milliseconds(200)},
                Echo);
  server.Start();
  RawSocket headers(server.port());
  headers.Send("GET / HTTP/1.1\r\nX:");
  RawSocket body(server.port());
  body.Send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  RawSocket idle(server.port());
  EXPECT_THAT(headers.ReadUntil("}}"), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(body.ReadUntil("}}"), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(idle.ReadAll(), "<closed>");
}

TEST(ServerTest, DrippingBytesDoesNotExtendATimeout) {
  Server server({.header_timeout = milliseconds(150)}, Echo);
  server.Start();
  RawSocket socket(server.port());
  socket.Send("GET / HTTP/1.1\r\n");
  std::atomic<bool> is_done = false;
  std::jthread dripper([&] {
    Mutex mutex;
    ConditionVariable never;
    while (!is_done) {
      socket.Send("a: b\r\n");
      const MutexLock lock(mutex);
      never.WaitFor(mutex, milliseconds(20));
    }
  });
  EXPECT_THAT(socket.ReadUntil("}}"), StartsWith("HTTP/1.1 408 "));
  is_done = true;
}

TEST(ServerTest, AnswersHeadWithoutABody) {
  Server server({}, Echo);
  server.Start();
  RawSocket socket(server.port());
  socket.Send("HEAD /abc HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string answers = socket.ReadAll();
  EXPECT_THAT(answers, HasSubstr("Content-Length: 10\r\n\r\nHTTP/1.1 200 OK"));
  EXPECT_THAT(answers, testing::EndsWith("GET /next <closed>"));
  Client client("127.0.0.1", server.port());
  EXPECT_EQ(client.Send("HEAD", "/x").body, "");
  EXPECT_EQ(client.Send("GET", "/x").body, "GET /x ");
}

TEST(ServerTest, ReadsChunkedBodiesAndContinues) {
  Server server({}, Echo);
  server.Start();
  RawSocket socket(server.port());
  socket.Send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(socket.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.Send("3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_THAT(socket.ReadUntil("abcdefg"), StartsWith("HTTP/1.1 200 OK"));
}

TEST(ServerTest, SpeaksHttp10) {
  Server server({}, Echo);
  server.Start();
  RawSocket plain(server.port());
  plain.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(plain.ReadAll(), HasSubstr("Connection: close"));
  RawSocket kept(server.port());
  kept.Send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.ReadUntil("GET /1 "), HasSubstr("Connection: keep-alive"));
}

TEST(ServerTest, AnswersAHalfClosedClient) {
  Server server({}, Echo);
  server.Start();
  RawSocket socket(server.port());
  socket.Send("GET /half HTTP/1.1\r\n\r\n");
  socket.EndSending();
  EXPECT_THAT(socket.ReadAll(), HasSubstr("GET /half <closed>"));
}

TEST(ServerTest, HandlersMayThrowForgetAndRepeat) {
  Server server({}, [](Request request, Respond respond) {
    if (request.path == "/error")
      throw Error(ErrorCode::kModelNotFound, "Model not found: m", "train it");
    if (request.path == "/other") throw std::runtime_error("broken");
    if (request.path == "/forget") return;
    Echo(request, respond);
    Echo(request, respond);
    if (request.path == "/late") throw Error(ErrorCode::kInternal, "after the answer");
  });
  server.Start();
  Client client("127.0.0.1", server.port());
  const Response error = client.Send("GET", "/error");
  EXPECT_EQ(error.status, 404);
  EXPECT_THAT(error.body, HasSubstr(R"("hint":"train it")"));
  EXPECT_THAT(client.Send("GET", "/other").body, HasSubstr("broken"));
  EXPECT_EQ(client.Send("GET", "/forget").status, 500);
  EXPECT_EQ(client.Send("GET", "/twice").body, "GET /twice ");
  EXPECT_EQ(client.Send("GET", "/late").body, "GET /late ");
  EXPECT_EQ(client.Send("GET", "/after").body, "GET /after ");
}

TEST(ServerTest, SendsLargeAnswers) {
  const std::string large(20 << 20, 'z');
  Server server({}, [&](const Request&, const Respond& respond) {
    Response response;
    response.body = large;
    respond(std::move(response));
  });
  server.Start();
  EXPECT_TRUE(Client("127.0.0.1", server.port()).Send("GET", "/").body == large);
}

// Keeps what the handler was given until the test answers it.
struct Parked {
  std::promise<Respond> arrived;
  Handler handler() {
    return [this](const Request&, Respond respond) { arrived.set_value(std::move(respond)); };
  }
};

TEST(ServerTest, StopLetsRequestsInFlightFinish) {
  Parked parked;
  Server server({}, parked.handler());
  server.Start();
  const uint16_t port = server.port();
  RawSocket idle(port);
  auto answer =
      std::async(std::launch::async, [&] { return Client("127.0.0.1", port).Send("GET", "/"); });
  const Respond respond = parked.arrived.get_future().get();
  auto stopped = std::async(std::launch::async, [&] { server.Stop(kPatience); });
  EXPECT_EQ(idle.ReadAll(), "<closed>");  // so stopping has begun
  Response response;
  response.body = "in time";
  respond(std::move(response));
  stopped.get();
  const Response got = answer.get();
  EXPECT_EQ(got.body, "in time");
  EXPECT_EQ(got.Header("connection"), "close");
  EXPECT_THROW(Client("127.0.0.1", port).Send("GET", "/"), Error);
  server.Stop(kPatience);
}

TEST(ServerTest, StopGivesUpAfterTheDrainAndLateAnswersAreIgnored) {
  Parked parked;
  auto server = std::make_unique<Server>(ServerOptions{}, parked.handler());
  server->Start();
  RawSocket socket(server->port());
  socket.Send("GET / HTTP/1.1\r\n\r\n");
  const Respond respond = parked.arrived.get_future().get();
  server->Stop(milliseconds(50));
  EXPECT_EQ(socket.ReadAll(), "<closed>");
  respond({});
  server.reset();
  respond({});
}

TEST(ServerTest, ClosesWhatIsOpenWhenDestroyed) {
  std::optional<Server> server(std::in_place, ServerOptions{.threads = 2}, Echo);
  server->Start();
  RawSocket half(server->port());
  half.Send("GET / HT");
  RawSocket idle(server->port());
  server.reset();
  EXPECT_EQ(half.ReadAll(), "<closed>");
  EXPECT_EQ(idle.ReadAll(), "<closed>");
}

TEST(ServerTest, RefusesConnectionsAboveTheLimit) {
  Server server({.max_connections = 1}, Echo);
  server.Start();
  auto first = std::make_unique<Client>("127.0.0.1", server.port());
  EXPECT_EQ(first->Send("GET", "/").status, 200);
  const Response refused = Client("127.0.0.1", server.port()).Send("GET", "/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Header("retry-after"), "1");
  EXPECT_EQ(first->Send("GET", "/").status, 200);
}

TEST(ServerTest, ListensOnLoopbackOnly) {
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1", "example.com", ""}) {
    try {
      const Server server({.address = address}, Echo);
      ADD_FAILURE() << address;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.hint(), HasSubstr("127.0.0.1"));
    }
  }
  const Server by_name({.address = "localhost"}, Echo);
  const Server v6({.address = "::1"}, Echo);
}

TEST(ServerTest, SaysWhenThePortIsTaken) {
  Server first({}, Echo);
  first.Start();
  Server second({.port = first.port()}, Echo);
  try {
    second.Start();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.message(), HasSubstr(std::to_string(first.port())));
  }
  first.Stop(kPatience);
  second.Start();  // the port is free again
  EXPECT_EQ(Client("127.0.0.1", second.port()).Send("GET", "/").status, 200);
}

}  // namespace
}  // namespace braid::http
