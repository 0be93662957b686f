// SPDX-License-Identifier: Apache-2.0
#include "train/training_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "session/feature_sql.h"

namespace braid::train {

namespace {

using session::FeatureColumn;
using session::FeatureKind;

std::vector<FeatureColumn> Columns(const ProjectionRequest& request,
                                   const session::Projection& projection) {
  const auto is = [](const std::string& column, const std::optional<std::string>& name) {
    return name && EqualsIgnoringCase(column, *name);
  };
  std::vector<lake::Column> columns;
  for (const lake::Column& column : request.columns) {
    if (is(column.name, projection.label) || is(column.name, request.options.data_split_col) ||
        is(column.name, request.options.instance_weight_col) ||
        is(column.name, request.options.mark_col))
      continue;
    const bool named = !request.named ||
                       std::any_of(request.named->inputs.begin(), request.named->inputs.end(),
                                   [&](const std::string& name) { return is(column.name, name); });
    // Whatever type an id has, it is one.
    if (named) columns.push_back({column.name, request.named ? "VARCHAR" : column.type});
  }
  return session::FeatureColumns(columns);
}

class Gathering {
 public:
  Gathering(engine::Connection& connection, const TrainingRows& rows)
      : connection_(connection), from_(rows.TrainingQuery() + " AS __braid_row") {}

  std::vector<ml::FeatureStatistics> Gather(const std::vector<FeatureColumn>& columns) {
    std::vector<ml::FeatureStatistics> statistics;
    std::vector<size_t> numbers;
    std::string list;
    for (const FeatureColumn& column : columns) {
      if (column.kind == FeatureKind::kNumber) {
        numbers.push_back(statistics.size());
        list += (list.empty() ? "" : ", ") + column.value;
        statistics.push_back({column.name, ml::NumberStatistics{}});
      } else if (session::IsCategory(column.kind)) {
        statistics.push_back(ml::ReadFeatureStatistics(nlohmann::ordered_json::parse(
            connection_
                .Scalar("SELECT " + session::CategoryStatisticsSql(column, from_, kKeptCategories))
                .get<std::string>())));
        statistics.back().name = column.name;
      } else {
        statistics.push_back({column.name, Summaries(column.value, 1)[0]});
        if (column.kind == FeatureKind::kSparse) statistics.back().dimension = Dimension(column);
      }
    }
    if (numbers.empty()) return statistics;
    const std::vector<ml::NumberStatistics> gathered = Summaries(list, numbers.size());
    for (size_t i = 0; i < numbers.size(); ++i) statistics[numbers[i]].values = gathered[i];
    return statistics;
  }

 private:
  // By one thread in the rows' order, so that the same rows give the same sample.
  std::vector<ml::NumberStatistics> Summaries(const std::string& list, size_t count) {
    std::vector<ml::NumberSummary> summaries(count);
    QueryRows(connection_, fmt::format("SELECT {} FROM {}", list, from_))
        .Scan([&](const Batch& batch) {
          for (size_t i = 0; i < count; ++i) summaries[i].Add(batch.columns[i], batch.rows);
        });
    std::vector<ml::NumberStatistics> statistics;
    for (const ml::NumberSummary& summary : summaries)
      statistics.push_back(summary.Finish(kHistogramBuckets));
    return statistics;
  }

  std::optional<int64_t> Dimension(const FeatureColumn& column) {
    const auto highest = connection_.Scalar(fmt::format(
        "SELECT CAST(max(i) + 1 AS BIGINT) FROM (SELECT {} AS i FROM {})", column.index, from_));
    if (highest.is_null()) return std::nullopt;
    return highest.get<int64_t>();
  }

  engine::Connection& connection_;
  std::string from_;
};

}  // namespace

std::vector<ml::FeatureStatistics> GatherFeatureStatistics(
    engine::Connection& connection, const ProjectionRequest& request,
    const session::Projection& projection, const TrainingRows& rows,
    std::vector<ml::NumberStatistics> numbers) {
  if (numbers.empty() || !projection.transform.empty())
    return Gathering(connection, rows).Gather(Columns(request, projection));
  BRAID_CHECK(numbers.size() == projection.inputs.size());
  std::vector<ml::FeatureStatistics> statistics;
  for (size_t i = 0; i < numbers.size(); ++i)
    statistics.push_back({projection.inputs[i].name, std::move(numbers[i])});
  return statistics;
}

void DescribedMoments::Add(const Batch& rows) {
  gram.Add(rows);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i].Add(rows.columns[i], rows.rows);
}

void DescribedMoments::Merge(State& other) {
  const auto& added = static_cast<DescribedMoments&>(other);
  gram.Merge(added.gram);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i].Merge(added.numbers[i]);
}

std::vector<ml::NumberStatistics> DescribedMoments::Statistics() const {
  std::vector<ml::NumberStatistics> statistics;
  for (const ml::NumberSummary& summary : numbers)
    statistics.push_back(summary.Finish(kHistogramBuckets));
  return statistics;
}

// The length of the moments, they themselves, and JSON.
std::string DescribedMoments::Finish() {
  const std::string sums = gram.Serialize();
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (ml::NumberStatistics& statistics : Statistics())
    list.push_back(ml::ToJson({.name = "", .values = std::move(statistics)}));
  const uint64_t length = sums.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + sums + list.dump();
}

FinishedMoments ReadDescribedMoments(std::string_view finished) {
  uint64_t length = 0;
  BRAID_CHECK(finished.size() > sizeof length);
  std::memcpy(&length, finished.data(), sizeof length);
  finished.remove_prefix(sizeof length);
  FinishedMoments moments{ml::GramAccumulator::Deserialize(finished.substr(0, length)), {}};
  for (const auto& json : nlohmann::ordered_json::parse(finished.substr(length)))
    moments.numbers.push_back(
        std::get<ml::NumberStatistics>(ml::ReadFeatureStatistics(json).values));
  return moments;
}

}  // namespace braid::train
