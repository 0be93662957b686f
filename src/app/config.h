// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "loop/cron.h"
#include "remote/remote_server.h"

namespace braid::app {

// What `server:` says beside the address.
struct ServerSettings {
  std::string access_log = "off";        // "off", "stderr" or a file's absolute path
  std::chrono::milliseconds timeout{0};  // of a request; 0: none
  std::chrono::milliseconds drain_delay{0};
  size_t max_body_bytes = 8 << 20;
  size_t max_connections = 4096;
  size_t max_queued_requests = 10'000;
};

// When `braid serve` runs the project by itself (docs/schedules.md).
struct Schedule {
  enum class When : uint8_t { kCron, kNewData, kNewLabels };
  When when = When::kCron;
  std::optional<loop::Cron> cron;   // of kCron
  int64_t every_us = 60'000'000;    // of the others: how often it is looked at
  std::vector<std::string> select;  // as of `braid run --select`
  bool full_refresh = false;
  std::string text;  // for messages: "cron 0 3 * * *", "on new_data"
};

// braid.yaml, checked: unknown keys and wrong values are CONFIG_INVALID with file, line, column and
// what was probably meant; ${NAME} is replaced by the environment's value (missing: an error).
struct Config {
  std::string name;
  std::filesystem::path root;  // the folder of braid.yaml, absolute
  std::filesystem::path home;  // lake.home, absolute
  engine::DatabaseOptions engine;
  std::string listen_address = "127.0.0.1";
  uint16_t listen_port = 8080;
  ServerSettings server;
  std::vector<remote::ServerSettings> connections;
  std::vector<Schedule> schedules;
};

// "host:port", "[::1]:8080", port 0 allowed. Throws USAGE.
void ParseListen(const std::string& text, std::string& address, uint16_t& port);

// Reads <root>/braid.yaml.
Config LoadConfig(const std::filesystem::path& root);

// The nearest folder, upward from `start`, that holds braid.yaml.
std::optional<std::filesystem::path> FindProject(const std::filesystem::path& start);

}  // namespace braid::app
