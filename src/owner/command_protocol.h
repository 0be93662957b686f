// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "owner/command.h"

namespace braid::owner {

// The bytes between a command and the owner, as pure text. A frame: u32 little-endian length of the
// payload, u8 type, payload. A conversation: client kHello, server kWelcome (or kRefusal); then for
// each command: client kRun, server kStarted, kOut and kErr as they come, kExit. The client may
// send kInterrupt meanwhile.
enum class FrameType : uint8_t {
  kHello = 1,      // u32 protocol version
  kWelcome = 2,    // u32 protocol version
  kRefusal = 3,    // text
  kRun = 4,        // EncodeCommand
  kStarted = 5,    // empty; without it the command was not run
  kOut = 6,        // bytes
  kErr = 7,        // bytes
  kExit = 8,       // u32 exit code
  kInterrupt = 9,  // empty
};
inline constexpr FrameType kLastFrameType = FrameType::kInterrupt;
inline constexpr uint32_t kProtocolVersion = 1;
inline constexpr size_t kMaxPayload = size_t{64} << 20;

struct Frame {
  FrameType type;
  std::string payload;
};

// Throws Error TOO_LARGE for a payload over kMaxPayload.
std::string EncodeFrame(FrameType type, std::string_view payload);
std::string EncodeNumber(uint32_t value);
std::string EncodeCommand(const ForwardedCommand& command);

// Both throw Error MALFORMED_REQUEST for bytes that nobody encoded.
uint32_t DecodeNumber(std::string_view payload);
ForwardedCommand DecodeCommand(std::string_view payload);

// Cuts a stream of bytes into frames. Keeps at most one frame and what was fed behind it.
class FrameDecoder {
 public:
  void Feed(std::string_view bytes);
  // The next whole frame, if there is one. Throws Error MALFORMED_REQUEST for a type or a length
  // that cannot be, and again on every later call.
  std::optional<Frame> Next();

 private:
  std::string buffer_;
  size_t start_ = 0;
};

}  // namespace braid::owner
