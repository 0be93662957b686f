// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/output.h"

namespace braid::app {

struct InitCommand {
  std::string folder;
  std::string template_name = "empty";
};
struct PlanCommand {
  std::vector<std::string> select;
  bool full_refresh = false;
};
struct RunCommand {
  std::vector<std::string> select;
  bool full_refresh = false;
};
struct SqlCommand {
  std::optional<std::string> query;  // an argument
  std::optional<std::string> file;   // -f FILE; "-" is standard input
};
struct ServeCommand {
  std::optional<std::string> listen;
};
struct CheckCommand {};

// What was typed, read but not carried out.
struct CommandLine {
  std::string directory;  // -C DIR; empty: search upward from the working directory
  OutputFormat format = OutputFormat::kTable;
  std::chrono::milliseconds wait{60'000};  // --wait SECONDS
  std::variant<InitCommand, PlanCommand, RunCommand, SqlCommand, ServeCommand, CheckCommand>
      command;
};

// Either a command line, or text to print with an exit code (--help, --version: 0; wrong usage: 2
// on standard error).
struct ParsedText {
  std::string text;
  int exit_code = 0;
};
std::variant<CommandLine, ParsedText> ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace braid::app
