// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "base/text.h"
#include "http/wire.h"

namespace braid::http {

namespace {

namespace net = boost::asio;
namespace beast_http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;
using SteadyTime = std::chrono::steady_clock::time_point;
using Executor = net::io_context::executor_type;
using Socket = net::basic_stream_socket<tcp, Executor>;
using Acceptor = net::basic_socket_acceptor<tcp, Executor>;
using Timer = net::basic_waitable_timer<std::chrono::steady_clock,
                                        net::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr SteadyTime kNever = SteadyTime::max();
constexpr std::chrono::milliseconds kLinger{2'000};
constexpr std::chrono::milliseconds kAcceptPause{50};
constexpr size_t kReadSize = 4 << 10;
constexpr size_t kBodyReadSize = 64 << 10;
constexpr size_t kMaxBodyReserve = 1 << 20;

template <typename View>
std::string_view ToStd(View text) {
  return {text.data(), text.size()};
}

// Beast's parser, filling our Request with no container in between.
class RequestParser final : public beast_http::basic_parser<true> {
 public:
  explicit RequestParser(const ServerOptions& options) {
    header_limit(static_cast<uint32_t>(
        std::min<size_t>(options.max_header_bytes, std::numeric_limits<uint32_t>::max())));
    body_limit(options.max_body_bytes);
    eager(true);
  }
  Request& request() { return request_; }
  bool is_http_1_0() const { return is_http_1_0_; }
  const std::optional<Error>& target_error() const { return target_error_; }

 private:
  using View = boost::beast::string_view;

  void on_request_impl(beast_http::verb, View method, View target, int version,
                       error_code&) override {
    request_.method = ToStd(method);
    is_http_1_0_ = version == 10;
    try {
      ParseTarget(ToStd(target), request_);
    } catch (const Error& error) {
      target_error_ = error;
    }
  }
  void on_response_impl(int, View, int, error_code&) override {}
  void on_field_impl(beast_http::field, View name, View value, error_code&) override {
    if (has_headers_) return;  // a trailer of a chunked body
    auto [entry, is_new] = request_.headers.try_emplace(ToLower(ToStd(name)), ToStd(value));
    if (!is_new) entry->second.append(", ").append(ToStd(value));
  }
  void on_header_impl(error_code&) override { has_headers_ = true; }
  void on_body_init_impl(const boost::optional<uint64_t>& length, error_code&) override {
    if (length) request_.body.reserve(std::min<uint64_t>(*length, kMaxBodyReserve));
  }
  size_t on_body_impl(View body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, View, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, View body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  Request request_;
  bool has_headers_ = false;
  bool is_http_1_0_ = false;
  std::optional<Error> target_error_;
};

class Connection;

// What the event loops and the Server share; outlives both.
struct Shared {
  ServerOptions options;
  Handler handler;
  std::atomic<bool> is_stopping = false;
  Mutex mutex;
  ConditionVariable closed;
  size_t open GUARDED_BY(mutex) = 0;
};

// One event loop, its thread and its connections, which only that thread touches.
struct Worker {
  explicit Worker(Shared& s) : shared(s) {}
  Shared& shared;
  net::io_context loop{BOOST_ASIO_CONCURRENCY_HINT_1};
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::jthread thread;
};

thread_local const Worker* current_worker = nullptr;

// Lets answers from other threads in while the loops exist, and no longer.
struct Gate {
  Mutex mutex;
  bool is_open GUARDED_BY(mutex) = true;
};

// The server's end of one Respond; answers 500 when it is dropped unanswered.
class Pending {
 public:
  Pending(std::weak_ptr<Connection> connection, Worker& worker, std::shared_ptr<Gate> gate)
      : connection_(std::move(connection)), worker_(&worker), gate_(std::move(gate)) {}
  ~Pending();
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  void Send(Response response);

 private:
  std::weak_ptr<Connection> connection_;
  Worker* worker_;
  std::shared_ptr<Gate> gate_;
  std::atomic<bool> is_sent_ = false;
};

// One client: reads a request, hands it out, writes the answer, and so on. Bytes of a next request
// that come early wait in the buffer, which is what keeps pipelined answers in order.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Worker& worker, std::shared_ptr<Gate> gate)
      : worker_(worker), gate_(std::move(gate)), socket_(worker.loop), timer_(worker.loop) {}

  Socket& socket() { return socket_; }

  void Begin(bool is_refused) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    const tcp::endpoint remote = socket_.remote_endpoint(ignored);
    remote_address_ = remote.address().to_string();
    worker_.connections.insert(shared_from_this());
    if (is_refused) {
      Fail(Error(ErrorCode::kOverloaded, "The server has too many connections",
                 "close idle connections, or try again later"));
    } else {
      NextRequest();
    }
  }

  // Closes a connection that waits for a request; another closes after its answer.
  void OnServerStopping() {
    if (phase_ == Phase::kIdle) Close();
  }

  void OnResponse(Response response) {
    if (phase_ != Phase::kHandling) return;
    if (worker_.shared.is_stopping || response.close) answer_to_.keep_alive = false;
    Write(std::move(response));
  }

 private:
  enum class Phase { kIdle, kHeader, kBody, kHandling, kWriting, kLingering, kClosed };

  const ServerOptions& options() const { return worker_.shared.options; }

  void NextRequest() {
    if (worker_.shared.is_stopping && buffer_.size() == 0) return Close();
    parser_.emplace(options());
    phase_ = Phase::kIdle;
    Parse();
  }

  void Parse() {
    error_code ec;
    while (buffer_.size() > 0) {
      const size_t used = parser_->put(buffer_.data(), ec);
      buffer_.consume(used);
      if (ec == beast_http::error::need_more) break;
      if (ec) return FailParse(ec);
      if (parser_->is_done()) return Dispatch();
      if (used == 0) break;
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (parser_->is_header_done()) {
      if (phase_ != Phase::kBody) {
        phase_ = Phase::kBody;
        SetDeadline(now + options().body_timeout);
        if (buffer_.size() == 0 && parser_->request().body.empty() &&
            EqualsIgnoringCase(parser_->request().Header("expect"), "100-continue"))
          return WriteContinue();
      }
    } else if (buffer_.size() > 0) {
      if (phase_ != Phase::kHeader) SetDeadline(now + options().header_timeout);
      phase_ = Phase::kHeader;
    } else {
      SetDeadline(now + options().idle_timeout);
    }
    Read();
  }

  void Read() {
    const size_t size = phase_ == Phase::kBody ? kBodyReadSize : kReadSize;
    socket_.async_read_some(
        buffer_.prepare(size),
        [self = shared_from_this()](error_code ec, size_t bytes) { self->OnRead(ec, bytes); });
  }

  void OnRead(error_code ec, size_t bytes) {
    if (phase_ > Phase::kBody) return;  // a timeout has answered in between
    if (ec) return Close();
    buffer_.commit(bytes);
    Parse();
  }

  void WriteContinue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    net::async_write(socket_, net::buffer(kContinue),
                     [self = shared_from_this()](error_code ec, size_t) {
                       if (self->phase_ != Phase::kBody) return;
                       if (ec) return self->Close();
                       self->Read();
                     });
  }

  void Dispatch() {
    is_head_ = parser_->request().method == "HEAD";
    answer_to_ = {.is_http_1_0 = parser_->is_http_1_0(), .keep_alive = parser_->keep_alive()};
    if (parser_->target_error()) return Fail(*parser_->target_error());
    phase_ = Phase::kHandling;
    deadline_ = kNever;
    auto pending = std::make_shared<Pending>(weak_from_this(), worker_, gate_);
    parser_->request().remote_address = remote_address_;
    try {
      worker_.shared.handler(std::move(parser_->request()),
                             [pending](Response response) { pending->Send(std::move(response)); });
    } catch (const Error& error) {
      pending->Send(ErrorResponse(error));
    } catch (const std::exception& error) {
      pending->Send(ErrorResponse(Error(ErrorCode::kInternal, error.what())));
    }
  }

  void FailParse(error_code ec) {
    using beast_http::error;
    if (ec == error::body_limit) {
      Fail(Error(ErrorCode::kTooLarge,
                 fmt::format("The body is larger than {} bytes", options().max_body_bytes),
                 "send fewer rows in a request"));
    } else if (ec == error::header_limit) {
      Fail(Error(ErrorCode::kTooLarge,
                 fmt::format("The headers are larger than {} bytes", options().max_header_bytes)),
           431);
    } else {
      Fail(Error(ErrorCode::kMalformedRequest, fmt::format("Malformed HTTP: {}", ec.message()),
                 "this port speaks HTTP/1.1"));
    }
  }

  void Fail(const Error& error, int status = 0) {
    answer_to_.keep_alive = false;
    must_linger_ = true;
    Write(ErrorResponse(error, status != 0 ? status : Describe(error.code()).http_status));
  }

  void Write(Response response) {
    phase_ = Phase::kWriting;
    response_ = std::move(response);
    head_.clear();
    AppendHead(response_, answer_to_, head_);
    if (is_head_ || IsBodiless(response_.status)) response_.body.clear();
    SetDeadline(std::chrono::steady_clock::now() + options().body_timeout);
    const std::array<net::const_buffer, 2> parts = {net::buffer(head_),
                                                    net::buffer(response_.body)};
    net::async_write(socket_, parts,
                     [self = shared_from_this()](error_code ec, size_t) { self->OnWritten(ec); });
  }

  void OnWritten(error_code ec) {
    if (phase_ != Phase::kWriting) return;
    if (ec) return Close();
    is_head_ = false;
    if (answer_to_.keep_alive) return NextRequest();
    if (must_linger_ || buffer_.size() > 0) return Linger();
    Close();
  }

  // Closing with bytes unread would reset the connection and may destroy the answer on its way; so
  // ends the sending side first and swallows what still comes, for a while.
  void Linger() {
    phase_ = Phase::kLingering;
    SetDeadline(std::chrono::steady_clock::now() + kLinger);
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    Swallow();
  }

  void Swallow() {
    buffer_.clear();
    socket_.async_read_some(buffer_.prepare(kBodyReadSize),
                            [self = shared_from_this()](error_code ec, size_t) {
                              if (self->phase_ != Phase::kLingering) return;
                              if (ec) return self->Close();
                              self->Swallow();
                            });
  }

  // One timer a connection, moved only when a deadline comes nearer: in the usual course of
  // requests it is never touched, and a timer that rings early is set again.
  void SetDeadline(SteadyTime deadline) {
    deadline_ = deadline;
    if (deadline < armed_) ArmTimer();
  }

  void ArmTimer() {
    armed_ = deadline_;
    timer_.expires_at(armed_);
    timer_.async_wait([weak = weak_from_this()](error_code ec) {
      const auto self = weak.lock();
      if (!ec && self) self->OnTimer();
    });
  }

  void OnTimer() {
    armed_ = kNever;
    if (phase_ == Phase::kClosed || deadline_ == kNever) return;
    if (std::chrono::steady_clock::now() < deadline_) return ArmTimer();
    if (phase_ != Phase::kHeader && phase_ != Phase::kBody) return Close();
    error_code ignored;
    socket_.cancel(ignored);
    Fail(Error(ErrorCode::kMalformedRequest,
               phase_ == Phase::kHeader ? "The headers of the request did not arrive in time"
                                        : "The body of the request did not arrive in time"),
         408);
  }

  void Close() {
    if (phase_ == Phase::kClosed) return;
    phase_ = Phase::kClosed;
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    worker_.connections.erase(shared_from_this());
    const MutexLock lock(worker_.shared.mutex);
    if (--worker_.shared.open == 0) worker_.shared.closed.NotifyAll();
  }

  Worker& worker_;
  std::shared_ptr<Gate> gate_;
  Socket socket_;
  Timer timer_;
  SteadyTime deadline_ = kNever;
  SteadyTime armed_ = kNever;
  boost::beast::flat_buffer buffer_;
  std::optional<RequestParser> parser_;
  Phase phase_ = Phase::kIdle;
  std::string remote_address_;
  AnswerTo answer_to_;
  bool is_head_ = false;
  bool must_linger_ = false;
  Response response_;
  std::string head_;
};

Pending::~Pending() {
  if (is_sent_) return;
  try {
    Send(ErrorResponse(Error(ErrorCode::kInternal, "The request was dropped without an answer")));
  } catch (const std::exception&) {  // out of memory: the client sees its own timeout
  }
}

void Pending::Send(Response response) {
  if (is_sent_.exchange(true)) return;
  if (current_worker == worker_) {
    if (const auto connection = connection_.lock()) connection->OnResponse(std::move(response));
    return;
  }
  const MutexLock lock(gate_->mutex);
  if (!gate_->is_open) return;
  net::post(worker_->loop, [connection = connection_, response = std::move(response)]() mutable {
    if (const auto alive = connection.lock()) alive->OnResponse(std::move(response));
  });
}

tcp::endpoint LoopbackEndpoint(const ServerOptions& options) {
  error_code ec;
  const auto address =
      net::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, ec);
  if (ec || !address.is_loopback()) {
    throw Error(ErrorCode::kUsage, fmt::format("Not a loopback address: {}", options.address),
                "requests are not authenticated yet, so only this machine may connect: listen on "
                "127.0.0.1 and put a proxy that authenticates in front");
  }
  return {address, options.port};
}

}  // namespace

