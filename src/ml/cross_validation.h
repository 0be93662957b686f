// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ml/gram.h"
#include "ml/training.h"

namespace braid::ml {

// Judges what a training gives by rows that it has not seen, from the sums of disjoint folds of the
// rows alone: the sums of all other folds are added up, so no row is read again.

// The fold's number and its sums.
using Folds = std::vector<std::pair<int64_t, GramAccumulator>>;

// How the model of the other folds does on a fold.
struct FoldScore {
  int64_t fold = 0;
  int64_t training_rows = 0;
  int64_t rows = 0;
  double squares = 0;  // Σ (label - answer)²
  double sum = 0;      // Σ (label - answer)
  double spread = 0;   // Σ (label - mean)²

  double mean_squared_error() const { return squares / static_cast<double>(rows); }
};

// Whether a request's model can be judged so: a linear score of numbers, trained from sums.
bool CanCrossValidate(const TrainingRequest& request);

// A score a fold; folds without a label are left out. With a single fold its model is judged by the
// rows that it was trained on. Throws kTrainingData when a model cannot be trained, kNotSupported
// when sums are too coarse.
std::vector<FoldScore> CrossValidate(const TrainingRequest& request, const Folds& folds);

// The mean squared error over all rows, of all inputs and without one of them.
struct FeatureScore {
  std::string feature;
  double mean_squared_error = 0;
  double r2_score = 0;
};
// The first is of all inputs, with an empty name.
std::vector<FeatureScore> AblateFeatures(const TrainingRequest& request, const Folds& folds);

}  // namespace braid::ml
