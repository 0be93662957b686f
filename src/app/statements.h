// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "flow/runner.h"
#include "session/session.h"

namespace braid::app {

// What Braid's own statements need beyond their session.
struct StatementServices {
  std::filesystem::path root;  // what relative paths mean
  // Brings one declaration about as a journalled run of its own.
  std::function<flow::RunSummary(const catalog::Object&, const std::string& command,
                                 flow::RunObserver&, std::stop_token)>
      run_one;
  std::function<void()> move_captured;
  std::function<void()> changed;  // after a commit that changes what exists
};

// Carries out CREATE …, EXPORT MODEL, ALTER MODEL, DROP …, SHOW … and DESCRIBE ….
session::StatementHandler MakeStatementHandler(StatementServices services);

}  // namespace braid::app
