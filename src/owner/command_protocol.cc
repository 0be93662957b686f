// SPDX-License-Identifier: Apache-2.0
#include "owner/command_protocol.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace braid::owner {
namespace {

constexpr size_t kNumberSize = 4;
constexpr size_t kHeaderSize = kNumberSize + 1;
constexpr uint8_t kStdoutIsTerminal = 1;
constexpr uint8_t kStderrIsTerminal = 2;
constexpr size_t kBufferKept = size_t{1} << 16;

[[noreturn]] void ThrowTooLarge(size_t size) {
  throw Error(
      ErrorCode::kTooLarge,
      fmt::format("Command is too large to be forwarded: {} bytes (at most {})", size, kMaxPayload),
      "put what it reads into a file and name that");
}

[[noreturn]] void ThrowMalformed(std::string_view what) {
  throw Error(ErrorCode::kMalformedRequest,
              fmt::format("Malformed bytes in a forwarded command: {}", what));
}

void AppendNumber(std::string& bytes, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

void AppendText(std::string& bytes, std::string_view text) {
  if (text.size() > kMaxPayload) ThrowTooLarge(text.size());
  AppendNumber(bytes, static_cast<uint32_t>(text.size()));
  bytes.append(text);
}

void AppendCount(std::string& bytes, size_t count) {
  if (count > kMaxPayload) ThrowTooLarge(count);
  AppendNumber(bytes, static_cast<uint32_t>(count));
}

uint32_t NumberAt(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = kNumberSize; i > 0; --i) {
    value = value << 8 | static_cast<uint8_t>(bytes[at + i - 1]);
  }
  return value;
}

class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) : rest_(payload) {}

  uint8_t Byte() { return static_cast<uint8_t>(Take(1)[0]); }
  uint32_t Number() { return NumberAt(Take(kNumberSize), 0); }
  std::string Text() { return std::string(Take(Number())); }
  // A count of things that take at least a length each, so that no count makes us reserve much.
  size_t Count(size_t lengths_each) {
    const size_t count = Number();
    if (count > rest_.size() / (kNumberSize * lengths_each)) ThrowMalformed("count too large");
    return count;
  }
  void End() const {
    if (!rest_.empty()) ThrowMalformed("bytes after the end");
  }

 private:
  std::string_view Take(size_t size) {
    if (size > rest_.size()) ThrowMalformed("too short");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace

std::string EncodeFrame(FrameType type, std::string_view payload) {
  if (payload.size() > kMaxPayload) ThrowTooLarge(payload.size());
  std::string bytes;
  bytes.reserve(kHeaderSize + payload.size());
  AppendNumber(bytes, static_cast<uint32_t>(payload.size()));
  bytes.push_back(static_cast<char>(type));
  bytes.append(payload);
  return bytes;
}

std::string EncodeNumber(uint32_t value) {
  std::string bytes;
  AppendNumber(bytes, value);
  return bytes;
}

std::string EncodeCommand(const ForwardedCommand& command) {
  std::string bytes;
  AppendCount(bytes, command.arguments.size());
  for (const std::string& argument : command.arguments) AppendText(bytes, argument);
  AppendText(bytes, command.working_directory);
  AppendText(bytes, command.standard_input);
  bytes.push_back(static_cast<char>((command.stdout_is_terminal ? kStdoutIsTerminal : 0) |
                                    (command.stderr_is_terminal ? kStderrIsTerminal : 0)));
  AppendCount(bytes, command.environment.size());
  for (const auto& [name, value] : command.environment) {
    AppendText(bytes, name);
    AppendText(bytes, value);
  }
  return bytes;
}

uint32_t DecodeNumber(std::string_view payload) {
  PayloadReader reader(payload);
  const uint32_t value = reader.Number();
  reader.End();
  return value;
}

ForwardedCommand DecodeCommand(std::string_view payload) {
  PayloadReader reader(payload);
  ForwardedCommand command;
  const size_t arguments = reader.Count(1);
  command.arguments.reserve(arguments);
  for (size_t i = 0; i < arguments; ++i) command.arguments.push_back(reader.Text());
  command.working_directory = reader.Text();
  command.standard_input = reader.Text();
  const uint8_t flags = reader.Byte();
  if (flags > (kStdoutIsTerminal | kStderrIsTerminal)) ThrowMalformed("unknown flag");
  command.stdout_is_terminal = (flags & kStdoutIsTerminal) != 0;
  command.stderr_is_terminal = (flags & kStderrIsTerminal) != 0;
  const size_t variables = reader.Count(2);
  for (size_t i = 0; i < variables; ++i) {
    std::string name = reader.Text();
    // One order, so that one command has one encoding.
    if (!command.environment.empty() && name <= command.environment.rbegin()->first) {
      ThrowMalformed("environment out of order");
    }
    command.environment.emplace_hint(command.environment.end(), std::move(name), reader.Text());
  }
  reader.End();
  return command;
}

void FrameDecoder::Feed(std::string_view bytes) { buffer_.append(bytes); }

std::optional<Frame> FrameDecoder::Next() {
  const size_t size = buffer_.size() - start_;
  if (size < kNumberSize) return std::nullopt;
  const size_t length = NumberAt(buffer_, start_);
  if (length > kMaxPayload) ThrowMalformed("frame too long");
  if (size < kHeaderSize) return std::nullopt;
  const auto type = static_cast<uint8_t>(buffer_[start_ + kNumberSize]);
  if (type == 0 || type > static_cast<uint8_t>(kLastFrameType)) ThrowMalformed("unknown frame");
  if (size < kHeaderSize + length) return std::nullopt;
  Frame frame{static_cast<FrameType>(type), buffer_.substr(start_ + kHeaderSize, length)};
  start_ += kHeaderSize + length;
  // Moving what is left at every frame would cost the square of many small ones.
  if (start_ == buffer_.size() || start_ > kBufferKept) {
    buffer_.erase(0, start_);
    start_ = 0;
    if (buffer_.empty() && buffer_.capacity() > 2 * kBufferKept) buffer_.shrink_to_fit();
  }
  return frame;
}

}  // namespace braid::owner
