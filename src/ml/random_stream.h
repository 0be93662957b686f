// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>

namespace braid::ml {

// Random numbers that a seed determines on every platform.
class RandomStream {
 public:
  explicit RandomStream(int64_t seed) : bits_(static_cast<uint64_t>(seed)) {}
  // 0 ≤ x < 1.
  double Uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
  size_t Below(size_t bound) { return static_cast<size_t>(bits_() % bound); }
  // Box and Muller (1958).
  double Gaussian() {
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  std::mt19937_64 bits_;
};

}  // namespace braid::ml
