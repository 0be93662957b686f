// SPDX-License-Identifier: Apache-2.0
#include "owner/command_protocol.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace braid::owner {
namespace {

template <typename F>
ErrorCode CodeOf(F action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

ForwardedCommand SomeCommand() {
  return {.arguments = {"sql", "", std::string("a\0b\n", 4)},
          .working_directory = "/tmp/with space",
          .standard_input = std::string(100'000, 'x'),
          .stderr_is_terminal = true,
          .environment = {{"A", ""}, {"COLUMNS", "80"}}};
}

TEST(CommandProtocol, CommandsComeBackAsTheyWere) {
  EXPECT_EQ(DecodeCommand(EncodeCommand(SomeCommand())), SomeCommand());
  EXPECT_EQ(DecodeCommand(EncodeCommand({})), ForwardedCommand());
  const ForwardedCommand terminals{.stdout_is_terminal = true, .stderr_is_terminal = true};
  EXPECT_EQ(DecodeCommand(EncodeCommand(terminals)), terminals);
}

TEST(CommandProtocol, NumbersComeBackAsTheyWere) {
  for (const uint32_t value : {0U, 1U, 130U, 0x01020304U, 0xFFFFFFFFU}) {
    EXPECT_EQ(DecodeNumber(EncodeNumber(value)), value);
  }
  EXPECT_EQ(EncodeNumber(0x01020304), "\x04\x03\x02\x01");
  for (const char* bytes : {"", "abc", "abcde"}) {
    EXPECT_EQ(CodeOf([&] { DecodeNumber(bytes); }), ErrorCode::kMalformedRequest) << bytes;
  }
}

TEST(CommandProtocol, EveryTruncationIsRefused) {
  ForwardedCommand command = SomeCommand();
  command.standard_input = "SELECT 1";
  const std::string bytes = EncodeCommand(command);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(CodeOf([&] { DecodeCommand(std::string_view(bytes).substr(0, size)); }),
              ErrorCode::kMalformedRequest)
        << size;
  }
  EXPECT_EQ(CodeOf([&] { DecodeCommand(bytes + "x"); }), ErrorCode::kMalformedRequest);
}

TEST(CommandProtocol, WhatNobodyEncodedIsRefused) {
  const std::string none = EncodeNumber(0);
  const auto text = [](std::string_view value) {
    return EncodeNumber(static_cast<uint32_t>(value.size())) + std::string(value);
  };
  const std::string flags(1, '\0');
  const std::string three = none + none + none;  // no arguments, folder and input
  EXPECT_NO_THROW(DecodeCommand(three + flags + none));
  const std::string twice = EncodeNumber(2) + text("B") + text("") + text("B") + text("");
  const std::string falling = EncodeNumber(2) + text("B") + text("") + text("A") + text("");
  const std::vector<std::string> cases = {
      three + "\x04" + none,
      three + flags + twice,
      three + flags + falling,
      EncodeNumber(0xFFFFFFFF) + none + none + flags + none,
      three + flags + EncodeNumber(0xFFFFFFFF),
      EncodeNumber(0) + EncodeNumber(0xFFFFFFFF) + none + flags + none};
  for (const std::string& bytes : cases) {
    EXPECT_EQ(CodeOf([&] { DecodeCommand(bytes); }), ErrorCode::kMalformedRequest);
  }
}

TEST(CommandProtocol, FramesAreCutWhereverTheStreamWas) {
  const std::string stream = EncodeFrame(FrameType::kHello, EncodeNumber(1)) +
                             EncodeFrame(FrameType::kOut, std::string(200'000, 'o')) +
                             EncodeFrame(FrameType::kStarted, "") +
                             EncodeFrame(FrameType::kErr, "e");
  for (const size_t step : {size_t{1}, size_t{7}, size_t{65'536}, stream.size()}) {
    FrameDecoder decoder;
    std::string again;
    std::vector<FrameType> types;
    for (size_t at = 0; at < stream.size(); at += step) {
      decoder.Feed(std::string_view(stream).substr(at, step));
      while (const std::optional<Frame> frame = decoder.Next()) {
        types.push_back(frame->type);
        again += EncodeFrame(frame->type, frame->payload);
      }
    }
    EXPECT_EQ(types, (std::vector{FrameType::kHello, FrameType::kOut, FrameType::kStarted,
                                  FrameType::kErr}));
    EXPECT_EQ(again, stream) << step;
  }
}

TEST(CommandProtocol, ABrokenFrameIsRefusedForGood) {
  for (const std::string& bytes :
       {EncodeNumber(0) + std::string(1, '\0'), EncodeNumber(0) + "\x0A",
        EncodeNumber(static_cast<uint32_t>(kMaxPayload) + 1), EncodeNumber(0xFFFFFFFF) + "\x01"}) {
    FrameDecoder decoder;
    decoder.Feed(EncodeFrame(FrameType::kOut, "before") + bytes);
    EXPECT_EQ(decoder.Next()->payload, "before");
    EXPECT_EQ(CodeOf([&] { decoder.Next(); }), ErrorCode::kMalformedRequest);
    decoder.Feed(EncodeFrame(FrameType::kOut, "after"));
    EXPECT_EQ(CodeOf([&] { decoder.Next(); }), ErrorCode::kMalformedRequest);
  }
}

TEST(CommandProtocol, WhatIsTooLargeIsRefusedBeforeItIsSent) {
  const std::string most(kMaxPayload, 'x');
  EXPECT_EQ(EncodeFrame(FrameType::kOut, most).size(), kMaxPayload + 5);
  EXPECT_EQ(CodeOf([&] { EncodeFrame(FrameType::kOut, most + "x"); }), ErrorCode::kTooLarge);
  EXPECT_EQ(CodeOf([&] { EncodeCommand({.standard_input = most + "x"}); }), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace braid::owner
