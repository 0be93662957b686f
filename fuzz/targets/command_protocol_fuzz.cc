// SPDX-License-Identifier: Apache-2.0
// Conversations with the owner of a lake: whatever the bytes, either frames and commands or an
// Error; what decodes was encoded so; and where the stream is cut changes nothing.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "owner/command_protocol.h"

namespace {

using namespace braid;  // NOLINT(google-build-using-namespace): a fuzz target is one file

void Require(bool condition) {
  if (!condition) __builtin_trap();
}

void Number(std::string_view bytes) {
  try {
    Require(owner::EncodeNumber(owner::DecodeNumber(bytes)) == bytes);
  } catch (const Error& error) {
    Require(error.code() == ErrorCode::kMalformedRequest);
  }
}

void Command(std::string_view bytes) {
  try {
    Require(owner::EncodeCommand(owner::DecodeCommand(bytes)) == bytes);
  } catch (const Error& error) {
    Require(error.code() == ErrorCode::kMalformedRequest);
  }
}

struct Cut {
  std::string frames;  // all of them, encoded again
  bool is_broken = false;
  bool operator==(const Cut&) const = default;
};

Cut CutBy(std::string_view stream, size_t step) {
  owner::FrameDecoder decoder;
  Cut cut;
  try {
    for (size_t at = 0; at < stream.size(); at += step) {
      decoder.Feed(stream.substr(at, step));
      while (const std::optional<owner::Frame> frame = decoder.Next()) {
        cut.frames += owner::EncodeFrame(frame->type, frame->payload);
        Command(frame->payload);
        Number(frame->payload);
      }
    }
  } catch (const Error& error) {
    Require(error.code() == ErrorCode::kMalformedRequest);
    cut.is_broken = true;
  }
  Require(stream.starts_with(cut.frames));
  return cut;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Number(bytes);
  Command(bytes);
  if (bytes.empty()) return 0;
  const Cut whole = CutBy(bytes, bytes.size());
  Require(CutBy(bytes, 1) == whole);
  Require(CutBy(bytes, 7) == whole);
  return 0;
}
