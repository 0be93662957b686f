// SPDX-License-Identifier: Apache-2.0
#include "ml/kernels.h"

#include <algorithm>
#include <cstring>

// A program under a sanitizer cannot choose among clones: the choice runs before its start-up.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BRAID_KERNEL __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define BRAID_KERNEL
#endif

namespace braid::ml {

namespace {

typedef double Lanes __attribute__((vector_size(kLanes * sizeof(double)), aligned(8), may_alias));

#define BRAID_LOAD(pointer) (*reinterpret_cast<const Lanes*>(pointer))

constexpr size_t kTile = 3;

}  // namespace

BRAID_KERNEL double PackShifted(const double* values, double shift, size_t count, double* out) {
  Lanes sums[4] = {};
  size_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    for (size_t k = 0; k < 4; ++k) {
      const Lanes moved = BRAID_LOAD(values + i + k * kLanes) - shift;
      *reinterpret_cast<Lanes*>(out + i + k * kLanes) = moved;
      sums[k] += moved;
    }
  }
  const Lanes sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  for (; i < count; ++i) {
    out[i] = values[i] - shift;
    total += out[i];
  }
  for (; i % kLanes != 0; ++i) out[i] = 0;
  return total;
}

// Nine dot products at once: each value loaded serves three of them.
BRAID_KERNEL static void ProductTile(const double* const* left, const double* const* right,
                                     size_t rows, double* out) {
  const double *a0 = left[0], *a1 = left[1], *a2 = left[2];
  const double *b0 = right[0], *b1 = right[1], *b2 = right[2];
  Lanes s00{}, s01{}, s02{}, s10{}, s11{}, s12{}, s20{}, s21{}, s22{};
  for (size_t r = 0; r < rows; r += kLanes) {
    const Lanes x0 = BRAID_LOAD(a0 + r), x1 = BRAID_LOAD(a1 + r), x2 = BRAID_LOAD(a2 + r);
    const Lanes y0 = BRAID_LOAD(b0 + r), y1 = BRAID_LOAD(b1 + r), y2 = BRAID_LOAD(b2 + r);
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
  }
  const Lanes sums[kTile * kTile] = {s00, s01, s02, s10, s11, s12, s20, s21, s22};
  for (size_t k = 0; k < kTile * kTile; ++k)
    out[k] = (sums[k][0] + sums[k][1]) + (sums[k][2] + sums[k][3]);
}

void Products(const std::vector<const double*>& left, const std::vector<const double*>& right,
              size_t rows, bool lower, std::vector<double>& products) {
  products.resize(left.size() * right.size());
  for (size_t i = 0; i < left.size(); i += kTile) {
    const double* a[kTile];
    for (size_t k = 0; k < kTile; ++k) a[k] = left[std::min(i + k, left.size() - 1)];
    const size_t end = lower ? std::min(right.size(), i + kTile) : right.size();
    for (size_t j = 0; j < end; j += kTile) {
      const double* b[kTile];
      for (size_t k = 0; k < kTile; ++k) b[k] = right[std::min(j + k, right.size() - 1)];
      double tile[kTile * kTile];
      ProductTile(a, b, rows, tile);
      for (size_t k = 0; k < kTile && i + k < left.size(); ++k)
        for (size_t l = 0; l < kTile && j + l < right.size(); ++l)
          products[(i + k) * right.size() + j + l] = tile[k * kTile + l];
    }
  }
}

BRAID_KERNEL double Dot(const double* left, const double* right, size_t count) {
  Lanes sums[4] = {};
  size_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes)
    for (size_t k = 0; k < 4; ++k)
      sums[k] += BRAID_LOAD(left + i + k * kLanes) * BRAID_LOAD(right + i + k * kLanes);
  const Lanes sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  for (; i < count; ++i) total += left[i] * right[i];
  return total;
}

// Three points against eight rows at once. The last tile may name a point twice.
BRAID_KERNEL static void DistanceTile(const double* block, size_t rows, size_t features,
                                      const double* const* points, double* const* out) {
  const double *p0 = points[0], *p1 = points[1], *p2 = points[2];
  for (size_t r = 0; r < rows; r += 2 * kLanes) {
    Lanes s00{}, s01{}, s10{}, s11{}, s20{}, s21{};
    for (size_t f = 0; f < features; ++f) {
      const double* values = block + f * kSliceRows + r;
      const Lanes x0 = BRAID_LOAD(values), x1 = BRAID_LOAD(values + kLanes);
      Lanes d = x0 - p0[f];
      s00 += d * d;
      d = x1 - p0[f];
      s01 += d * d;
      d = x0 - p1[f];
      s10 += d * d;
      d = x1 - p1[f];
      s11 += d * d;
      d = x0 - p2[f];
      s20 += d * d;
      d = x1 - p2[f];
      s21 += d * d;
    }
    *reinterpret_cast<Lanes*>(out[0] + r) = s00;
    *reinterpret_cast<Lanes*>(out[0] + r + kLanes) = s01;
    *reinterpret_cast<Lanes*>(out[1] + r) = s10;
    *reinterpret_cast<Lanes*>(out[1] + r + kLanes) = s11;
    *reinterpret_cast<Lanes*>(out[2] + r) = s20;
    *reinterpret_cast<Lanes*>(out[2] + r + kLanes) = s21;
  }
}

void SquaredDistances(const double* block, size_t rows, size_t features, const double* points,
                      size_t count, double* out) {
  for (size_t k = 0; k < count; k += kTile) {
    const double* tile[kTile];
    double* to[kTile];
    for (size_t i = 0; i < kTile; ++i) {
      const size_t point = std::min(k + i, count - 1);
      tile[i] = points + point * features;
      to[i] = out + point * kSliceRows;
    }
    DistanceTile(block, rows, features, tile, to);
  }
}

BRAID_KERNEL void TakeNearer(const double* distances, int64_t point, size_t rows, double* nearest,
                             int64_t* index) {
  for (size_t r = 0; r < rows; ++r) {
    const bool nearer = distances[r] < nearest[r];
    nearest[r] = nearer ? distances[r] : nearest[r];
    index[r] = nearer ? point : index[r];
  }
}

BRAID_KERNEL void AddScaled(const double* values, double weight, double mean, size_t count,
                            double* out) {
  for (size_t i = 0; i < count; ++i) {
    const double value = values[i] == values[i] ? values[i] : mean;
    out[i] += weight * value;
  }
}

}  // namespace braid::ml
