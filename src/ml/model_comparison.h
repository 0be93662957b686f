// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "ml/paired_tests.h"

namespace braid::ml {

// One metric of two models on the same rows, and whether they differ.
struct ComparisonLine {
  std::string_view metric;
  std::string_view test;  // "paired_t", "wilcoxon", "mcnemar" or "delong"
  double first = PairedResult::kNone;
  double second = PairedResult::kNone;
  PairedResult result;
};

// Answers of two regressions: squared and absolute errors, by t and signed ranks. Keeps 24 bytes a
// row; what several threads gathered is merged, and the order of the rows does not matter.
class RegressionComparison {
 public:
  void Add(double actual, double first, double second) { rows_.push_back({actual, first, second}); }
  void Merge(const RegressionComparison& other);
  size_t count() const { return rows_.size(); }
  std::vector<ComparisonLine> Finish(double confidence);

 private:
  struct Row {
    double actual;
    double first;
    double second;
    auto operator<=>(const Row&) const = default;
  };
  std::vector<Row> rows_;
};

// Answers of two classifiers: log loss by t and signed ranks, accuracy by McNemar, and for two
// classes the area under the ROC curve by DeLong.
class ClassificationComparison {
 public:
  struct Answer {
    double of_label = 0;    // the probability of the row's label
    double of_higher = 0;   // of the higher of two classes; NaN: there are others
    bool is_right = false;  // the predicted label is the row's
    auto operator<=>(const Answer&) const = default;
  };
  void Add(bool is_higher, const Answer& first, const Answer& second) {
    rows_.push_back({is_higher, first, second});
  }
  void Merge(const ClassificationComparison& other);
  size_t count() const { return rows_.size(); }
  std::vector<ComparisonLine> Finish(double confidence);

 private:
  struct Row {
    bool is_higher;
    Answer first;
    Answer second;
    auto operator<=>(const Row&) const = default;
  };
  std::vector<Row> rows_;
};

}  // namespace braid::ml
