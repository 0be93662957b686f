// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/batch.h"
#include "ml/feature_statistics.h"
#include "ml/random_stream.h"

namespace braid::ml {

// What a column of numbers looks like, in one pass and constant memory. Counts, minimum, maximum,
// mean and standard deviation are exact; the median and the histogram come from a sample of
// kSampled values, so they are exact for columns of at most so many. The same values in the same
// order give the same answer. NULL and NaN are one; infinite values are counted and otherwise left
// out. One object is used by one thread at a time.
class NumberSummary {
 public:
  static constexpr size_t kSampled = 10'000;

  void Add(const ColumnView& values, size_t rows);  // kDouble
  void Merge(const NumberSummary& other);
  // The histogram has so many buckets of one width from the minimum to the maximum.
  NumberStatistics Finish(size_t buckets) const;

 private:
  bool AddSlice(const double* values, size_t count);
  void Overflow(const double* values, size_t count);
  void TakeRange(const double* values, size_t count);
  void AddMoments(double count, double mean, double squares);
  void Sample(const double* values, size_t count);
  uint64_t NextSkip();

  int64_t rows_ = 0;
  int64_t nulls_ = 0;
  int64_t infinite_ = 0;
  double count_ = 0;  // of finite values
  double minimum_ = 0;
  double maximum_ = 0;
  double mean_ = 0;             // NaN once a sum overflowed
  double squares_ = 0;          // of the deviations from the mean
  std::vector<double> sample_;  // uniform, without replacement
  double highest_key_ = 1;      // see Sample
  uint64_t skip_ = 0;           // values to pass over before the next one is taken
  RandomStream random_{0};
  std::vector<double> scratch_;
};

}  // namespace braid::ml
