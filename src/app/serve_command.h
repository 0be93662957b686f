// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stop_token>

#include "app/command_line.h"
#include "app/config.h"
#include "app/instance.h"
#include "owner/command.h"

namespace braid::app {

// `braid serve`: answers HTTP until `stop` is requested (SIGINT, SIGTERM), then drains. Returns the
// exit code.
int RunServe(const ServeCommand& command, const Config& config, Instance& instance,
             owner::OutputSink& output, std::stop_token stop);

}  // namespace braid::app
