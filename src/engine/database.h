// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <string>

namespace braid::engine {

struct DatabaseOptions {
  int threads = 0;                       // 0: all cores
  std::string memory_limit;              // "75%" or "4GB"; empty: DuckDB's default
  std::filesystem::path temp_directory;  // where operators spill; empty: nowhere
  bool with_extensions = true;           // false: nothing can be loaded (a parser instance)
};

// An in-memory DuckDB instance; lakes are attached to it. Extensions are loaded from the folder
// that set-up filled and checked (BRAID_EXTENSIONS overrides it), never from the network.
// Thread-safe.
class Database {
 public:
  explicit Database(const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  struct Handle;  // DuckDB's; seen by this module alone
  Handle& handle() const { return *handle_; }

 private:
  std::unique_ptr<Handle> handle_;
};

// The DuckDB library's version, "v1.5.5".
std::string LibraryVersion();

}  // namespace braid::engine
