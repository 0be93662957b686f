// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace braid {

// Counts durations in buckets from a tenth of a millisecond to ten seconds. Thread-safe, without a
// lock: a reading may miss what is being added.
class DurationHistogram {
 public:
  // Each bucket's upper bound, inclusive; one more bucket holds what is longer.
  static constexpr std::array<int64_t, 15> kBoundsMicros = {
      100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};

  struct Reading {
    std::array<int64_t, kBoundsMicros.size() + 1> counts = {};
    int64_t sum_micros = 0;
  };

  void Add(int64_t micros) {
    size_t bucket = 0;
    while (bucket < kBoundsMicros.size() && micros > kBoundsMicros[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_micros_.fetch_add(micros, std::memory_order_relaxed);
  }

  Reading Read() const {
    Reading reading;
    for (size_t i = 0; i < counts_.size(); ++i)
      reading.counts[i] = counts_[i].load(std::memory_order_relaxed);
    reading.sum_micros = sum_micros_.load(std::memory_order_relaxed);
    return reading;
  }

 private:
  std::array<std::atomic<int64_t>, kBoundsMicros.size() + 1> counts_ = {};
  std::atomic<int64_t> sum_micros_ = 0;
};

}  // namespace braid
