// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace braid::capture {

// Large values as files named by their SHA-256 (64 lower-case hexadecimal digits). Thread-safe; one
// process at a time. A name never changes its content; nothing is ever deleted.
class BlobStore {
 public:
  // Creates the folder; removes what a crash left half-written.
  explicit BlobStore(std::filesystem::path folder);

  // Stores bytes unless they are there, and returns their name once they are on disk. Throws Error
  // IO.
  std::string Put(std::string_view bytes) const;

  // Throws Error NOT_FOUND for an unknown name, LAKE_DAMAGED when the content no longer fits its
  // name.
  std::string Get(std::string_view name) const;
  bool Exists(std::string_view name) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace braid::capture
