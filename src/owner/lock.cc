// SPDX-License-Identifier: Apache-2.0
#include "owner/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "base/hash.h"

namespace braid::owner {
namespace {

constexpr size_t kHashDigits = 16;
constexpr size_t kMaxLockFile = 4096;

std::filesystem::path LockFile(const std::filesystem::path& home) { return home / "lock"; }

std::string HolderText(const Holder& holder) {
  return fmt::format("pid {}\nhost {}\nsocket {}\n", holder.pid, holder.host, holder.socket);
}

// Cuts "<key> <value>\n" off the front of `text`.
std::optional<std::string_view> TakeLine(std::string_view& text, std::string_view key) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (!line.starts_with(key) || line.size() < key.size() + 2) return std::nullopt;
  if (line[key.size()] != ' ') return std::nullopt;
  return line.substr(key.size() + 1);
}

std::optional<Holder> ParseHolder(std::string_view text) {
  const std::optional<std::string_view> pid = TakeLine(text, "pid");
  const std::optional<std::string_view> host = TakeLine(text, "host");
  const std::optional<std::string_view> socket = TakeLine(text, "socket");
  if (!pid || !host || !socket || !text.empty()) return std::nullopt;
  Holder holder{.host = std::string(*host), .socket = std::string(*socket)};
  const char* begin = pid->data();
  const char* end = begin + pid->size();
  const std::from_chars_result parsed = std::from_chars(begin, end, holder.pid);
  if (parsed.ec != std::errc() || parsed.ptr != end || holder.pid <= 0) return std::nullopt;
  return holder;
}

// False when somebody else holds it.
bool TryFlock(const FileDescriptor& file, const std::filesystem::path& path) {
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) ThrowErrno("Cannot lock file", path);
  }
  return true;
}

// Whether the file that was opened still has its name: who removes the home makes a lock on it
// worthless.
bool IsStillThere(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat opened = {};
  struct stat named = {};
  if (fstat(file.get(), &opened) != 0) ThrowErrno("Cannot read status of file", path);
  if (stat(path.c_str(), &named) != 0) return false;
  return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

void WriteHolder(const FileDescriptor& file, const Holder& holder,
                 const std::filesystem::path& path) {
  const std::string text = HolderText(holder);
  // The file is at no time empty: who is killed here leaves words as well.
  if (pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ftruncate(file.get(), static_cast<off_t>(text.size())) != 0) {
    ThrowErrno("Cannot write file", path);
  }
}

// A holder that leaves in order takes its words with it.
bool HasWords(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) ThrowErrno("Cannot read status of file", path);
  return status.st_size > 0;
}

bool IsPrivateFolder(const std::filesystem::path& folder) {
  struct stat status = {};
  if (lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  return status.st_uid == geteuid() && (status.st_mode & 0077) == 0;
}

}  // namespace

std::optional<LakeLock> LakeLock::TryAcquire(const std::filesystem::path& home) {
  std::error_code failure;
  std::filesystem::create_directories(home, failure);
  if (failure) {
    throw Error(ErrorCode::kIo,
                fmt::format("Cannot create folder: {} ({})", home.string(), failure.message()));
  }
  Holder holder{.pid = getpid(), .host = HostName(), .socket = SocketPath(home)};
  const std::filesystem::path path = LockFile(home);
  for (;;) {
    FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file.is_open()) ThrowErrno("Cannot open file", path);
    if (!TryFlock(file, path)) return std::nullopt;
    if (!IsStillThere(file, path)) continue;
    const bool needs_recovery = HasWords(file, path);
    WriteHolder(file, holder, path);
    return LakeLock(std::move(file), std::move(holder), needs_recovery);
  }
}

std::optional<Holder> LakeLock::ReadHolder(const std::filesystem::path& home) {
  const std::filesystem::path path = LockFile(home);
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() && errno == ENOENT) return std::nullopt;
  if (!file.is_open()) ThrowErrno("Cannot open file", path);
  std::array<char, kMaxLockFile> text;
  const ssize_t got = pread(file.get(), text.data(), text.size(), 0);
  if (got < 0) ThrowErrno("Cannot read file", path);
  return ParseHolder({text.data(), static_cast<size_t>(got)});
}

LakeLock::LakeLock(FileDescriptor file, Holder holder, bool needs_recovery)
    : file_(std::move(file)), holder_(std::move(holder)), needs_recovery_(needs_recovery) {}

LakeLock::~LakeLock() {
  // A fork of the holder shares the lock, and may not take it away from its parent.
  if (!file_.is_open() || holder_.pid != getpid()) return;
  if (!needs_recovery_ && ftruncate(file_.get(), 0) != 0) {
    // Stale words are what a killed holder leaves too.
  }
  // Closing alone would leave the lock with a child that is between fork and exec.
  flock(file_.get(), LOCK_UN);
}

std::string SocketPath(const std::filesystem::path& home) {
  std::error_code failure;
  std::filesystem::path canonical = std::filesystem::weakly_canonical(home, failure);
  if (failure) canonical = std::filesystem::absolute(home);
  const std::string name = Sha256Hex(canonical.string()).substr(0, kHashDigits);

  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/' && IsPrivateFolder(runtime)) {
    std::string path = fmt::format("{}/braid-{}", runtime, name);
    if (path.size() < sizeof(sockaddr_un::sun_path)) return path;
  }
  const std::string folder = fmt::format("/tmp/braid-{}", geteuid());
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    ThrowErrno("Cannot create folder", folder);
  }
  if (!IsPrivateFolder(folder)) {
    throw Error(ErrorCode::kIo, "Folder for sockets is not ours alone: " + folder,
                "remove it, or set XDG_RUNTIME_DIR to a folder of mode 0700 that you own");
  }
  return fmt::format("{}/{}", folder, name);
}

std::string HostName() {
  std::array<char, 256> name = {};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace braid::owner
