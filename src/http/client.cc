// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "http/wire.h"

namespace braid::http {

namespace {

constexpr size_t kReadSize = 16 << 10;
constexpr size_t kMaxHead = 64 << 10;

// The server hung up before it answered: on a kept connection a reason to connect anew, else an
// error.
struct ClosedEarly {};

struct Head {
  Response response;
  std::optional<size_t> length;
  bool is_close = false;
};

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

Head ParseHead(std::string_view text) {
  Head head;
  head.response.content_type.clear();
  const Error bad(ErrorCode::kIo, "The server's answer is not HTTP");
  std::string_view line = text.substr(0, text.find("\r\n"));
  if (!line.starts_with("HTTP/1.") || line.size() < 12) throw bad;
  const char* status_end = line.data() + 12;
  const auto parsed = std::from_chars(line.data() + 9, status_end, head.response.status);
  if (parsed.ec != std::errc() || parsed.ptr != status_end) throw bad;
  head.is_close = line.starts_with("HTTP/1.0");
  for (text.remove_prefix(line.size() + 2); !text.empty();
       text.remove_prefix(std::min(text.size(), line.size() + 2))) {
    line = text.substr(0, text.find("\r\n"));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) throw bad;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = Trim(line.substr(colon + 1));
    if (EqualsIgnoringCase(name, "content-type")) head.response.content_type = value;
    if (EqualsIgnoringCase(name, "connection") && EqualsIgnoringCase(value, "close"))
      head.is_close = true;
    if (EqualsIgnoringCase(name, "transfer-encoding"))
      throw Error(ErrorCode::kIo,
                  "The server's answer is chunked, which this client does not read");
    if (EqualsIgnoringCase(name, "content-length")) {
      size_t length = 0;
      const char* end = value.data() + value.size();
      const auto [stop, ec] = std::from_chars(value.data(), end, length);
      if (ec != std::errc() || stop != end) throw bad;
      head.length = length;
    }
    head.response.headers.emplace_back(name, value);
  }
  return head;
}

std::string Serialise(std::string_view method, std::string_view path, std::string_view body,
                      const Client::Headers& headers, std::string_view host) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", method, path, host);
  bool has_type = false;
  for (const auto& [name, value] : headers) {
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", name, value);
    has_type = has_type || EqualsIgnoringCase(name, "content-type");
  }
  if (!body.empty() && !has_type) text += "Content-Type: application/json\r\n";
  if (!body.empty() || method == "POST" || method == "PUT")
    fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", body.size());
  text += "\r\n";
  text += body;
  return text;
}

}  // namespace

Client::Client(std::string host, uint16_t port, std::chrono::milliseconds timeout)
    : host_(std::move(host)), port_(port), timeout_(timeout) {}

Response Client::Send(std::string_view method, std::string_view path, std::string_view body,
                      const Headers& headers) {
  const Deadline deadline = std::chrono::steady_clock::now() + timeout_;
  const std::string request =
      Serialise(method, path, body, headers, fmt::format("{}:{}", host_, port_));
  try {
    const bool is_kept = socket_.is_open();
    for (bool is_retry = !is_kept;; is_retry = true) {
      if (!socket_.is_open()) Connect(deadline);
      try {
        WriteAll(request, deadline);
        return ReadResponse(method == "HEAD", deadline);
      } catch (const ClosedEarly&) {
        socket_.Close();
        if (is_retry)
          throw Error(ErrorCode::kIo, "The server closed the connection without an answer");
      }
    }
  } catch (const Error&) {
    socket_.Close();
    throw;
  }
}

void Client::Connect(Deadline deadline) {
  buffer_.clear();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int rc = getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &found))
    throw Error(ErrorCode::kIo, fmt::format("No such host: {} ({})", host_, gai_strerror(rc)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  int failure = 0;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    socket_ =
        FileDescriptor(socket(entry->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_.is_open()) continue;
    failure = connect(socket_.get(), entry->ai_addr, entry->ai_addrlen) == 0 ? 0 : errno;
    if (failure == EINPROGRESS) {
      Wait(POLLOUT, deadline);
      socklen_t size = sizeof failure;
      getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
    }
    if (failure == 0) {
      const int on = 1;
      setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return;
    }
    socket_.Close();
  }
  throw Error(ErrorCode::kIo,
              fmt::format("Cannot connect to {}:{}: {}", host_, port_, std::strerror(failure)));
}

void Client::Wait(short events, Deadline deadline) const {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      throw Error(ErrorCode::kIo,
                  fmt::format("No answer from {}:{} within {} ms", host_, port_, timeout_.count()));
    pollfd entry{.fd = socket_.get(), .events = events, .revents = 0};
    const int rc = poll(&entry, 1, static_cast<int>(std::min<int64_t>(left.count(), 1 << 30)));
    if (rc > 0) return;
    if (rc < 0 && errno != EINTR) ThrowErrno("Cannot wait for a socket", host_);
  }
}

void Client::WriteAll(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      Wait(POLLOUT, deadline);
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return;  // it may have answered before it hung up; reading tells
    } else if (errno != EINTR) {
      ThrowErrno("Cannot send to", host_);
    }
  }
}

// Returns false at the end of the connection.
bool Client::ReadMore(Deadline deadline) {
  const size_t size = buffer_.size();
  while (true) {
    buffer_.resize(size + kReadSize);
    const ssize_t got = recv(socket_.get(), buffer_.data() + size, kReadSize, 0);
    buffer_.resize(size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) return true;
    if (got == 0 || errno == ECONNRESET || errno == EPIPE) return false;
    if (errno == EAGAIN) {
      Wait(POLLIN, deadline);
    } else if (errno != EINTR) {
      ThrowErrno("Cannot receive from", host_);
    }
  }
}

Response Client::ReadResponse(bool is_head, Deadline deadline) {
  const Error cut(ErrorCode::kIo, "The server closed the connection in the middle of its answer");
  while (true) {
    size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (buffer_.size() > kMaxHead) throw Error(ErrorCode::kIo, "The server's answer is not HTTP");
      if (ReadMore(deadline)) continue;
      if (buffer_.empty()) throw ClosedEarly{};
      throw cut;
    }
    Head head = ParseHead(std::string_view(buffer_).substr(0, end + 2));
    buffer_.erase(0, end + 4);
    if (head.response.status < 200) continue;  // 100 Continue precedes the answer
    const bool has_no_body = is_head || IsBodiless(head.response.status);
    if (has_no_body) head.length = 0;
    while (!head.length || buffer_.size() < *head.length) {
      if (ReadMore(deadline)) continue;
      if (head.length) throw cut;
      head.length = buffer_.size();
      head.is_close = true;
    }
    head.response.body = buffer_.substr(0, *head.length);
    buffer_.erase(0, *head.length);
    if (head.is_close) socket_.Close();
    return std::move(head.response);
  }
}

}  // namespace braid::http
