// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "remote/remote_server.h"

namespace braid::app {

// braid.yaml, checked: unknown keys and wrong values are CONFIG_INVALID with file, line, column and
// what was probably meant; ${NAME} is replaced by the environment's value (missing: an error).
struct Config {
  std::string name;
  std::filesystem::path root;  // the folder of braid.yaml, absolute
  std::filesystem::path home;  // lake.home, absolute
  engine::DatabaseOptions engine;
  std::string listen_address = "127.0.0.1";
  uint16_t listen_port = 8080;
  std::vector<remote::ServerSettings> connections;
};

// "host:port", "[::1]:8080", port 0 allowed. Throws USAGE.
void ParseListen(const std::string& text, std::string& address, uint16_t& port);

// Reads <root>/braid.yaml.
Config LoadConfig(const std::filesystem::path& root);

// The nearest folder, upward from `start`, that holds braid.yaml.
std::optional<std::filesystem::path> FindProject(const std::filesystem::path& start);

}  // namespace braid::app
