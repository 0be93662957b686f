// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <utility>

#include "base/error.h"
#include "owner/conversation_internal.h"
#include "owner/socket_internal.h"

namespace braid::owner {
namespace {

constexpr size_t kOutputPiece = size_t{1} << 18;

// How often a blocked write asks whether its client has been given up.
constexpr timeval kSendTimeout{.tv_sec = 0, .tv_usec = 200'000};

}  // namespace

bool RunningCommands::TryBegin() {
  MutexLock lock(mutex_);
  if (closed_) return false;
  ++count_;
  return true;
}

void RunningCommands::End() {
  MutexLock lock(mutex_);
  if (--count_ == 0) became_idle_.NotifyAll();
}

void RunningCommands::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
}

bool RunningCommands::idle() const {
  MutexLock lock(mutex_);
  return count_ == 0;
}

bool RunningCommands::WaitIdle(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (count_ > 0) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    became_idle_.WaitFor(mutex_, left);
  }
  return true;
}

void RunningCommands::WaitIdle() {
  MutexLock lock(mutex_);
  while (count_ > 0) became_idle_.Wait(mutex_);
}

class Conversation::Output final : public OutputSink {
 public:
  explicit Output(Conversation& conversation) : conversation_(conversation) {}
  void Out(std::string_view bytes) override { Write(FrameType::kOut, bytes); }
  void Err(std::string_view bytes) override { Write(FrameType::kErr, bytes); }

 private:
  // What nobody is there to read is dropped; the command hears of it by its stop token.
  void Write(FrameType type, std::string_view bytes) {
    MutexLock lock(mutex_);
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kOutputPiece);
      if (!conversation_.Send(type, piece)) return;
      bytes.remove_prefix(piece.size());
    }
  }

  Conversation& conversation_;
  Mutex mutex_;  // before send_mutex_: the pieces of one call stay together
};

Conversation::Conversation(FileDescriptor socket, const CommandServer::HandlerFactory& factory,
                           RunningCommands& running, std::function<void()> ended)
    : socket_(std::move(socket)), factory_(factory), running_(running), ended_(std::move(ended)) {
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof kSendTimeout);
  reader_ = std::thread([this] { Read(); });
}

Conversation::~Conversation() {
  Close();
  reader_.join();
}

void Conversation::StopCommand() {
  given_up_.request_stop();
  RequestStop();
}

void Conversation::Close() { shutdown(socket_.get(), SHUT_RDWR); }

void Conversation::Converse() {
  try {
    bool goes_on = Greet();
    while (goes_on) {
      const std::optional<Frame> frame = ReceiveFrame(socket_, decoder_);
      goes_on = frame && Handle(*frame);
    }
  } catch (const std::exception&) {
    // Malformed bytes, or no memory or thread for what they ask: that is this client's end alone.
    return;
  }
}

void Conversation::Read() {
  Converse();
  Close();
  RequestStop();
  {
    MutexLock lock(mutex_);
    is_leaving_ = true;
    changed_.NotifyAll();
  }
  if (runner_.joinable()) runner_.join();
  is_over_ = true;
  ended_();
}

bool Conversation::Greet() {
  const std::optional<Frame> hello = ReceiveFrame(socket_, decoder_);
  if (!hello || hello->type != FrameType::kHello) return false;
  const uint32_t version = DecodeNumber(hello->payload);
  if (version == kProtocolVersion) {
    return Send(FrameType::kWelcome, EncodeNumber(kProtocolVersion));
  }
  Send(FrameType::kRefusal,
       fmt::format("it speaks version {} of the protocol, not {}", kProtocolVersion, version));
  return false;
}

bool Conversation::Handle(const Frame& frame) {
  if (frame.type == FrameType::kInterrupt) {
    RequestStop();
    return true;
  }
  return frame.type == FrameType::kRun && Enqueue(DecodeCommand(frame.payload));
}

bool Conversation::Enqueue(ForwardedCommand command) {
  if (!runner_.joinable()) runner_ = std::thread([this] { RunCommands(); });
  {
    MutexLock lock(mutex_);
    if (has_command_) return false;
    // Before TryBegin: who sees that the command runs can stop it.
    stop_ = std::stop_source();
    has_command_ = true;
  }
  if (!running_.TryBegin()) return false;
  MutexLock lock(mutex_);
  waiting_ = std::move(command);
  changed_.NotifyAll();
  return true;
}

void Conversation::RequestStop() {
  std::stop_source stop(std::nostopstate);
  {
    MutexLock lock(mutex_);
    // A Ctrl-C that came too late is not meant for the next command.
    if (has_command_) stop = stop_;
  }
  // Outside the lock: this calls whatever the command has registered.
  stop.request_stop();
}

void Conversation::RunCommands() {
  std::unique_ptr<CommandHandler> handler;
  while (const std::optional<Command> command = NextCommand()) RunCommand(handler, *command);
}

std::optional<Conversation::Command> Conversation::NextCommand() {
  MutexLock lock(mutex_);
  while (!waiting_ && !is_leaving_) changed_.Wait(mutex_);
  if (!waiting_) return std::nullopt;
  Command command{std::move(*waiting_), stop_.get_token()};
  waiting_.reset();
  return command;
}

void Conversation::RunCommand(std::unique_ptr<CommandHandler>& handler, const Command& command) {
  int exit_code = 1;
  // A client that has not been told may run the command elsewhere.
  if (Send(FrameType::kStarted, "")) exit_code = Execute(handler, command);
  {
    // Before the client hears of the end: it may send the next command at once.
    MutexLock lock(mutex_);
    has_command_ = false;
  }
  Send(FrameType::kExit, EncodeNumber(static_cast<uint32_t>(exit_code)));
  running_.End();
}

int Conversation::Execute(std::unique_ptr<CommandHandler>& handler, const Command& command) {
  Output output(*this);
  try {
    if (!handler) handler = factory_();
    return handler->Run(command.what, output, command.stop);
  } catch (const Error& error) {
    output.Err(error.ToText());
  } catch (const std::exception& error) {
    output.Err(
        Error(ErrorCode::kInternal, fmt::format("Command failed: {}", error.what())).ToText());
  }
  return 1;
}

bool Conversation::Send(FrameType type, std::string_view payload) {
  MutexLock lock(send_mutex_);
  if (is_broken_) return false;
  is_broken_ = !SendAll(socket_, EncodeFrame(type, payload), given_up_.get_token());
  // The reading thread wakes and requests the command's stop.
  if (is_broken_) Close();
  return !is_broken_;
}

}  // namespace braid::owner
