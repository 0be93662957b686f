// SPDX-License-Identifier: Apache-2.0
#include "capture/blob_store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/error.h"

namespace braid::capture {
namespace {

class Blobs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "braid_blobs_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ErrorCode GetError(const BlobStore& store, std::string_view name) {
    try {
      store.Get(name);
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::kInternal;
  }

  size_t FileCount() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
};

constexpr std::string_view kEmptyName =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST_F(Blobs, KeepsContentUnderItsHash) {
  const BlobStore store(folder_ / "blobs");
  const std::string large(3 << 20, '\xff');
  const std::string name = store.Put(large);
  EXPECT_EQ(store.Get(name), large);
  EXPECT_EQ(store.Put(large), name);
  EXPECT_EQ(store.Put(""), kEmptyName);
  EXPECT_EQ(store.Get(kEmptyName), "");
  EXPECT_TRUE(BlobStore(folder_ / "blobs").Exists(name));
}

TEST_F(Blobs, NamesThatAreNoHashesAreNotFound) {
  std::ofstream(folder_ / "secret") << "x";
  const BlobStore store(folder_ / "blobs");
  EXPECT_FALSE(store.Exists("../secret"));
  EXPECT_EQ(GetError(store, "../secret"), ErrorCode::kNotFound);
  EXPECT_EQ(GetError(store, ""), ErrorCode::kNotFound);
  EXPECT_EQ(GetError(store, kEmptyName), ErrorCode::kNotFound);
}

TEST_F(Blobs, DamageIsSeenAndMended) {
  const BlobStore store(folder_);
  const std::string name = store.Put("content");
  std::ofstream(folder_ / name) << "CONTENT";
  EXPECT_EQ(GetError(store, name), ErrorCode::kLakeDamaged);
  std::ofstream(folder_ / name) << "con";
  EXPECT_EQ(store.Put("content"), name);
  EXPECT_EQ(store.Get(name), "content");
}

TEST_F(Blobs, RemovesWhatACrashLeft) {
  std::ofstream(folder_ / ".tmp-abcdef") << "half";
  const BlobStore store(folder_);
  EXPECT_EQ(FileCount(), 0U);
}

TEST_F(Blobs, ManyThreadsMayStoreTheSame) {
  const BlobStore store(folder_);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&store] {
        for (int i = 0; i < 20; ++i) {
          const std::string bytes(static_cast<size_t>(1000 * i), 'a');
          EXPECT_EQ(store.Get(store.Put(bytes)), bytes);
        }
      });
    }
  }
  EXPECT_EQ(FileCount(), 20U);
}

}  // namespace
}  // namespace braid::capture
