// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "owner/command.h"
#include "owner/command_protocol.h"
#include "owner/socket_internal.h"

// Both ends of a conversation as tests need them: sinks, a handler and a peer without manners.
namespace braid::owner {

// What a command writes, in order: "o:" and "e:" before each piece of the other kind.
class Heard final : public OutputSink {
 public:
  void Out(std::string_view bytes) override { Add('o', bytes); }
  void Err(std::string_view bytes) override { Add('e', bytes); }
  const std::string& text() const { return text_; }

 private:
  void Add(char kind, std::string_view bytes) {
    if (last_ != kind) text_ += std::string(1, kind) + ":";
    last_ = kind;
    text_ += bytes;
  }
  char last_ = 0;
  std::string text_;
};

// Runs on the first output: when the command has certainly begun.
class OnFirstOutput final : public OutputSink {
 public:
  explicit OnFirstOutput(std::function<void()> action) : action_(std::move(action)) {}
  void Out(std::string_view) override {
    if (action_) std::exchange(action_, nullptr)();
  }
  void Err(std::string_view) override {}

 private:
  std::function<void()> action_;
};

struct Events {
  std::atomic<int> handlers = 0;
  std::atomic<int> destroyed = 0;
  std::atomic<int> stopped = 0;
};

class FakeHandler final : public CommandHandler {
 public:
  explicit FakeHandler(Events& events) : events_(events) { ++events_.handlers; }
  ~FakeHandler() override { ++events_.destroyed; }

  int Run(const ForwardedCommand& command, OutputSink& output, std::stop_token stop) override {
    const std::string& what = command.arguments.at(0);
    if (what == "echo") {
      output.Out(command.standard_input);
      return 0;
    }
    if (what == "mixed") {
      for (const char* piece : {"1", "2", "3"}) {
        output.Out(piece);
        output.Err(piece);
      }
      return 3;
    }
    if (what == "count") output.Out(std::to_string(++count_));
    if (what == "fail") throw Error(ErrorCode::kTableNotFound, "Table not found: t", "make it");
    if (what == "break") throw std::runtime_error("broken");
    if (what == "flood") {
      while (!stop.stop_requested()) output.Out(std::string(100'000, 'f'));
      output.Out(std::string(1'000'000, 'f'));  // more than a socket keeps
      ++events_.stopped;
    }
    if (what == "wait") {
      output.Out("begun");
      std::mutex mutex;
      std::condition_variable_any changed;
      std::unique_lock lock(mutex);
      changed.wait(lock, stop, [] { return false; });
      output.Err("stopped");
      ++events_.stopped;
      return 130;
    }
    return 0;
  }

 private:
  Events& events_;
  int count_ = 0;
};

// A peer that says what it likes.
class RawPeer {
 public:
  explicit RawPeer(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    const std::optional<sockaddr_un> address = SocketAddress(path);
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address),
              0);
  }
  explicit RawPeer(FileDescriptor socket) : socket_(std::move(socket)) {}
  void Say(std::string_view bytes) { SendAll(socket_, bytes); }
  std::optional<Frame> Hear() { return ReceiveFrame(socket_, decoder_); }
  void Greet() {
    Say(EncodeFrame(FrameType::kHello, EncodeNumber(kProtocolVersion)));
    EXPECT_EQ(Hear()->type, FrameType::kWelcome);
  }

 private:
  FileDescriptor socket_;
  FrameDecoder decoder_;
};

}  // namespace braid::owner
