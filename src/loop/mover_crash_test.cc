// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <thread>

#include "base/file.h"
#include "loop/loop_fixture.h"

namespace braid::loop {
namespace {

// Appends an inference and feedback on it from several threads, says each number once acknowledged,
// and moves all the time; never returns.
[[noreturn]] void AppendAndMoveForEver(const std::filesystem::path& home, int64_t base, int said) {
  OpenLoop loop(home, true);
  if (base == 0) loop.MakeTables("s");
  std::vector<std::jthread> threads;
  for (int64_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&loop, said, first = base + thread * 1'000'000] {
      for (int64_t x = first;; ++x) {
        capture::Entry inference = loop.Inference("s", x);
        capture::Entry feedback = loop.Feedback("s", inference.id, true);
        loop.log.AppendAndWait({std::move(inference), std::move(feedback)});
        const std::string line = std::to_string(x) + "\n";
        if (write(said, line.data(), line.size()) < 0) _exit(1);
      }
    });
  }
  for (;;) loop.mover->Move();
}

// Kills the child once it has acknowledged `wanted` numbers; returns all that it said.
std::vector<int64_t> RunAndKill(const std::filesystem::path& home, int64_t base, size_t wanted) {
  int ends[2] = {};
  EXPECT_EQ(pipe(ends), 0);
  const FileDescriptor heard(ends[0]);
  const pid_t child = fork();
  if (child == 0) AppendAndMoveForEver(home, base, ends[1]);
  close(ends[1]);
  std::string text;
  bool killed = false;
  for (;;) {
    char buffer[4096];
    const ssize_t got = read(heard.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
    if (!killed && std::count(text.begin(), text.end(), '\n') >= static_cast<ptrdiff_t>(wanted))
      killed = kill(child, SIGKILL) == 0;
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  std::vector<int64_t> numbers;
  for (size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
    numbers.push_back(std::stoll(text.substr(start, end - start)));
  return numbers;
}

std::map<int64_t, int> CountEach(OpenLoop& loop, const std::string& sql) {
  std::map<int64_t, int> counts;
  for (const auto& row : loop.connection->Rows(sql)) ++counts[row[0].get<int64_t>()];
  return counts;
}

TEST(MoverCrash, TheLedgerBalancesWheneverTheProcessDies) {
  const LoopFolder folder;
  std::mt19937 random(20261125);
  std::vector<int64_t> acknowledged;
  int64_t moved_before = 0;
  for (int round = 0; round < 12; ++round) {
    const size_t wanted = std::uniform_int_distribution<size_t>(1, 1200)(random);
    const auto said = RunAndKill(folder.path(), int64_t{10'000'000} * round, wanted);
    EXPECT_GE(said.size(), wanted);
    acknowledged.insert(acknowledged.end(), said.begin(), said.end());
    OpenLoop loop(folder.path(), true);
    const auto seen = CountEach(loop, "SELECT input.x FROM inference.s");
    for (const int64_t x : acknowledged) ASSERT_TRUE(seen.contains(x)) << x;
    for (const auto& [x, times] : seen) ASSERT_EQ(times, 1) << x;
    // An inference and its feedback are one append.
    EXPECT_EQ(loop.Count("feedback.s"), static_cast<int64_t>(seen.size()));
    loop.mover->Move();
    EXPECT_EQ(CountEach(loop, "SELECT input.x FROM lake.inference.s"), seen);
    EXPECT_EQ(CountEach(loop, "SELECT input.x FROM lake.inference.s_labelled"), seen);
    const int64_t moves = loop.Count("lake.snapshots() WHERE author = 'mover'");
    EXPECT_GT(moves, moved_before);
    moved_before = moves;
  }
}

}  // namespace
}  // namespace braid::loop