class Server::Core {
 public:
  Core(ServerOptions options, Handler handler) : endpoint_(LoopbackEndpoint(options)) {
    shared_.options = std::move(options);
    shared_.handler = std::move(handler);
  }
  ~Core() { Stop(std::chrono::milliseconds(0)); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  uint16_t port() const { return port_; }

  void Start() {
    BRAID_CHECK(workers_.empty() && !shared_.is_stopping);
    const size_t threads = std::max<size_t>(1, shared_.options.threads);
    for (size_t i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Worker>(shared_));
    try {
      acceptor_.emplace(workers_.front()->loop, endpoint_);
      port_ = acceptor_->local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      acceptor_.reset();
      workers_.clear();
      throw Error(ErrorCode::kIo,
                  fmt::format("Cannot listen on {}:{}: {}", shared_.options.address,
                              endpoint_.port(), error.code().message()),
                  "choose another port; port 0 picks a free one");
    }
    Accept();
    for (const auto& worker : workers_) {
      worker->thread = std::jthread([loop = worker.get()] {
        current_worker = loop;
        const auto work = net::make_work_guard(loop->loop);
        loop->loop.run();
      });
    }
  }

  void Stop(std::chrono::milliseconds drain) {
    if (workers_.empty()) return;
    shared_.is_stopping = true;
    net::post(workers_.front()->loop, [this] {
      error_code ignored;
      acceptor_->close(ignored);
    });
    for (const auto& worker : workers_) {
      net::post(worker->loop, [worker = worker.get()] {
        const auto connections = worker->connections;  // a copy: closing takes them out
        for (const auto& connection : connections) connection->OnServerStopping();
      });
    }
    WaitUntilClosed(drain);
    {
      const MutexLock lock(gate_->mutex);
      gate_->is_open = false;
    }
    for (const auto& worker : workers_) worker->loop.stop();
    for (const auto& worker : workers_) worker->thread.join();
    acceptor_.reset();
    workers_.clear();
  }

 private:
  void Accept() {
    Worker& worker = *workers_[next_worker_++ % workers_.size()];
    auto connection = std::make_shared<Connection>(worker, gate_);
    Socket& socket = connection->socket();
    acceptor_->async_accept(socket, [this, &worker, connection](error_code ec) {
      if (ec == net::error::operation_aborted || !acceptor_->is_open()) return;
      if (ec) return PauseAccepting();
      Admit(worker, connection);
      Accept();
    });
  }

  void Admit(Worker& worker, const std::shared_ptr<Connection>& connection) {
    bool is_refused = false;
    {
      const MutexLock lock(shared_.mutex);
      is_refused = ++shared_.open > shared_.options.max_connections;
    }
    net::dispatch(worker.loop, [connection, is_refused] { connection->Begin(is_refused); });
  }

  // Accepting fails at once again and again while the process is out of file descriptors.
  void PauseAccepting() {
    pause_.emplace(workers_.front()->loop, kAcceptPause);
    pause_->async_wait([this](error_code ec) {
      if (!ec && acceptor_->is_open()) Accept();
    });
  }

  void WaitUntilClosed(std::chrono::milliseconds drain) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + drain;
    const MutexLock lock(shared_.mutex);
    while (shared_.open > 0) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return;
      shared_.closed.WaitFor(shared_.mutex, left);
    }
  }

  tcp::endpoint endpoint_;
  Shared shared_;
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  uint16_t port_ = 0;
  size_t next_worker_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<Acceptor> acceptor_;
  std::optional<Timer> pause_;
};

Server::Server(ServerOptions options, Handler handler)
    : core_(std::make_unique<Core>(std::move(options), std::move(handler))) {}
Server::~Server() = default;
void Server::Start() { core_->Start(); }
uint16_t Server::port() const { return core_->port(); }
void Server::Stop(std::chrono::milliseconds drain) { core_->Stop(drain); }

}  // namespace braid::http
