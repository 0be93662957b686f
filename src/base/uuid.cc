// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <fmt/format.h>

#include <random>

#include "base/mutex.h"

namespace braid {

namespace {

struct Generator {
  Mutex mutex;
  std::mt19937_64 random GUARDED_BY(mutex){std::random_device{}()};
  uint64_t last GUARDED_BY(mutex) = 0;  // 48 bits of milliseconds, then a 12-bit counter
};

}  // namespace

std::string NewUuidV7(const Clock& clock) {
  static Generator generator;
  const auto now_ms = static_cast<uint64_t>(clock.NowMicros() / 1000) & 0xFFFF'FFFF'FFFFULL;
  MutexLock lock(generator.mutex);
  // The 12 bits after the milliseconds start low and count within one millisecond (RFC 9562, 6.2,
  // method 1); a full counter or a clock set back carries into the next millisecond.
  const uint64_t fresh = now_ms << 12 | (generator.random() & 0x7FF);
  generator.last = fresh > generator.last ? fresh : generator.last + 1;
  const uint64_t high = (generator.last >> 12) << 16 | 0x7000 | (generator.last & 0xFFF);
  const uint64_t low = (generator.random() & 0x3FFF'FFFF'FFFF'FFFFULL) | 0x8000'0000'0000'0000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xFFFF,
                     high & 0xFFFF, low >> 48, low & 0xFFFF'FFFF'FFFFULL);
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !digit) return false;
  }
  return true;
}

}  // namespace braid
