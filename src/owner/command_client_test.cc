// SPDX-License-Identifier: Apache-2.0
#include "owner/command_client.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "owner/command_server.h"
#include "owner/test_commands.h"

namespace braid::owner {
namespace {

using std::chrono::milliseconds;

// A holder that answers what a test tells it.
class CommandClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "braid_client_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = (folder_ / "s").string();
    const std::optional<sockaddr_un> address = SocketAddress(path_);
    ASSERT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address),
              0);
    ASSERT_EQ(listen(listener_.get(), 8), 0);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Answers the hello, then the command.
  std::jthread Answer(std::string hello, std::string command = "") {
    return std::jthread([this, hello = std::move(hello), command = std::move(command)] {
      RawPeer peer(FileDescriptor(accept(listener_.get(), nullptr, nullptr)));
      peer.Hear();
      peer.Say(hello);
      if (!command.empty() && peer.Hear()) peer.Say(command);
    });
  }

  ErrorCode CodeOfConnect() {
    try {
      CommandClient::Connect(path_);
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::kInternal;
  }

  std::filesystem::path folder_;
  std::string path_;
  FileDescriptor listener_{socket(AF_UNIX, SOCK_STREAM, 0)};
};

const std::string& Welcome() {
  static const std::string bytes = EncodeFrame(FrameType::kWelcome, EncodeNumber(kProtocolVersion));
  return bytes;
}

TEST_F(CommandClientTest, NobodyThereIsEmpty) {
  EXPECT_FALSE(CommandClient::Connect((folder_ / "none").string()));
  EXPECT_FALSE(CommandClient::Connect(""));
  EXPECT_FALSE(CommandClient::Connect(std::string(200, 'x')));
  EXPECT_FALSE(CommandClient::Connect(path_, milliseconds(10))) << "it does not answer";
  listener_.Close();
  EXPECT_FALSE(CommandClient::Connect(path_));
}

TEST_F(CommandClientTest, OtherVersionsAreBusy) {
  for (const std::string& answer :
       {EncodeFrame(FrameType::kRefusal, "no"), EncodeFrame(FrameType::kWelcome, EncodeNumber(9)),
        EncodeFrame(FrameType::kWelcome, ""), EncodeFrame(FrameType::kExit, ""),
        std::string(50, '\xFF')}) {
    std::jthread holder = Answer(answer);
    EXPECT_EQ(CodeOfConnect(), ErrorCode::kLakeBusy);
  }
  std::jthread holder = Answer("");
  EXPECT_FALSE(CommandClient::Connect(path_)) << "it left";
}

TEST_F(CommandClientTest, KnowsWhetherTheCommandHadBegun) {
  const std::string started = EncodeFrame(FrameType::kStarted, "");
  const auto run = [&](const std::string& answer) {
    std::jthread holder = Answer(Welcome(), answer);
    std::optional<CommandClient> client = CommandClient::Connect(path_);
    Heard heard;
    std::optional<int> exit_code;
    try {
      exit_code = client->Run({}, heard);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      exit_code = -1;
    }
    if (exit_code.value_or(-1) < 0) {
      EXPECT_EQ(client->Run({}, heard), std::nullopt);
    }
    return exit_code;
  };
  EXPECT_EQ(run(started + EncodeFrame(FrameType::kExit, EncodeNumber(75))), 75);
  EXPECT_EQ(run(started.substr(0, 4)), std::nullopt);
  EXPECT_EQ(run(EncodeFrame(FrameType::kExit, EncodeNumber(0))), std::nullopt);
  EXPECT_EQ(run(started), -1);
  EXPECT_EQ(run(started + EncodeFrame(FrameType::kOut, "x")), -1);
  EXPECT_EQ(run(started + std::string(50, '\xFF')), -1);
  EXPECT_EQ(run(started + EncodeFrame(FrameType::kExit, "")), -1);
}

TEST_F(CommandClientTest, AHolderThatIsKilledIsNoticed) {
  listener_.Close();
  int ends[2] = {};
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    Events events;
    CommandServer server(path_, [&] { return std::make_unique<FakeHandler>(events); });
    server.Start();
    if (write(ends[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char said = 0;
  ASSERT_EQ(read(ends[0], &said, 1), 1);
  std::optional<CommandClient> client = CommandClient::Connect(path_);
  ASSERT_TRUE(client);
  OnFirstOutput kills([&] { kill(child, SIGKILL); });
  EXPECT_THROW(client->Run({.arguments = {"wait"}}, kills), Error);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(CommandClient::Connect(path_));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace braid::owner
