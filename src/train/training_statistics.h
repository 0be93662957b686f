// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/functions.h"
#include "ml/gram.h"
#include "ml/number_summary.h"
#include "train/model_projection.h"
#include "train/training_rows.h"

namespace braid::train {

constexpr size_t kHistogramBuckets = 10;
// Categories that are kept with their counts. More than comparisons look at, so that what is rare
// in training and frequent later is mostly found.
constexpr int64_t kKeptCategories = 100;

// What the columns of the training rows look like, label, split and weight left out: those that
// TRANSFORM is given, where there is one. Reads the rows once for all numbers and once for each
// other column; where `numbers` are known already, those of the inputs, not at all.
std::vector<ml::FeatureStatistics> GatherFeatureStatistics(
    engine::Connection& connection, const ProjectionRequest& request,
    const session::Projection& projection, const TrainingRows& rows,
    std::vector<ml::NumberStatistics> numbers);

// The state of an aggregate over inputs and a label that gathers moments and, at the price of a few
// instructions a value, the statistics of the inputs.
struct DescribedMoments final : engine::AggregateFunction::State {
  explicit DescribedMoments(size_t inputs) : gram(inputs), numbers(inputs) {}
  void Add(const Batch& rows) override;
  void Merge(State& other) override;
  std::string Finish() override;
  std::vector<ml::NumberStatistics> Statistics() const;

  ml::GramAccumulator gram;
  std::vector<ml::NumberSummary> numbers;
};
struct FinishedMoments {
  ml::GramAccumulator gram;
  std::vector<ml::NumberStatistics> numbers;
};
FinishedMoments ReadDescribedMoments(std::string_view finished);

}  // namespace braid::train
