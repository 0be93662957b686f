// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "engine/functions.h"
#include "ml/model_comparison.h"
#include "session/ml_aggregates.h"

namespace braid::session {

namespace {

std::string NumberJson(double value) {
  return std::isnan(value) ? "null" : fmt::format("\"{}\"", value);
}

std::string LinesJson(const std::vector<ml::ComparisonLine>& lines, size_t rows) {
  std::string list;
  for (const ml::ComparisonLine& line : lines) {
    list += fmt::format(R"({}{{"metric":"{}","test":"{}","row_count":{})", list.empty() ? "" : ",",
                        line.metric, line.test, rows);
    const ml::PairedResult& result = line.result;
    const std::pair<const char*, double> numbers[] = {{"baseline_value", line.first},
                                                      {"candidate_value", line.second},
                                                      {"difference", result.difference},
                                                      {"standard_error", result.standard_error},
                                                      {"confidence_interval_lower", result.lower},
                                                      {"confidence_interval_upper", result.upper},
                                                      {"statistic", result.statistic},
                                                      {"p_value", result.p_value}};
    for (const auto& [name, value] : numbers)
      list += fmt::format(R"(,"{}":{})", name, NumberJson(value));
    list += "}";
  }
  return "[" + list + "]";
}

// The last column is the confidence, the same on every row.
template <typename Comparison>
struct ComparisonState : engine::AggregateFunction::State {
  void Add(const Batch& rows) override {
    for (size_t row = 0; row < rows.rows; ++row) AddRow(rows, row);
    if (rows.rows > 0) confidence = rows.columns.back().doubles()[0];
  }
  void Merge(State& other) override {
    const auto& more = static_cast<ComparisonState&>(other);
    if (more.comparison.count() > 0) confidence = more.confidence;
    comparison.Merge(more.comparison);
  }
  std::string Finish() override {
    return LinesJson(comparison.Finish(confidence), comparison.count());
  }
  virtual void AddRow(const Batch& rows, size_t row) = 0;

  Comparison comparison;
  double confidence = 0;
};

// NaN for NULL.
double At(const Batch& rows, size_t column, size_t row) {
  const ColumnView& view = rows.columns[column];
  return view.IsValid(row) ? view.doubles()[row] : ml::PairedResult::kNone;
}

// Columns: label, first answer, second answer.
struct RegressionState final : ComparisonState<ml::RegressionComparison> {
  void AddRow(const Batch& rows, size_t row) override {
    comparison.Add(At(rows, 0, row), At(rows, 1, row), At(rows, 2, row));
  }
};

// Columns: whether the label is the higher one; then for each model the probabilities of the label
// and of the higher label, and whether its answer is right.
struct ClassificationState final : ComparisonState<ml::ClassificationComparison> {
  void AddRow(const Batch& rows, size_t row) override {
    comparison.Add(At(rows, 0, row) == 1, AnswerAt(rows, 1, row), AnswerAt(rows, 4, row));
  }
  static ml::ClassificationComparison::Answer AnswerAt(const Batch& rows, size_t column,
                                                       size_t row) {
    return {.of_label = At(rows, column, row),
            .of_higher = At(rows, column + 1, row),
            .is_right = At(rows, column + 2, row) == 1};
  }
};

}  // namespace

void RegisterComparisonFunctions(engine::Connection& connection) {
  engine::Register(connection,
                   engine::AggregateFunction{
                       .name = "braid_compare_regressions", .parameter_count = 4, .make_state = [] {
                         return std::make_unique<RegressionState>();
                       }});
  engine::Register(connection,
                   engine::AggregateFunction{
                       .name = "braid_compare_classifiers", .parameter_count = 8, .make_state = [] {
                         return std::make_unique<ClassificationState>();
                       }});
}

}  // namespace braid::session
