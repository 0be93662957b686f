// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/batch.h"
#include "ml/compensated_sum.h"

namespace braid::ml {

// The moments that least squares needs, after NULL inputs took their column's mean.
struct GramMoments {
  size_t inputs = 0;
  int64_t rows = 0;                 // with a label
  int64_t skipped = 0;              // without one
  std::vector<double> mean;         // of the inputs, then of the label
  std::vector<int64_t> null_count;  // of the inputs
  // Sums of products of deviations from the means, (inputs + 1)² row by row, the label last.
  std::vector<double> centred;
};

// Sufficient statistics of a least-squares fit with numeric inputs, gathered in one pass and
// constant memory. Feed it batches of the inputs and then the label, all kDouble; merge what
// several threads gathered. Products are of deviations from the first values' mean, and mean
// imputation is exact, by products with indicators of the columns in which NULLs turn up. NULL and
// NaN are one; an infinite value throws kTrainingData. One object is used by one thread at a time.
class GramAccumulator {
 public:
  explicit GramAccumulator(size_t inputs);
  void Add(const Batch& rows);
  // Some rows of a batch; few of them go in one by one, without memory for a slice.
  void AddPicked(const Batch& rows, std::span<const uint32_t> picked);
  void Merge(const GramAccumulator& other);
  // Throws kTrainingData when the sums overflowed.
  GramMoments Finish() const;

  // Of the labels minus a linear score, over the rows with a label. `missing`: what stands for a
  // missing input.
  struct Errors {
    double sum = 0;
    double squares = 0;
  };
  Errors ErrorsOf(double intercept, std::span<const double> weights,
                  std::span<const double> missing) const;
  // The sums without one input.
  GramAccumulator Without(size_t input) const;

  std::string Serialize() const;
  // Throws kInternal when the bytes are not what Serialize writes.
  static GramAccumulator Deserialize(std::string_view bytes);

  size_t inputs() const { return inputs_; }
  int64_t rows() const { return rows_; }
  int64_t skipped() const { return skipped_; }

 private:
  // A sum and the rounding error that it has lost so far.
  static constexpr size_t kNone = static_cast<size_t>(-1);
  static size_t At(size_t i, size_t j) { return i < j ? j * (j + 1) / 2 + i : i * (i + 1) / 2 + j; }

  size_t columns() const { return 2 + inputs_ + indicators_; }
  void AddSlice(const Batch& rows, size_t begin, size_t count);
  bool PackWhole(const Batch& rows, size_t begin, size_t count);
  size_t PackSome(const Batch& rows, size_t begin, size_t count);
  void SetShift(size_t column, const ColumnView& view, size_t begin, size_t count);
  void AddProducts(const std::vector<size_t>& columns, size_t count);
  [[noreturn]] void RefuseInfinite(size_t column) const;
  void AddRow(const Batch& rows, size_t row, std::vector<double>& line);
  size_t IndicatorOf(size_t input);
  std::vector<double> Full() const;
  void Move(std::vector<double>& full, const std::vector<double>& by) const;

  // Columns of the sums: 0 is the constant 1, then the inputs, the label, and the indicators of
  // missing values in the order in which they turned up.
  size_t inputs_;
  size_t indicators_ = 0;
  int64_t rows_ = 0;
  int64_t skipped_ = 0;
  std::vector<double> shift_;         // inputs, label
  std::vector<bool> shift_known_;     // set by a column's first values
  std::vector<size_t> indicator_of_;  // by input: column of its indicator or kNone
  std::vector<CompensatedSum> sums_;  // lower triangle
  std::vector<double> packed_;        // one slice, column after column
};

}  // namespace braid::ml
