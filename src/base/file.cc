// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace braid {

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() { Close(); }

void FileDescriptor::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void ThrowErrno(std::string_view what, const std::filesystem::path& path) {
  const int error = errno;
  throw Error(ErrorCode::kIo, fmt::format("{}: {} ({})", what, path.string(),
                                          std::generic_category().message(error)));
}

std::string ReadFile(const std::filesystem::path& path) {
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) ThrowErrno("Cannot open file", path);
  std::string content;
  std::string buffer(1 << 16, '\0');
  for (;;) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowErrno("Cannot read file", path);
    if (got == 0) return content;
    content.append(buffer, 0, static_cast<size_t>(got));
  }
}

namespace {

void WriteAll(const FileDescriptor& file, std::string_view content,
              const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t put = write(file.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) ThrowErrno("Cannot write file", path);
    content.remove_prefix(static_cast<size_t>(put));
  }
}

}  // namespace

void WriteFileDurably(const std::filesystem::path& path, std::string_view content) {
  // Threads may write the same file at once: each its own, and the last to rename wins.
  static std::atomic<uint64_t> serial = 0;
  const std::filesystem::path temporary =
      path.string() + fmt::format(".{}.{}.tmp", getpid(), serial++);
  {
    FileDescriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.is_open()) ThrowErrno("Cannot create file", temporary);
    WriteAll(file, content, temporary);
    if (fsync(file.get()) != 0) ThrowErrno("Cannot sync file", temporary);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) ThrowErrno("Cannot rename file", temporary);
  SyncFolder(path.parent_path());
}

void SyncFolder(const std::filesystem::path& folder) {
  FileDescriptor file(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open() || fsync(file.get()) != 0) ThrowErrno("Cannot sync folder", folder);
}

void SyncFileSystem(const std::filesystem::path& folder) {
  FileDescriptor file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open() || syncfs(file.get()) != 0) ThrowErrno("Cannot sync file system of", folder);
}

}  // namespace braid
