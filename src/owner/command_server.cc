// SPDX-License-Identifier: Apache-2.0
#include "owner/command_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <list>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "owner/conversation_internal.h"
#include "owner/socket_internal.h"

namespace braid::owner {
namespace {

// How long accepting pauses when the process is out of descriptors, memory or threads.
constexpr std::chrono::milliseconds kExhaustedPause{100};

FileDescriptor Listen(const std::string& path) {
  const std::optional<sockaddr_un> address = SocketAddress(path);
  if (!address) throw Error(ErrorCode::kIo, "Path is too long for a socket: " + path);
  FileDescriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.is_open()) ThrowErrno("Cannot create socket", path);
  // Before bind, so that the file never has another mode.
  if (fchmod(listener.get(), 0600) != 0) ThrowErrno("Cannot set mode of socket", path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) ThrowErrno("Cannot replace socket", path);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      listen(listener.get(), SOMAXCONN) != 0) {
    ThrowErrno("Cannot listen on socket", path);
  }
  return listener;
}

}  // namespace

struct CommandServer::State {
  State(std::string path, HandlerFactory made_by, CommandServerOptions given)
      : socket_path(std::move(path)), factory(std::move(made_by)), options(given) {}

  void AcceptLoop();
  bool Wait(std::chrono::milliseconds exhausted_pause);  // true: somebody may be there
  bool AcceptOne();                                      // false: exhausted
  void Wake() { eventfd_write(wake.get(), 1); }

  const std::string socket_path;
  const HandlerFactory factory;
  const CommandServerOptions options;
  RunningCommands running;
  std::atomic<size_t> connected = 0;
  std::atomic<bool> is_stopping = false;
  bool is_started = false;  // Start's and Stop's thread alone
  FileDescriptor wake;
  FileDescriptor listener;
  std::thread acceptor;
  std::list<Conversation> conversations;  // the acceptor's, and Stop's once that has ended
};

void CommandServer::State::AcceptLoop() {
  bool exhausted = false;
  while (!is_stopping) {
    const bool is_asked =
        Wait(exhausted ? kExhaustedPause : std::chrono::milliseconds(0)) && !is_stopping;
    exhausted = false;
    conversations.remove_if([](const Conversation& one) { return one.is_over(); });
    if (is_asked) exhausted = !AcceptOne();
  }
}

bool CommandServer::State::Wait(std::chrono::milliseconds exhausted_pause) {
  std::array<pollfd, 2> entries = {{{.fd = wake.get(), .events = POLLIN, .revents = 0},
                                    {.fd = listener.get(), .events = POLLIN, .revents = 0}}};
  const bool pauses = exhausted_pause.count() > 0;
  // A listener that cannot be served stays readable.
  if (poll(entries.data(), pauses ? 1 : 2,
           pauses ? static_cast<int>(exhausted_pause.count()) : -1) < 0) {
    return false;
  }
  eventfd_t ignored = 0;
  if (entries[0].revents != 0) eventfd_read(wake.get(), &ignored);
  return pauses || entries[1].revents != 0;
}

bool CommandServer::State::AcceptOne() {
  FileDescriptor socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket.is_open()) {
    return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
  }
  if (connected >= options.max_conversations || !PeerIsSameUser(socket)) return true;
  ++connected;
  try {
    conversations.emplace_back(std::move(socket), factory, running, [this] {
      --connected;
      Wake();
    });
  } catch (const std::exception&) {
    --connected;
    return false;
  }
  return true;
}

CommandServer::CommandServer(std::string socket_path, HandlerFactory factory,
                             CommandServerOptions options)
    : state_(std::make_unique<State>(std::move(socket_path), std::move(factory), options)) {}

CommandServer::~CommandServer() { Stop(std::chrono::milliseconds(0)); }

void CommandServer::Start() {
  State& state = *state_;
  BRAID_CHECK(!state.is_started && !state.is_stopping);
  state.wake = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state.wake.is_open()) ThrowErrno("Cannot create event for socket", state.socket_path);
  state.listener = Listen(state.socket_path);
  state.acceptor = std::thread([&state] { state.AcceptLoop(); });
  state.is_started = true;
}

void CommandServer::Stop(std::chrono::milliseconds drain) {
  State& state = *state_;
  if (!state.is_started || state.is_stopping) return;
  state.is_stopping = true;
  state.running.Close();
  state.Wake();
  state.acceptor.join();
  // Now, not at the end: who comes meanwhile waits for the lock and not for an answer.
  state.listener.Close();
  unlink(state.socket_path.c_str());
  if (!state.running.WaitIdle(drain)) {
    for (Conversation& one : state.conversations) one.StopCommand();
    state.running.WaitIdle();
  }
  state.conversations.clear();
}

bool CommandServer::idle() const { return state_->running.idle(); }

bool CommandServer::WaitIdle(std::chrono::milliseconds timeout) {
  return state_->running.WaitIdle(timeout);
}

size_t CommandServer::conversations() const { return state_->connected; }

}  // namespace braid::owner
