// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ml/glm/glm_model.h"
#include "ml/training.h"

namespace braid::ml {

// An input as the features that a GLM sees: one standardised number, or an indicator of each level.
struct DesignColumn {
  InputKind kind = InputKind::kNumeric;
  size_t first = 0;   // feature
  size_t width = 1;   // features
  double offset = 0;  // numeric: feature = (value - offset) / scale
  double scale = 1;
  std::vector<double> values;    // numeric: the feature
  std::vector<int32_t> codes;    // category: which of its features is 1; -1: none (the reference)
  std::vector<size_t> level_of;  // category: feature → level of GlmInput::categories
};

// The training rows in memory, standardised.
struct Design {
  size_t rows = 0;
  int64_t skipped = 0;
  size_t features = 0;
  std::vector<GlmInput> inputs;
  std::vector<DesignColumn> columns;
  std::vector<double> means;         // of the features, with the rows' weights
  std::vector<double> label;         // regression
  std::vector<int32_t> label_class;  // classification
  std::vector<std::string> classes;  // those that occur
  std::vector<double> weights;       // of the rows; empty: all 1
  double weight_sum = 0;

  double WeightOf(size_t row) const { return weights.empty() ? 1 : weights[row]; }
  // One indicator of each complete set of indicators follows from the others and the constant.
  size_t StructuralZeros(bool fit_intercept) const;
};

// Reads the rows once. Throws kTrainingData (no rows, infinite values, wrong weights, class
// trouble), kInterrupted.
Design LoadDesign(const GlmRequest& request, RowSource& rows, const TrainingControl& control);

// Sums over the rows of weight · a·b for all pairs of [features, 1, extra], (features + 2)² row by
// row. `weights` (empty: 1) and `extra` (empty: 0) have one value a row.
std::vector<double> WeightedProducts(const Design& design, std::span<const double> weights,
                                     std::span<const double> extra);

// Turns such a table's features (and extra) into deviations: feature - means[feature] times the
// constant.
void Centre(std::vector<double>& products, std::span<const double> means);

// out[row] += Σ features·beta + intercept.
void AddScores(const Design& design, std::span<const double> beta, double intercept,
               std::span<double> out);

// Σ over rows of row_values · [features, 1].
std::vector<double> TransposedProduct(const Design& design, std::span<const double> row_values);

// The parts of a model that follow from the rows alone, and its scores from coefficients of the
// features (one vector a score: features, then the intercept of the standardised features).
GlmParts MakeParts(const GlmRequest& request, const Design& design,
                   const std::vector<std::vector<double>>& coefficients);

}  // namespace braid::ml
