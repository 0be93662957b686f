// SPDX-License-Identifier: Apache-2.0
#include "ml/model_comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace braid::ml {

namespace {

constexpr double kLeastProbability = 1e-15;  // as ML.EVALUATE has it

double Average(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The two tests of a mean loss of rows.
void CompareLosses(std::string_view metric, std::span<const double> first,
                   std::span<const double> second, double confidence,
                   std::vector<ComparisonLine>& lines) {
  std::vector<double> differences(first.size());
  for (size_t i = 0; i < first.size(); ++i) differences[i] = second[i] - first[i];
  const double means[2] = {Average(first), Average(second)};
  lines.push_back({metric, "paired_t", means[0], means[1], PairedT(differences, confidence)});
  lines.push_back({metric, "wilcoxon", means[0], means[1], SignedRanks(differences)});
}

// Rows of which any answer is no number come last, in whatever order: all that is made of them is
// no number either.
template <typename Row>
void Sort(std::vector<Row>& rows) {
  const auto numbers =
      std::partition(rows.begin(), rows.end(), [](const Row& row) { return (row <=> row) == 0; });
  std::sort(rows.begin(), numbers, [](const Row& a, const Row& b) { return a < b; });
}

}  // namespace

void RegressionComparison::Merge(const RegressionComparison& other) {
  rows_.insert(rows_.end(), other.rows_.begin(), other.rows_.end());
}

std::vector<ComparisonLine> RegressionComparison::Finish(double confidence) {
  Sort(rows_);
  std::vector<double> squares[2];
  std::vector<double> sizes[2];
  for (const Row& row : rows_) {
    const double errors[2] = {row.actual - row.first, row.actual - row.second};
    for (size_t k = 0; k < 2; ++k) {
      squares[k].push_back(errors[k] * errors[k]);
      sizes[k].push_back(std::abs(errors[k]));
    }
  }
  std::vector<ComparisonLine> lines;
  CompareLosses("mean_squared_error", squares[0], squares[1], confidence, lines);
  CompareLosses("mean_absolute_error", sizes[0], sizes[1], confidence, lines);
  return lines;
}

void ClassificationComparison::Merge(const ClassificationComparison& other) {
  rows_.insert(rows_.end(), other.rows_.begin(), other.rows_.end());
}

std::vector<ComparisonLine> ClassificationComparison::Finish(double confidence) {
  Sort(rows_);
  std::vector<double> losses[2];
  std::vector<double> scores[2];
  std::vector<bool> positive;
  double right[2] = {0, 0};
  double only[2] = {0, 0};
  bool is_binary = !rows_.empty();
  for (const Row& row : rows_) {
    const Answer* answers[2] = {&row.first, &row.second};
    for (size_t k = 0; k < 2; ++k) {
      losses[k].push_back(-std::log(std::max(answers[k]->of_label, kLeastProbability)));
      scores[k].push_back(answers[k]->of_higher);
      is_binary = is_binary && !std::isnan(answers[k]->of_higher);
      right[k] += answers[k]->is_right ? 1 : 0;
      only[k] += answers[k]->is_right && !answers[1 - k]->is_right ? 1 : 0;
    }
    positive.push_back(row.is_higher);
  }
  const auto rows = static_cast<double>(rows_.size());
  std::vector<ComparisonLine> lines;
  CompareLosses("log_loss", losses[0], losses[1], confidence, lines);
  lines.push_back({"accuracy", "mcnemar", right[0] / rows, right[1] / rows,
                   McNemar(only[0], only[1], rows, confidence)});
  if (!is_binary) return lines;
  const RocComparison areas = CompareRocAreas(scores[0], scores[1], positive, confidence);
  lines.push_back({"roc_auc", "delong", areas.first_area, areas.second_area, areas.result});
  return lines;
}

}  // namespace braid::ml
