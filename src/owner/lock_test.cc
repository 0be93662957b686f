// SPDX-License-Identifier: Apache-2.0
#include "owner/lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "base/error.h"

namespace braid::owner {
namespace {

using testing::EndsWith;
using testing::StartsWith;

class Lock : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "braid_lock_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    home_ = folder_ / "project" / ".braid";
    setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  std::filesystem::path home_;
};

// What `action` returns in a forked child.
template <typename F>
int InChild(F action) {
  const pid_t child = fork();
  if (child == 0) _exit(action());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST_F(Lock, TheFirstHoldsAndSaysWhoItIs) {
  const std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  ASSERT_TRUE(lock);
  EXPECT_EQ(lock->holder().pid, getpid());
  EXPECT_EQ(lock->holder().host, HostName());
  EXPECT_EQ(lock->socket_path(), SocketPath(home_));
  EXPECT_EQ(LakeLock::TryAcquire(home_), std::nullopt);
  EXPECT_EQ(InChild([&] { return LakeLock::TryAcquire(home_) ? 1 : 0; }), 0);
  const std::optional<Holder> holder = LakeLock::ReadHolder(home_);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->pid, getpid());
  EXPECT_EQ(holder->host, HostName());
  EXPECT_EQ(holder->socket, lock->socket_path());
}

TEST_F(Lock, IsFreeOnceDestroyed) {
  {
    std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
    ASSERT_TRUE(lock);
    const LakeLock moved = std::move(*lock);
    lock.reset();
    EXPECT_EQ(LakeLock::TryAcquire(home_), std::nullopt);
  }
  EXPECT_FALSE(LakeLock::ReadHolder(home_));
  EXPECT_TRUE(LakeLock::TryAcquire(home_));
}

TEST_F(Lock, AForkOfTheHolderCannotGiveItAway) {
  std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  ASSERT_TRUE(lock);
  EXPECT_EQ(InChild([&] {
              lock.reset();
              return 0;
            }),
            0);
  EXPECT_EQ(LakeLock::TryAcquire(home_), std::nullopt);
  EXPECT_TRUE(LakeLock::ReadHolder(home_));
}

TEST_F(Lock, IsFreeOnceTheHolderIsKilled) {
  int ends[2] = {};
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
    if (!lock || write(ends[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char said = 0;
  ASSERT_EQ(read(ends[0], &said, 1), 1);
  EXPECT_EQ(LakeLock::TryAcquire(home_), std::nullopt);
  EXPECT_EQ(LakeLock::ReadHolder(home_)->pid, child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(LakeLock::ReadHolder(home_)->pid, child) << "it could not clear its words";
  const std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(lock->needs_recovery());
  close(ends[0]);
  close(ends[1]);
}

TEST_F(Lock, RecoveryIsNeededUntilItIsDone) {
  EXPECT_FALSE(LakeLock::TryAcquire(home_)->needs_recovery());
  EXPECT_FALSE(LakeLock::TryAcquire(home_)->needs_recovery()) << "the first one left in order";
  // Words that nobody can read are of one who was killed too; they may be longer than ours.
  std::ofstream(home_ / "lock") << "pid 1\nhost " << std::string(500, 'x');
  EXPECT_TRUE(LakeLock::TryAcquire(home_)->needs_recovery());
  {
    std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
    ASSERT_TRUE(lock->needs_recovery()) << "the last one did not recover";
    EXPECT_EQ(LakeLock::ReadHolder(home_)->pid, getpid());
    LakeLock moved = std::move(*lock);
    EXPECT_TRUE(moved.needs_recovery());
    moved.SetRecovered();
    EXPECT_FALSE(moved.needs_recovery());
  }
  EXPECT_FALSE(LakeLock::TryAcquire(home_)->needs_recovery());
}

TEST_F(Lock, AHomeThatWasRemovedIsAnother) {
  const std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  std::filesystem::remove_all(home_);
  EXPECT_TRUE(LakeLock::TryAcquire(home_));
}

TEST_F(Lock, AFileThatIsNotOursSaysNothing) {
  EXPECT_FALSE(LakeLock::ReadHolder(home_));
  std::filesystem::create_directories(home_);
  for (const char* text :
       {"", "12\n", "pid 12\nhost a\n", "pid x\nhost a\nsocket /s\n", "pid 12\nhost \nsocket /s\n",
        "pid -1\nhost a\nsocket /s\n", "pid 12 \nhost a\nsocket /s\n", "pid 12\nhost a\nsocket /s",
        "pid 12\nhost a\nsocket /s\nmore\n", "pid 99999999999999999999\nhost a\nsocket /s\n"}) {
    std::ofstream(home_ / "lock") << text;
    EXPECT_FALSE(LakeLock::ReadHolder(home_)) << text;
  }
  std::ofstream(home_ / "lock") << "pid 12\nhost a b\nsocket /s t\n";
  const std::optional<Holder> holder = LakeLock::ReadHolder(home_);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->pid, 12);
  EXPECT_EQ(holder->host, "a b");
  EXPECT_EQ(holder->socket, "/s t");
}

TEST_F(Lock, AHomeThatCannotBeMadeIsAnError) {
  std::ofstream(folder_ / "file") << "x";
  try {
    LakeLock::TryAcquire(folder_ / "file");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
  }
}

TEST_F(Lock, TheSocketLiesInTheRuntimeFolderIfThatIsPrivate) {
  const std::string path = SocketPath(home_);
  EXPECT_THAT(path, StartsWith(folder_.string() + "/braid-"));
  EXPECT_EQ(path.size(), folder_.string().size() + 7 + 16);
  EXPECT_NE(SocketPath(folder_), path);
  // One lake by whatever name.
  std::filesystem::create_directories(home_);
  std::filesystem::create_directory_symlink(home_, folder_ / "link");
  EXPECT_EQ(SocketPath(folder_ / "link"), path);
  EXPECT_EQ(SocketPath(home_ / ".." / ".braid"), path);

  const std::string otherwise = "/tmp/braid-" + std::to_string(geteuid()) + "/";
  chmod(folder_.c_str(), 0755);
  EXPECT_THAT(SocketPath(home_), StartsWith(otherwise));
  EXPECT_THAT(SocketPath(home_), EndsWith(path.substr(path.size() - 16)));
  struct stat status = {};
  ASSERT_EQ(stat(otherwise.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  const std::filesystem::path long_name = folder_ / std::string(90, 'x');
  std::filesystem::create_directory(long_name);
  chmod(long_name.c_str(), 0700);
  setenv("XDG_RUNTIME_DIR", long_name.c_str(), 1);
  EXPECT_THAT(SocketPath(home_), StartsWith(otherwise));
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT_THAT(SocketPath(home_), StartsWith(otherwise));
}

}  // namespace
}  // namespace braid::owner
