// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "app/command_line.h"

namespace braid::app {

// `braid init DIR`: writes a small working project. Throws PROJECT_EXISTS when the folder holds
// one, or a file that would be overwritten; USAGE for an unknown template. Returns what to tell the
// user.
std::string InitProject(const InitCommand& command);

}  // namespace braid::app
