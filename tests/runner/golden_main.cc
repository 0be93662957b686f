// SPDX-License-Identifier: Apache-2.0
// golden_runner [--threads N] [--restart-each] [--rewrite] [--data DIR] FILE
// Exit: 0 as expected, 1 something differs, 2 wrong usage or a file that is written wrongly.
#include <fmt/format.h>

#include <charconv>
#include <exception>
#include <span>
#include <string_view>

#include "golden_runner.h"

namespace {

bool ParseArguments(std::span<char*> arguments, braid::golden::RunnerOptions& options) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    const bool has_next = i + 1 < arguments.size();
    if (word == "--restart-each") {
      options.restart_each = true;
    } else if (word == "--rewrite") {
      options.rewrite = true;
    } else if (word == "--data" && has_next) {
      options.data = arguments[++i];
    } else if (word == "--threads" && has_next) {
      const std::string_view count = arguments[++i];
      const auto parsed =
          std::from_chars(count.data(), count.data() + count.size(), options.threads);
      if (parsed.ec != std::errc() || parsed.ptr != count.data() + count.size()) return false;
    } else if (!word.starts_with("--") && options.file.empty()) {
      options.file = word;
    } else {
      return false;
    }
  }
  return !options.file.empty() && options.threads >= 0;
}

}  // namespace

int main(int count, char** words) {
  braid::golden::RunnerOptions options{.file = {}, .data = "tests/data"};
  if (!ParseArguments(std::span(words, static_cast<size_t>(count)).subspan(1), options)) {
    fmt::print(
        stderr,
        "usage: golden_runner [--threads N] [--restart-each] [--rewrite] [--data DIR] FILE\n");
    return 2;
  }
  try {
    return braid::golden::Runner(options).Run() == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", options.file.string(), error.what());
    return 2;
  }
}
