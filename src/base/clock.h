// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace braid {

// Wall time in microseconds since 1970 UTC; injected so that tests can set it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowMicros() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t NowMicros() const override;
};

// "2013-01-31T23:59:59.123456Z" (ISO 8601, UTC).
std::string FormatUtc(int64_t micros);

}  // namespace braid
