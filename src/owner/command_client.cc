// SPDX-License-Identifier: Apache-2.0
#include "owner/command_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "owner/command_protocol.h"
#include "owner/socket_internal.h"

namespace braid::owner {
namespace {

constexpr const char* kOtherVersionHint =
    "stop that process, or use the version of Braid that it has";

// For connecting, sending and receiving; zero is none.
void SetTimeout(const FileDescriptor& socket, std::chrono::milliseconds timeout) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const std::chrono::microseconds rest = timeout - seconds;
  timeval value{};
  value.tv_sec = static_cast<time_t>(seconds.count());
  value.tv_usec = static_cast<suseconds_t>(rest.count());
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value);
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
}

[[noreturn]] void ThrowOtherUser(const std::string& path) {
  throw Error(ErrorCode::kIo, "Socket belongs to another user: " + path,
              "run the command as the user whose process holds the lake");
}

// A closed descriptor when nobody listens there, or takes no more.
FileDescriptor OpenSocket(const std::string& path, std::chrono::milliseconds timeout) {
  const std::optional<sockaddr_un> address = SocketAddress(path);
  if (!address) return {};
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) ThrowErrno("Cannot create socket", path);
  SetTimeout(socket, timeout);
  while (connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) !=
         0) {
    if (errno == EINTR) continue;
    if (errno == EACCES || errno == EPERM) ThrowOtherUser(path);
    return {};
  }
  if (!PeerIsSameUser(socket)) ThrowOtherUser(path);
  return socket;
}

// False when the holder leaves instead of answering.
bool ShakeHands(const FileDescriptor& socket, FrameDecoder& decoder) {
  if (!SendAll(socket, EncodeFrame(FrameType::kHello, EncodeNumber(kProtocolVersion)))) {
    return false;
  }
  try {
    const std::optional<Frame> answer = ReceiveFrame(socket, decoder);
    if (!answer) return false;
    if (answer->type == FrameType::kWelcome && DecodeNumber(answer->payload) == kProtocolVersion) {
      return true;
    }
    const bool says_why = answer->type == FrameType::kRefusal;
    throw Error(ErrorCode::kLakeBusy,
                fmt::format("The lake is held by another version of Braid: {}",
                            says_why ? answer->payload : "it gave an unknown answer"),
                kOtherVersionHint);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kMalformedRequest) throw;
    throw Error(ErrorCode::kLakeBusy,
                "The lake is held by another version of Braid: it speaks another protocol",
                kOtherVersionHint);
  }
}

}  // namespace

struct CommandClient::State {
  // Runs a command that has been sent; see CommandClient::Run.
  std::optional<int> Follow(OutputSink& output);
  bool Begin(std::string_view frame);
  void End(bool is_over);

  Mutex mutex;  // sending, closing
  FileDescriptor socket;
  FrameDecoder decoder;
  bool is_running GUARDED_BY(mutex) = false;
};

bool CommandClient::State::Begin(std::string_view frame) {
  MutexLock lock(mutex);
  if (!socket.is_open() || !SendAll(socket, frame)) return false;
  is_running = true;
  return true;
}

void CommandClient::State::End(bool is_over) {
  MutexLock lock(mutex);
  is_running = false;
  if (is_over) socket.Close();
}

std::optional<int> CommandClient::State::Follow(OutputSink& output) {
  bool has_started = false;
  try {
    while (const std::optional<Frame> frame = ReceiveFrame(socket, decoder)) {
      if (!has_started) {
        if (frame->type != FrameType::kStarted) break;
        has_started = true;
      } else if (frame->type == FrameType::kOut) {
        output.Out(frame->payload);
      } else if (frame->type == FrameType::kErr) {
        output.Err(frame->payload);
      } else if (frame->type == FrameType::kExit) {
        return static_cast<int>(DecodeNumber(frame->payload));
      } else {
        break;
      }
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kMalformedRequest) throw;
  }
  if (!has_started) return std::nullopt;
  throw Error(ErrorCode::kIo, "The process that holds the lake ended while it ran the command",
              "look into braid.run for what was done, then try again");
}

CommandClient::CommandClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
CommandClient::CommandClient(CommandClient&&) noexcept = default;
CommandClient& CommandClient::operator=(CommandClient&&) noexcept = default;
CommandClient::~CommandClient() = default;

std::optional<CommandClient> CommandClient::Connect(const std::string& socket_path,
                                                    std::chrono::milliseconds timeout) {
  auto state = std::make_unique<State>();
  // Zero would mean for ever.
  state->socket = OpenSocket(socket_path, std::max(timeout, std::chrono::milliseconds(1)));
  if (!state->socket.is_open() || !ShakeHands(state->socket, state->decoder)) return std::nullopt;
  SetTimeout(state->socket, std::chrono::milliseconds(0));
  return CommandClient(std::move(state));
}

std::optional<int> CommandClient::Run(const ForwardedCommand& command, OutputSink& output) {
  const std::string frame = EncodeFrame(FrameType::kRun, EncodeCommand(command));
  State& state = *state_;
  std::optional<int> exit_code;
  try {
    if (state.Begin(frame)) exit_code = state.Follow(output);
  } catch (...) {
    // Also when `output` failed: with the conversation closed, the command stops over there.
    state.End(true);
    throw;
  }
  state.End(!exit_code);
  return exit_code;
}

bool CommandClient::Interrupt() {
  MutexLock lock(state_->mutex);
  return state_->is_running && SendAll(state_->socket, EncodeFrame(FrameType::kInterrupt, ""));
}

}  // namespace braid::owner
