// SPDX-License-Identifier: Apache-2.0
// Moments are merged slice by slice as Chan, Golub and LeVeque (1979) do. The sample is Li's
// Algorithm L (Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n))), 1994): each
// value has a random key, the sample holds the values of the lowest keys, and how many values
// pass before the next lower key is drawn directly.
#include "ml/number_summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ml/kernels.h"

namespace braid::ml {

void NumberSummary::Add(const ColumnView& values, size_t rows) {
  BRAID_CHECK(values.kind == ColumnKind::kDouble);
  rows_ += static_cast<int64_t>(rows);
  scratch_.resize(2 * kSliceRows);
  for (size_t begin = 0; begin < rows; begin += kSliceRows) {
    const size_t count = std::min(kSliceRows, rows - begin);
    const double* slice = values.doubles() + begin;
    if (values.validity == nullptr && AddSlice(slice, count)) continue;
    double* kept = scratch_.data() + kSliceRows;
    size_t finite = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!values.IsValid(begin + i) || std::isnan(slice[i])) {
        ++nulls_;
      } else if (std::isinf(slice[i])) {
        ++infinite_;
      } else {
        kept[finite++] = slice[i];
      }
    }
    if (finite > 0 && !AddSlice(kept, finite)) Overflow(kept, finite);
  }
}

// Returns false, having changed nothing, when the sum of the values is not finite. The first value
// of all is a shift from which a constant column does not deviate.
bool NumberSummary::AddSlice(const double* values, size_t count) {
  const double shift = count_ > 0 && std::isfinite(mean_) ? mean_ : values[0];
  const double sum = PackShifted(values, shift, count, scratch_.data());
  if (!std::isfinite(sum)) return false;
  const double rows = static_cast<double>(count);
  const double squares = Dot(scratch_.data(), scratch_.data(), count) - sum * sum / rows;
  TakeRange(values, count);
  AddMoments(rows, shift + sum / rows, std::max(0.0, squares));
  Sample(values, count);
  return true;
}

// Finite values whose sum is not.
void NumberSummary::Overflow(const double* values, size_t count) {
  TakeRange(values, count);
  count_ += static_cast<double>(count);
  mean_ = std::numeric_limits<double>::quiet_NaN();
  Sample(values, count);
}

void NumberSummary::TakeRange(const double* values, size_t count) {
  double minimum = count_ > 0 ? minimum_ : values[0];
  double maximum = count_ > 0 ? maximum_ : values[0];
  for (size_t i = 0; i < count; ++i) {
    minimum = values[i] < minimum ? values[i] : minimum;
    maximum = values[i] > maximum ? values[i] : maximum;
  }
  minimum_ = minimum;
  maximum_ = maximum;
}

void NumberSummary::AddMoments(double count, double mean, double squares) {
  const double total = count_ + count;
  const double difference = mean - mean_;
  squares_ += squares + difference * difference * (count_ / total) * count;
  mean_ += difference * (count / total);
  count_ = total;
}

uint64_t NumberSummary::NextSkip() {
  highest_key_ *= std::exp(std::log(1 - random_.Uniform()) / static_cast<double>(kSampled));
  const double skip = std::floor(std::log(1 - random_.Uniform()) / std::log1p(-highest_key_));
  return skip < 1e18 ? static_cast<uint64_t>(skip) : uint64_t{1} << 60;
}

void NumberSummary::Sample(const double* values, size_t count) {
  size_t at = 0;
  if (sample_.size() < kSampled) {
    at = std::min(count, kSampled - sample_.size());
    sample_.insert(sample_.end(), values, values + at);
    if (sample_.size() < kSampled) return;
    skip_ = NextSkip();
  }
  for (; count - at > skip_; ++at) {
    at += static_cast<size_t>(skip_);
    sample_[random_.Below(kSampled)] = values[at];
    skip_ = NextSkip();
  }
  skip_ -= count - at;
}

void NumberSummary::Merge(const NumberSummary& other) {
  rows_ += other.rows_;
  nulls_ += other.nulls_;
  infinite_ += other.infinite_;
  if (other.count_ == 0) return;
  minimum_ = count_ > 0 ? std::min(minimum_, other.minimum_) : other.minimum_;
  maximum_ = count_ > 0 ? std::max(maximum_, other.maximum_) : other.maximum_;
  // Each place of the merged sample falls to either side by how many values it has left.
  double left = count_;
  double right = other.count_;
  AddMoments(other.count_, other.mean_, other.squares_);
  std::vector<double> ours = std::move(sample_);
  std::vector<double> theirs = other.sample_;
  const size_t size = std::min(kSampled, ours.size() + theirs.size());
  sample_.clear();
  while (sample_.size() < size) {
    const bool from_left =
        theirs.empty() || (!ours.empty() && random_.Uniform() * (left + right) < left);
    std::vector<double>& from = from_left ? ours : theirs;
    (from_left ? left : right) -= 1;
    std::swap(from[random_.Below(from.size())], from.back());
    sample_.push_back(from.back());
    from.pop_back();
  }
  if (sample_.size() < kSampled) return;
  // What the highest of the lowest keys of so many values is on average.
  highest_key_ = static_cast<double>(kSampled) / (count_ + 1);
  skip_ = NextSkip();
}

NumberStatistics NumberSummary::Finish(size_t buckets) const {
  NumberStatistics statistics{.rows = rows_, .nulls = nulls_, .infinite = infinite_};
  if (count_ == 0) return statistics;
  std::vector<double> sorted = sample_;
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  statistics.minimum = minimum_;
  statistics.maximum = maximum_;
  if (std::isfinite(mean_)) statistics.mean = mean_;
  statistics.median = sorted.size() % 2 == 1
                          ? sorted[middle]
                          : sorted[middle - 1] + (sorted[middle] - sorted[middle - 1]) / 2;
  if (count_ > 1 && statistics.mean && std::isfinite(squares_))
    statistics.standard_deviation = std::sqrt(squares_ / (count_ - 1));
  statistics.histogram = {minimum_, maximum_, {}};
  std::vector<double>& counts = statistics.histogram.counts;
  counts.assign(minimum_ == maximum_ ? 1 : buckets, 0);
  const double width =
      maximum_ / static_cast<double>(counts.size()) - minimum_ / static_cast<double>(counts.size());
  for (const double value : sorted) {
    const double bucket = width > 0 ? (value - minimum_) / width : 0;
    counts[bucket < static_cast<double>(counts.size()) ? static_cast<size_t>(bucket)
                                                       : counts.size() - 1] += 1;
  }
  return statistics;
}

}  // namespace braid::ml
