// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <filesystem>
#include <stop_token>
#include <variant>

#include "owner/command_client.h"
#include "owner/lock.h"

namespace braid::owner {

// Either the lake is ours, or a conversation with the process that has it.
using Access = std::variant<LakeLock, CommandClient>;

// Takes the lock, or else reaches its holder; tries again for up to `wait` while the holder does
// not listen (it starts, leaves, or is on another machine). At least one try is made. Throws Error
// LAKE_BUSY naming the holder when the time is up, INTERRUPTED when `stop` is requested.
Access OpenLake(const std::filesystem::path& home, std::chrono::milliseconds wait,
                const std::stop_token& stop = {});

}  // namespace braid::owner
