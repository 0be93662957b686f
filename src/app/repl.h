// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string_view>

namespace braid::app {

struct ReplHooks {
  std::function<int(std::string_view statement)>
      execute;                      // one statement with its semicolon; shows its own errors
  std::function<void()> interrupt;  // from another thread, while execute runs
};

// The prompt of `braid sql`: line editing and a history file, statements over several lines. Ctrl-C
// clears what was typed, or stops what runs; Ctrl-D, exit and quit leave. Returns the exit code.
int RunRepl(const ReplHooks& hooks);

}  // namespace braid::app
