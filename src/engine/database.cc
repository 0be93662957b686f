// SPDX-License-Identifier: Apache-2.0
#include "engine/database.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>

#include "engine/duckdb_internal.h"

namespace braid::engine {

namespace {

// Bytes of memory that this process may use: the machine's, or its control group's when that is
// less.
uint64_t AvailableMemory() {
  uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                   static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  uint64_t group = 0;
  if (limit >> group) bytes = std::min(bytes, group);
  return bytes;
}

// DuckDB takes a percentage of the machine's memory too, but knows nothing of control groups.
std::string MemoryLimit(const std::string& text) {
  if (!text.ends_with('%')) return text;
  double percent = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size() - 1, percent);
  if (parsed.ec != std::errc() || percent <= 0 || percent > 100)
    throw Error(ErrorCode::kConfigInvalid, "Not a memory limit: " + text,
                "write a share such as 75% or a size such as 4GB");
  return fmt::format(
      "{}MiB", static_cast<uint64_t>(percent / 100 * static_cast<double>(AvailableMemory())) >> 20);
}

std::string ExtensionFolder() {
  const char* folder = std::getenv("BRAID_EXTENSIONS");
  return folder != nullptr ? folder : BRAID_EXTENSION_DIRECTORY;
}

class Configuration {
 public:
  Configuration() { duckdb_create_config(&config_); }
  ~Configuration() { duckdb_destroy_config(&config_); }
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;
  void Set(const char* name, const std::string& value) {
    if (duckdb_set_config(config_, name, value.c_str()) != DuckDBSuccess)
      throw Error(ErrorCode::kConfigInvalid, fmt::format("Not a valid {}: {}", name, value));
  }
  duckdb_config get() const { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

void LoadExtensions(Database& database) {
  Connection connection(database);
  for (const char* extension : {"ducklake", "sqlite_scanner"}) {
    try {
      connection.Execute(std::string("LOAD ") + extension);
    } catch (const Error& error) {
      throw Error(ErrorCode::kIo,
                  fmt::format("Cannot load DuckDB's extension {}: {}", extension, error.message()),
                  "run tools/setup.sh, or set BRAID_EXTENSIONS to the folder that holds the "
                  "extensions of DuckDB " +
                      LibraryVersion());
    }
  }
  connection.Execute("SET GLOBAL allow_unsigned_extensions = false");
}

}  // namespace

Database::Database(const DatabaseOptions& options) : handle_(std::make_unique<Handle>()) {
  Configuration configuration;
  configuration.Set("autoinstall_known_extensions", "false");
  if (options.with_extensions) {
    configuration.Set("extension_directory", ExtensionFolder());
    // Set-up has checked the files by hash; DuckDB's own signature check costs 130 ms for each.
    configuration.Set("allow_unsigned_extensions", "true");
  } else {
    configuration.Set("autoload_known_extensions", "false");
  }
  if (options.threads > 0) configuration.Set("threads", std::to_string(options.threads));
  if (!options.memory_limit.empty())
    configuration.Set("memory_limit", MemoryLimit(options.memory_limit));
  if (!options.temp_directory.empty())
    configuration.Set("temp_directory", options.temp_directory.string());
  char* message = nullptr;
  if (duckdb_open_ext(":memory:", &handle_->database, configuration.get(), &message) !=
      DuckDBSuccess)
    throw Error(ErrorCode::kConfigInvalid, "Cannot open DuckDB: " + TakeText(message));
  if (options.with_extensions) LoadExtensions(*this);
}

Database::~Database() = default;

std::string LibraryVersion() { return duckdb_library_version(); }

}  // namespace braid::engine
