// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace braid::app {

// The program `braid`: reads the command line, opens the lake or forwards to who holds it, and
// returns the exit code.
int RunProgram(const std::vector<std::string>& arguments);

}  // namespace braid::app
