// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "owner/command.h"

namespace braid::owner {

// One conversation with the process that holds the lake. Run from one thread at a time; Interrupt
// from any other.
class CommandClient {
 public:
  // Empty when nobody listens there, or does not answer in time (a holder that starts or leaves).
  // Throws Error LAKE_BUSY when the holder speaks another version of the protocol, IO when the
  // socket belongs to another user.
  static std::optional<CommandClient> Connect(
      const std::string& socket_path, std::chrono::milliseconds timeout = std::chrono::seconds(5));

  CommandClient(CommandClient&&) noexcept;
  CommandClient& operator=(CommandClient&&) noexcept;
  ~CommandClient();

  // Runs a command over there and returns its exit code; its output reaches `output` as it comes.
  // Empty when the holder left without having begun the command: open the lake again. Throws Error
  // IO when the holder dies while it runs (what was done stands in braid.run), TOO_LARGE for a
  // command over 64 MiB. After either of the first two the conversation is over.
  std::optional<int> Run(const ForwardedCommand& command, OutputSink& output);

  // Asks the running command to stop. False when none runs.
  bool Interrupt();

 private:
  struct State;
  explicit CommandClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace braid::owner
