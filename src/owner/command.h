// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace braid::owner {

// A command line on its way to the process that holds the lake.
struct ForwardedCommand {
  std::vector<std::string> arguments;  // without the program's name
  std::string working_directory;
  std::string standard_input;
  bool stdout_is_terminal = false;
  bool stderr_is_terminal = false;
  std::map<std::string, std::string> environment;  // what the command may need, not all

  bool operator==(const ForwardedCommand&) const = default;
};

// Where a command writes. Calls may block while the reader is slow. Thread-safe.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void Out(std::string_view bytes) = 0;
  virtual void Err(std::string_view bytes) = 0;
};

// Runs the commands of one conversation, one after the other, and keeps what lives between them,
// such as an open SQL transaction. Destroyed when the client is gone: what is open then is rolled
// back.
class CommandHandler {
 public:
  virtual ~CommandHandler() = default;
  // Returns the exit code. Ends soon after `stop` is requested (Ctrl-C, client gone, server
  // stopping). What it throws becomes text on standard error and exit code 1.
  virtual int Run(const ForwardedCommand& command, OutputSink& output, std::stop_token stop) = 0;
};

}  // namespace braid::owner
