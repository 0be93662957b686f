// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "owner/command.h"

namespace braid::owner {

struct CommandServerOptions {
  size_t max_conversations = 64;  // one more is closed at once, and its client waits
};

// Runs other processes' commands in this one, over the Unix socket of a LakeLock (mode 0600, peers
// of the same user only). Each connection is a conversation with a handler and threads of its own;
// what a client sends can end its own conversation only. Start and Stop from one thread, the rest
// from any.
class CommandServer {
 public:
  using HandlerFactory = std::function<std::unique_ptr<CommandHandler>()>;

  // `factory` is called from the conversation's thread, at its first command.
  CommandServer(std::string socket_path, HandlerFactory factory, CommandServerOptions options = {});
  ~CommandServer();  // as Stop(0)
  CommandServer(const CommandServer&) = delete;
  CommandServer& operator=(const CommandServer&) = delete;

  // Replaces a stale socket file and listens. Throws Error IO.
  void Start();

  // Takes no more commands, lets running ones finish for `drain`, then requests their stop, and
  // once they have returned closes all conversations and removes the socket. Idempotent.
  void Stop(std::chrono::milliseconds drain = std::chrono::seconds(10));

  bool idle() const;                                 // no command runs
  bool WaitIdle(std::chrono::milliseconds timeout);  // false: the time ran out
  size_t conversations() const;                      // clients connected now

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::owner
