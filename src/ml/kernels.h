// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

// The loops that training spends its time in, compiled twice (AVX2 with FMA, and the baseline); the
// processor decides when the program starts. Lengths are multiples of kLanes: pad with zeros.
namespace braid::ml {

constexpr size_t kLanes = 4;
// Rows that are worked on at a time: a dozen columns of them stay in the first-level cache.
constexpr size_t kSliceRows = 256;

// Writes out[i] = values[i] - shift for `count` rows (any number), zeros up to a multiple of
// kLanes, and returns the sum of what it wrote: not finite if any value is.
double PackShifted(const double* values, double shift, size_t count, double* out);

// products[i * right.size() + j] = Σ left[i][r]·right[j][r] over `rows`. `lower`: only j <= i is
// needed, the rest is unspecified.
void Products(const std::vector<const double*>& left, const std::vector<const double*>& right,
              size_t rows, bool lower, std::vector<double>& products);

// Σ left[i]·right[i] for any count.
double Dot(const double* left, const double* right, size_t count);

// Rows as a block: value f of row r stands at block[f * kSliceRows + r], r < kSliceRows.
// out[k * kSliceRows + r] = Σ_f (block's value - points[k * features + f])² for `rows` rows, and
// for those up to a multiple of 2 · kLanes, which are to hold numbers.
void SquaredDistances(const double* block, size_t rows, size_t features, const double* points,
                      size_t count, double* out);

// Where distances[r] < nearest[r], makes that the nearest and `point` its index.
void TakeNearer(const double* distances, int64_t point, size_t rows, double* nearest,
                int64_t* index);

// out[i] += weight · (values[i], or `mean` where that is NaN).
void AddScaled(const double* values, double weight, double mean, size_t count, double* out);

}  // namespace braid::ml
