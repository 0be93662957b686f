// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"

namespace braid::owner {

// Who holds a lake, as the lock file says it.
struct Holder {
  int64_t pid = 0;
  std::string host;
  std::string socket;
};

// The right to write a lake: an flock on <home>/lock, which the kernel drops when the process dies.
// While held, the file says who holds it. Destroy it last, after whatever writes the lake and the
// CommandServer.
class LakeLock {
 public:
  // Creates `home` when it is missing. Empty when somebody else holds the lock; throws Error IO.
  static std::optional<LakeLock> TryAcquire(const std::filesystem::path& home);

  // What the lock file says; empty when it is missing, empty or not ours. May be stale: a holder
  // that was killed leaves its words behind.
  static std::optional<Holder> ReadHolder(const std::filesystem::path& home);

  LakeLock(LakeLock&&) noexcept = default;
  LakeLock& operator=(LakeLock&&) = delete;
  ~LakeLock();

  // The holder before was killed, or did not get as far as SetRecovered.
  bool needs_recovery() const { return needs_recovery_; }
  // What that holder left is put in order. Until then, whoever comes next learns of it too.
  void SetRecovered() { needs_recovery_ = false; }

  const Holder& holder() const { return holder_; }
  const std::string& socket_path() const { return holder_.socket; }

 private:
  LakeLock(FileDescriptor file, Holder holder, bool needs_recovery);

  FileDescriptor file_;
  Holder holder_;
  bool needs_recovery_;
};

// Where the owner of a lake listens: $XDG_RUNTIME_DIR (when it is ours and short enough) or
// /tmp/braid-<uid> (made with mode 0700), then 16 hexadecimal digits of the home's path. Throws
// Error IO when that folder belongs to somebody else or is open to others.
std::string SocketPath(const std::filesystem::path& home);

// This machine's name, as Holder::host has it.
std::string HostName();

}  // namespace braid::owner
