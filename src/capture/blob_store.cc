// SPDX-License-Identifier: Apache-2.0
#include "capture/blob_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace braid::capture {
namespace {

constexpr std::string_view kTemporaryPrefix = ".tmp-";

bool IsName(std::string_view name) {
  return name.size() == 64 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Removes the temporary file unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& folder)
      : path_((folder / fmt::format("{}XXXXXX", kTemporaryPrefix)).string()),
        file_(mkostemp(path_.data(), O_CLOEXEC)) {
    if (!file_.is_open()) ThrowErrno("Cannot create file", path_);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }

  void WriteAndSync(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = write(file_.get(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) ThrowErrno("Cannot write file", path_);
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    if (fsync(file_.get()) != 0) ThrowErrno("Cannot sync file", path_);
  }

  void RenameTo(const std::filesystem::path& target) {
    if (rename(path_.c_str(), target.c_str()) != 0) ThrowErrno("Cannot rename file", path_);
    path_.clear();
  }

 private:
  std::string path_;
  FileDescriptor file_;
};

}  // namespace

BlobStore::BlobStore(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  if (failed) {
    throw Error(ErrorCode::kIo,
                fmt::format("Cannot create folder: {} ({})", folder_.string(), failed.message()));
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_, failed)) {
    if (entry.path().filename().string().starts_with(kTemporaryPrefix)) {
      unlink(entry.path().c_str());
    }
  }
  if (failed) {
    throw Error(ErrorCode::kIo,
                fmt::format("Cannot read folder: {} ({})", folder_.string(), failed.message()));
  }
  SyncFolder(std::filesystem::absolute(folder_).parent_path());
}

std::string BlobStore::Put(std::string_view bytes) const {
  std::string name = Sha256Hex(bytes);
  struct stat found = {};
  const bool exists = stat((folder_ / name).c_str(), &found) == 0;
  // A file of another length is damage that can be repaired here.
  if (!exists || static_cast<uint64_t>(found.st_size) != bytes.size()) {
    TemporaryFile temporary(folder_);
    temporary.WriteAndSync(bytes);
    temporary.RenameTo(folder_ / name);
  }
  // Also for a file that was there: another thread may have renamed it, but not yet come to this.
  SyncFolder(folder_);
  return name;
}

std::string BlobStore::Get(std::string_view name) const {
  if (!Exists(name)) {
    throw Error(ErrorCode::kNotFound, fmt::format("Blob not found: {}", name.substr(0, 64)));
  }
  std::string bytes = ReadFile(folder_ / name);
  if (Sha256Hex(bytes) != name) {
    throw Error(ErrorCode::kLakeDamaged, fmt::format("Blob is damaged: {}", name),
                "restore the file from a backup");
  }
  return bytes;
}

bool BlobStore::Exists(std::string_view name) const {
  return IsName(name) && access((folder_ / name).c_str(), F_OK) == 0;
}

}  // namespace braid::capture
