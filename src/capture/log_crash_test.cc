// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "capture/log.h"

namespace braid::capture {
namespace {

// The child appends from several threads and says each id once it is acknowledged; it never
// returns.
[[noreturn]] void AppendForEver(const std::filesystem::path& file, int round, int said) {
  static const SystemClock clock;
  Log log(file, clock);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&log, round, thread, said] {
      for (int i = 0;; ++i) {
        const std::string id = fmt::format("{}-{}-{}", round, thread, i);
        log.AppendAndWait({{EntryKind::kInference, "a", id, std::string(300, 'x'), ""}},
                          {{.service = "a", .served = 1, .captured = 1}});
        const std::string line = id + "\n";
        if (write(said, line.data(), line.size()) < 0) _exit(1);
      }
    });
  }
  for (std::jthread& thread : threads) thread.join();
  _exit(1);
}

// Kills the child once it has acknowledged about `wanted` ids, and returns all of those.
std::vector<std::string> RunAndKill(const std::filesystem::path& file, int round, size_t wanted) {
  int ends[2] = {};
  EXPECT_EQ(pipe(ends), 0);
  FileDescriptor heard(ends[0]);
  const pid_t child = fork();
  if (child == 0) AppendForEver(file, round, ends[1]);
  close(ends[1]);
  std::string text;
  bool killed = false;
  for (;;) {
    char buffer[4096];
    const ssize_t got = read(heard.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
    if (!killed && std::count(text.begin(), text.end(), '\n') >= static_cast<ptrdiff_t>(wanted)) {
      killed = kill(child, SIGKILL) == 0;
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  std::vector<std::string> ids;
  for (size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos;
       start = end + 1) {
    ids.push_back(text.substr(start, end - start));
  }
  return ids;
}

TEST(CaptureLogCrash, WhatWasAcknowledgedIsThereOnce) {
  std::string name = (std::filesystem::temp_directory_path() / "braid_crash_XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const std::filesystem::path file = std::filesystem::path(name) / "capture.sqlite";
  const SystemClock clock;
  std::mt19937 random(20261124);
  std::vector<std::string> acknowledged;
  for (int round = 0; round < 20; ++round) {
    const size_t wanted = std::uniform_int_distribution<size_t>(1, 250)(random);
    const std::vector<std::string> ids = RunAndKill(file, round, wanted);
    EXPECT_GE(ids.size(), wanted);
    acknowledged.insert(acknowledged.end(), ids.begin(), ids.end());
    Log log(file, clock);
    std::map<std::string, int> found;
    int64_t newest = 0;
    log.Read(0, Log::kNewest, {}, {}, [&](const StoredEntry& entry) {
      ++found[entry.id];
      EXPECT_EQ(entry.payload.size(), 300U);
      EXPECT_GT(entry.position, newest);
      newest = entry.position;
    });
    EXPECT_EQ(log.last_position(), newest);
    for (const std::string& id : acknowledged) ASSERT_EQ(found[id], 1) << id;
    // Entries and their account are one commit.
    ASSERT_EQ(log.Accounts().size(), 1U);
    EXPECT_EQ(log.Accounts()[0].captured, static_cast<int64_t>(found.size()));
  }
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace braid::capture
