// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/file.h"
#include "base/mutex.h"
#include "owner/command_protocol.h"
#include "owner/command_server.h"

namespace braid::owner {

// How many commands run, and whether more may begin. Thread-safe.
class RunningCommands {
 public:
  bool TryBegin();  // false once closed
  void End();
  void Close();
  bool idle() const;
  bool WaitIdle(std::chrono::milliseconds timeout);  // false: the time ran out
  void WaitIdle();

 private:
  mutable Mutex mutex_;
  ConditionVariable became_idle_;
  size_t count_ GUARDED_BY(mutex_) = 0;
  bool closed_ GUARDED_BY(mutex_) = false;
};

// The server's end of one connection. One thread reads, so that Ctrl-C and a client's end are heard
// while a command runs; a second one, made for the first command, runs them. Thread-safe.
class Conversation {
 public:
  // All references must outlive it. `ended` is the last thing that its threads do.
  Conversation(FileDescriptor socket, const CommandServer::HandlerFactory& factory,
               RunningCommands& running, std::function<void()> ended);
  ~Conversation();  // closes, and waits for the command
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // Requests the stop of the command that runs, and gives up on a client that does not read.
  void StopCommand();
  // To the client it looks as if this process had ended.
  void Close();
  bool is_over() const { return is_over_; }

 private:
  class Output;
  struct Command {
    ForwardedCommand what;
    std::stop_token stop;
  };

  // The reading thread.
  void Read();
  void Converse();  // until the client is gone, or says what it may not
  bool Greet();
  bool Handle(const Frame& frame);  // false: the conversation is over
  bool Enqueue(ForwardedCommand command);
  void RequestStop();

  // The running thread.
  void RunCommands();
  std::optional<Command> NextCommand();
  void RunCommand(std::unique_ptr<CommandHandler>& handler, const Command& command);
  int Execute(std::unique_ptr<CommandHandler>& handler, const Command& command);

  bool Send(FrameType type, std::string_view payload);  // false: the client is gone

  const FileDescriptor socket_;
  const CommandServer::HandlerFactory& factory_;
  RunningCommands& running_;
  const std::function<void()> ended_;
  FrameDecoder decoder_;
  std::atomic<bool> is_over_ = false;
  std::stop_source given_up_;

  Mutex send_mutex_;
  bool is_broken_ GUARDED_BY(send_mutex_) = false;

  Mutex mutex_;
  ConditionVariable changed_;
  std::optional<ForwardedCommand> waiting_ GUARDED_BY(mutex_);
  std::stop_source stop_ GUARDED_BY(mutex_);
  bool has_command_ GUARDED_BY(mutex_) = false;
  bool is_leaving_ GUARDED_BY(mutex_) = false;

  std::thread runner_;  // the reading thread's alone
  std::thread reader_;
};

}  // namespace braid::owner
