// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ml/feature_space.h"
#include "ml/training.h"

namespace braid::ml {

// How numeric inputs become features. NULL stands for the mean in any case.
struct FeatureScaling {
  bool centre = true;                  // subtract the mean
  bool standardise = true;             // divide by the standard deviation, unless that is 0
  size_t degrees_of_freedom_lost = 0;  // the variance's denominator is rows - this
};

// The training rows in memory as vectors: numbers as features, categories as codes, which become
// indicators block by block. Any number of threads may read.
class FeatureRows {
 public:
  // Reads the rows once. Throws kTrainingData (no rows, no inputs, infinite values), kInterrupted.
  FeatureRows(const TrainingRequest& request, RowSource& source, const FeatureScaling& scaling,
              const TrainingControl& control);

  const FeatureSpace& space() const { return space_; }
  size_t rows() const { return rows_; }
  size_t blocks() const { return blocks_.size(); }
  size_t RowsIn(size_t block) const;
  // The features as a block (kernels.h), in `buffer` or in place; the rows after the last are zero.
  const double* Block(size_t block, std::vector<double>& buffer) const;
  std::vector<double> Row(size_t row) const;

 private:
  struct Stored {
    std::vector<double> numbers;  // numeric input i of row r at [i * kSliceRows + r]; NaN: NULL
    std::vector<int32_t> codes;   // of the categories likewise; -1: NULL
  };
  struct Reader;

  void Standardise(size_t number, const FeatureScaling& scaling, FeatureInput& input);

  size_t rows_ = 0;
  size_t numbers_ = 0;     // numeric inputs
  size_t categories_ = 0;  // the others
  std::vector<Stored> blocks_;
  FeatureSpace space_{{}};
};

}  // namespace braid::ml
