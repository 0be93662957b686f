// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace braid {

// An owned file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

// Reads a whole file. Throws Error IO.
std::string ReadFile(const std::filesystem::path& path);

// Writes a file so that after a crash it holds either its old content or all of the new: to a
// temporary name, synced, renamed, folder synced. Throws Error IO.
void WriteFileDurably(const std::filesystem::path& path, std::string_view content);

// Syncs a folder's entries (fsync), or everything below it that its file system holds (syncfs).
void SyncFolder(const std::filesystem::path& folder);
void SyncFileSystem(const std::filesystem::path& folder);

// Throws Error IO with the text of errno.
[[noreturn]] void ThrowErrno(std::string_view what, const std::filesystem::path& path);

}  // namespace braid
