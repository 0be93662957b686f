// SPDX-License-Identifier: Apache-2.0
#include "owner/acquire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include "base/error.h"
#include "owner/command_server.h"

namespace braid::owner {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kPatience{20'000};

class NoOutput final : public OutputSink {
 public:
  void Out(std::string_view) override {}
  void Err(std::string_view) override {}
};

class SevenHandler final : public CommandHandler {
 public:
  int Run(const ForwardedCommand&, OutputSink&, std::stop_token) override { return 7; }
};

class Acquire : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "braid_acquire_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    home_ = folder_ / ".braid";
    setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::optional<Error> ErrorOf(milliseconds wait, const std::stop_token& stop = {}) {
    try {
      OpenLake(home_, wait, stop);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return std::nullopt;
  }

  std::filesystem::path folder_;
  std::filesystem::path home_;
};

TEST_F(Acquire, AFreeLakeIsOurs) {
  const Access access = OpenLake(home_, milliseconds(0));
  EXPECT_TRUE(std::holds_alternative<LakeLock>(access));
}

TEST_F(Acquire, AHolderThatListensIsSpokenTo) {
  const std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  CommandServer server(lock->socket_path(), [] { return std::make_unique<SevenHandler>(); });
  server.Start();
  Access access = OpenLake(home_, milliseconds(0));
  ASSERT_TRUE(std::holds_alternative<CommandClient>(access));
  NoOutput output;
  EXPECT_EQ(std::get<CommandClient>(access).Run({}, output), 7);
}

TEST_F(Acquire, ABusyLakeNamesItsHolder) {
  std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  for (const milliseconds wait : {milliseconds(0), milliseconds(30)}) {
    const std::optional<Error> error = ErrorOf(wait);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::kLakeBusy);
    EXPECT_THAT(error->message(), HasSubstr(std::to_string(getpid())));
    EXPECT_THAT(error->message(), HasSubstr(HostName()));
  }
  std::ofstream(home_ / "lock") << "";
  EXPECT_EQ(ErrorOf(milliseconds(0))->code(), ErrorCode::kLakeBusy);
}

TEST_F(Acquire, ASocketOfAnotherMachineIsNotOurs) {
  const std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  CommandServer server(lock->socket_path(), [] { return std::make_unique<SevenHandler>(); });
  server.Start();
  std::ofstream(home_ / "lock") << "pid 1\nhost not-" << HostName() << "\nsocket "
                                << lock->socket_path() << "\n";
  EXPECT_EQ(ErrorOf(milliseconds(0))->code(), ErrorCode::kLakeBusy);
}

TEST_F(Acquire, WaitsForAHolderThatLeaves) {
  std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  std::optional<Access> access;
  std::jthread waits([&] { access.emplace(OpenLake(home_, kPatience)); });
  lock.reset();
  waits.join();
  EXPECT_TRUE(std::holds_alternative<LakeLock>(*access));
}

TEST_F(Acquire, WaitsForAHolderThatStarts) {
  const std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  std::optional<Access> access;
  std::jthread waits([&] { access.emplace(OpenLake(home_, kPatience)); });
  CommandServer server(lock->socket_path(), [] { return std::make_unique<SevenHandler>(); });
  server.Start();
  waits.join();
  EXPECT_TRUE(std::holds_alternative<CommandClient>(*access));
}

TEST_F(Acquire, CtrlCEndsTheWait) {
  const std::optional<LakeLock> lock = LakeLock::TryAcquire(home_);
  std::stop_source stop;
  std::optional<Error> error;
  std::jthread waits([&] { error = ErrorOf(kPatience, stop.get_token()); });
  stop.request_stop();
  waits.join();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace braid::owner
