// SPDX-License-Identifier: Apache-2.0
#include "owner/command_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>

#include "base/error.h"
#include "owner/command_client.h"
#include "owner/socket_internal.h"
#include "owner/test_commands.h"

namespace braid::owner {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kPatience{20'000};

class CommandServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "braid_owner_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    socket_ = (folder_ / "s").string();
    Serve({});
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Serve(CommandServerOptions options) {
    server_.reset();
    server_.emplace(socket_, [this] { return std::make_unique<FakeHandler>(events_); }, options);
    server_->Start();
  }

  CommandClient Connect() {
    std::optional<CommandClient> client = CommandClient::Connect(socket_);
    if (!client) throw std::runtime_error("nobody listens");
    return std::move(*client);
  }

  static ForwardedCommand Command(std::string what, std::string input = "") {
    return {.arguments = {std::move(what)}, .standard_input = std::move(input)};
  }

  // Until other threads have brought it about.
  template <typename F>
  static bool Becomes(F condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::filesystem::path folder_;
  std::string socket_;
  Events events_;
  std::optional<CommandServer> server_;
};

TEST_F(CommandServerTest, ACommandRunsAsIfItWereHere) {
  CommandClient client = Connect();
  Heard heard;
  EXPECT_EQ(client.Run(Command("mixed"), heard), 3);
  EXPECT_EQ(heard.text(), "o:1e:1o:2e:2o:3e:3");
  Heard nothing;
  EXPECT_EQ(client.Run(Command("nothing"), nothing), 0);
  EXPECT_EQ(nothing.text(), "");
  EXPECT_FALSE(client.Interrupt()) << "none runs";
}

TEST_F(CommandServerTest, LargeInputAndOutputPass) {
  CommandClient client = Connect();
  const std::string input(5'000'000, 'x');
  Heard heard;
  EXPECT_EQ(client.Run(Command("echo", input), heard), 0);
  EXPECT_EQ(heard.text(), "o:" + input);
  EXPECT_THROW(client.Run(Command("echo", std::string(kMaxPayload, 'x')), heard), Error);
  EXPECT_EQ(client.Run(Command("nothing"), heard), 0) << "nothing of it was sent";
}

TEST_F(CommandServerTest, OneHandlerAConversation) {
  CommandClient first = Connect();
  CommandClient second = Connect();
  EXPECT_EQ(events_.handlers, 0);
  Heard heard;
  first.Run(Command("count"), heard);
  first.Run(Command("count"), heard);
  second.Run(Command("count"), heard);
  EXPECT_EQ(heard.text(), "o:121");
  EXPECT_EQ(events_.handlers, 2);
  EXPECT_EQ(server_->conversations(), 2U);
  {
    CommandClient gone = std::move(first);
  }
  EXPECT_TRUE(Becomes([&] { return events_.destroyed == 1; }));
  EXPECT_TRUE(Becomes([&] { return server_->conversations() == 1; }));
}

TEST_F(CommandServerTest, WhatACommandThrowsIsTextOnStandardError) {
  CommandClient client = Connect();
  Heard heard;
  EXPECT_EQ(client.Run(Command("fail"), heard), 1);
  EXPECT_EQ(heard.text(), "e:error[TABLE_NOT_FOUND]: Table not found: t\nhint: make it\n");
  Heard other;
  EXPECT_EQ(client.Run(Command("break"), other), 1);
  EXPECT_THAT(other.text(), HasSubstr("broken"));
  EXPECT_EQ(client.Run(Command("nothing"), other), 0);
}

TEST_F(CommandServerTest, CtrlCStopsTheCommandAndNotTheConversation) {
  CommandClient client = Connect();
  for (int round = 0; round < 20; ++round) {
    OnFirstOutput interrupts([&] { EXPECT_TRUE(client.Interrupt()); });
    EXPECT_EQ(client.Run(Command("wait"), interrupts), 130);
    Heard heard;
    EXPECT_EQ(client.Run(Command("mixed"), heard), 3);
  }
  EXPECT_EQ(events_.stopped, 20);
}

TEST_F(CommandServerTest, CtrlCFromAnotherThreadStopsEvenAFlood) {
  CommandClient client = Connect();
  std::promise<void> begun;
  std::jthread presses([&] {
    begun.get_future().wait();
    EXPECT_TRUE(client.Interrupt());
  });
  OnFirstOutput flooded([&] { begun.set_value(); });
  EXPECT_EQ(client.Run(Command("flood"), flooded), 0);
}

TEST_F(CommandServerTest, AClientThatIsGoneStopsItsCommand) {
  for (const char* what : {"wait", "flood"}) {
    CommandClient client = Connect();
    OnFirstOutput fails([] { throw std::runtime_error("no more"); });
    EXPECT_THROW(client.Run(Command(what), fails), std::runtime_error);
    Heard heard;
    EXPECT_EQ(client.Run(Command("mixed"), heard), std::nullopt) << "the conversation is over";
  }
  EXPECT_TRUE(Becomes([&] { return events_.stopped == 2 && events_.destroyed == 2; }));
  EXPECT_TRUE(Becomes([&] { return server_->conversations() == 0; }));
  EXPECT_TRUE(server_->WaitIdle(kPatience));
}

TEST_F(CommandServerTest, StopLetsCommandsFinish) {
  CommandClient client = Connect();
  CommandClient idle = Connect();
  std::promise<void> begun;
  std::optional<int> exit_code;
  std::jthread runs([&] {
    OnFirstOutput says([&] { begun.set_value(); });
    exit_code = client.Run(Command("wait"), says);
  });
  begun.get_future().wait();
  EXPECT_FALSE(server_->idle());
  EXPECT_FALSE(server_->WaitIdle(milliseconds(1)));
  std::jthread stops([&] { server_->Stop(kPatience); });
  EXPECT_TRUE(Becomes([&] { return !std::filesystem::exists(socket_); }));
  Heard heard;
  EXPECT_EQ(idle.Run(Command("mixed"), heard), std::nullopt) << "no more commands are taken";
  EXPECT_FALSE(CommandClient::Connect(socket_));
  EXPECT_EQ(events_.stopped, 0);
  EXPECT_TRUE(client.Interrupt());
  stops.join();
  runs.join();
  EXPECT_EQ(exit_code, 130);
  EXPECT_TRUE(server_->idle());
  EXPECT_EQ(server_->conversations(), 0U);
  server_->Stop();
}

TEST_F(CommandServerTest, StopRequestsTheStopOfWhatLastsLonger) {
  CommandClient client = Connect();
  Heard heard;
  std::promise<void> begun;
  std::optional<int> exit_code;
  std::jthread runs([&] {
    OnFirstOutput says([&] { begun.set_value(); });
    exit_code = client.Run(Command("wait"), says);
  });
  begun.get_future().wait();
  server_->Stop(milliseconds(1));
  runs.join();
  EXPECT_EQ(exit_code, 130) << "its last words arrive";
  EXPECT_EQ(events_.destroyed, 1);
  EXPECT_EQ(client.Run(Command("mixed"), heard), std::nullopt);
}

TEST_F(CommandServerTest, StopGivesUpOnAClientThatDoesNotRead) {
  CommandClient client = Connect();
  std::promise<void> begun;
  std::promise<void> stopped;
  std::jthread runs([&] {
    OnFirstOutput blocks([&] {
      begun.set_value();
      stopped.get_future().wait();
    });
    EXPECT_THROW(client.Run(Command("flood"), blocks), Error);
  });
  begun.get_future().wait();
  server_->Stop(milliseconds(0));
  EXPECT_EQ(events_.stopped, 1);
  stopped.set_value();
}

TEST_F(CommandServerTest, OneClientTooManyWaits) {
  Serve({.max_conversations = 2});
  std::optional<CommandClient> first = CommandClient::Connect(socket_);
  std::optional<CommandClient> second = CommandClient::Connect(socket_);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(CommandClient::Connect(socket_));
  first.reset();
  EXPECT_TRUE(Becomes([&] { return CommandClient::Connect(socket_).has_value(); }));
  Heard heard;
  EXPECT_EQ(second->Run(Command("nothing"), heard), 0);
}

TEST_F(CommandServerTest, TheSocketIsForItsOwnerAloneAndReplacesAStaleOne) {
  struct stat status = {};
  ASSERT_EQ(stat(socket_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  // Left behind, as by a holder that was killed.
  const std::string stale = (folder_ / "stale").string();
  FileDescriptor dead(socket(AF_UNIX, SOCK_STREAM, 0));
  const std::optional<sockaddr_un> address = SocketAddress(stale);
  ASSERT_EQ(bind(dead.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);
  dead.Close();
  EXPECT_FALSE(CommandClient::Connect(stale));
  CommandServer server(stale, [this] { return std::make_unique<FakeHandler>(events_); });
  server.Start();
  EXPECT_TRUE(CommandClient::Connect(stale));
  CommandServer nowhere((folder_ / "none" / "s").string(), nullptr);
  EXPECT_THROW(nowhere.Start(), Error);
  CommandServer too_long((folder_ / std::string(120, 'x')).string(), nullptr);
  EXPECT_THROW(too_long.Start(), Error);
}

TEST_F(CommandServerTest, BadBytesEndTheirOwnConversationOnly) {
  CommandClient client = Connect();
  const std::string run = EncodeFrame(FrameType::kRun, EncodeCommand(Command("wait")));
  for (const std::string& bytes :
       {std::string(100, '\xFF'), std::string(100, '\0'), EncodeFrame(FrameType::kRun, "x"),
        EncodeFrame(FrameType::kExit, ""), EncodeFrame(FrameType::kHello, EncodeNumber(1)),
        run + run}) {
    RawPeer peer(socket_);
    peer.Greet();
    peer.Say(bytes);
    while (peer.Hear()) continue;
  }
  {
    RawPeer peer(socket_);
    peer.Say(run);
    EXPECT_FALSE(peer.Hear()) << "nobody said hello";
  }
  EXPECT_TRUE(Becomes([&] { return server_->conversations() == 1; }));
  Heard heard;
  EXPECT_EQ(client.Run(Command("mixed"), heard), 3);
}

TEST_F(CommandServerTest, ACtrlCThatComesTooLateStopsNothing) {
  RawPeer peer(socket_);
  peer.Greet();
  peer.Say(EncodeFrame(FrameType::kInterrupt, ""));
  for (int round = 0; round < 2; ++round) {
    peer.Say(EncodeFrame(FrameType::kRun, EncodeCommand(Command("mixed"))));
    std::optional<Frame> frame = peer.Hear();
    ASSERT_EQ(frame->type, FrameType::kStarted);
    while (frame->type != FrameType::kExit) frame = peer.Hear();
    EXPECT_EQ(DecodeNumber(frame->payload), 3U);
    peer.Say(EncodeFrame(FrameType::kInterrupt, ""));
  }
  peer.Say(EncodeFrame(FrameType::kRun, EncodeCommand(Command("wait"))));
  EXPECT_EQ(peer.Hear()->type, FrameType::kStarted);
  EXPECT_EQ(peer.Hear()->type, FrameType::kOut);
  EXPECT_EQ(events_.stopped, 0);
  peer.Say(EncodeFrame(FrameType::kInterrupt, ""));
  EXPECT_EQ(peer.Hear()->type, FrameType::kErr);
}

TEST_F(CommandServerTest, AnotherVersionIsRefused) {
  RawPeer peer(socket_);
  peer.Say(EncodeFrame(FrameType::kHello, EncodeNumber(kProtocolVersion + 1)));
  EXPECT_EQ(peer.Hear()->type, FrameType::kRefusal);
  EXPECT_FALSE(peer.Hear());
}

}  // namespace
}  // namespace braid::owner
