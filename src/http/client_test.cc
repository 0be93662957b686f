// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace braid::http {
namespace {

// A peer that answers each connection with the next of its texts, then hangs up.
class CannedServer {
 public:
  explicit CannedServer(std::vector<std::string> answers) {
    listener_ = FileDescriptor(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_.get(), 8), 0);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, answers = std::move(answers)] {
      for (const std::string& answer : answers) {
        const FileDescriptor peer(accept(listener_.get(), nullptr, nullptr));
        char bytes[4096];
        EXPECT_GT(recv(peer.get(), bytes, sizeof bytes, 0), 0);
        EXPECT_EQ(send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(answer.size()));
      }
    });
  }
  uint16_t port() const { return port_; }

 private:
  FileDescriptor listener_;
  uint16_t port_ = 0;
  std::jthread thread_;
};

std::string MessageOf(std::string answer) {
  const CannedServer server({std::move(answer)});
  Client client("127.0.0.1", server.port(), std::chrono::seconds(10));
  try {
    return client.Send("GET", "/").body;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    return error.message();
  }
}

TEST(ClientTest, ReadsAnswersOfEachLength) {
  EXPECT_EQ(MessageOf("HTTP/1.1 200 OK\r\ncontent-LENGTH:  2 \r\n\r\nhi"), "hi");
  EXPECT_EQ(MessageOf("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            "x");
  EXPECT_EQ(MessageOf("HTTP/1.0 200 OK\r\n\r\nuntil the end"), "until the end");
  EXPECT_EQ(MessageOf("HTTP/1.1 204 No Content\r\n\r\n"), "");
}

TEST(ClientTest, SaysWhatIsWrongWithAnAnswer) {
  using testing::HasSubstr;
  EXPECT_THAT(MessageOf("nonsense\r\n\r\n"), HasSubstr("not HTTP"));
  EXPECT_THAT(MessageOf("HTTP/1.1 2x0 OK\r\n\r\n"), HasSubstr("not HTTP"));
  EXPECT_THAT(MessageOf("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), HasSubstr("not HTTP"));
  EXPECT_THAT(MessageOf("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"), HasSubstr("middle"));
  EXPECT_THAT(MessageOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
              HasSubstr("chunked"));
  EXPECT_THAT(MessageOf("HTTP/1.1 200 OK\r\nContent"), HasSubstr("middle"));
  EXPECT_THAT(MessageOf(""), HasSubstr("without an answer"));
}

TEST(ClientTest, ConnectsAgainWhenAKeptConnectionIsGone) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
  const CannedServer server({answer + "1", answer + "2", answer + "3"});
  Client client("localhost", server.port(), std::chrono::seconds(10));
  EXPECT_EQ(client.Send("GET", "/").body, "1");
  EXPECT_EQ(client.Send("POST", "/", "{}").body, "2");
  EXPECT_EQ(client.Send("GET", "/").body, "3");
}

TEST(ClientTest, RefusedConnectionsAreErrors) {
  Client client("127.0.0.1", 1, std::chrono::seconds(5));
  EXPECT_THROW(client.Send("GET", "/"), Error);
}

}  // namespace
}  // namespace braid::http
