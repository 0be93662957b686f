// SPDX-License-Identifier: Apache-2.0
// The engine's functions behind the statistics of rows.
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/functions.h"
#include "ml/distribution_distance.h"
#include "ml/number_summary.h"
#include "session/feature_sql.h"

namespace braid::session {

namespace {

struct SummaryState final : engine::AggregateFunction::State {
  void Add(const Batch& rows) override {
    if (rows.rows == 0) return;
    buckets = static_cast<size_t>(rows.columns[1].doubles()[0]);
    summary.Add(rows.columns[0], rows.rows);
  }
  void Merge(State& other) override {
    auto& added = static_cast<SummaryState&>(other);
    if (added.buckets > 0) buckets = added.buckets;
    summary.Merge(added.summary);
  }
  std::string Finish() override {
    return ml::ToJson({.name = "", .values = summary.Finish(buckets)}).dump();
  }
  ml::NumberSummary summary;
  size_t buckets = 0;
};

ml::DistanceMetric MetricNamed(std::string_view name) {
  if (name == "L_INFTY") return ml::DistanceMetric::kLInfinity;
  if (name == "POPULATION_STABILITY_INDEX") return ml::DistanceMetric::kStabilityIndex;
  return ml::DistanceMetric::kJensenShannon;
}

void WriteDistances(const Batch& arguments, engine::VectorWriter out) {
  const auto text = [&](size_t column, size_t row) {
    return arguments.columns[column].strings()[row];
  };
  for (size_t row = 0; row < arguments.rows; ++row) {
    if (!arguments.columns[1].IsValid(row) || !arguments.columns[2].IsValid(row)) {
      out.SetNull(row);
      continue;
    }
    const ml::DistanceMetric metric = MetricNamed(text(0, row));
    const auto side = [&](size_t column) {
      return ml::ReadFeatureStatistics(nlohmann::ordered_json::parse(text(column, row)));
    };
    const double distance = ml::DistributionDistance(metric, side(1), side(2));
    out.doubles()[row] = distance;
    if (std::isnan(distance)) out.SetNull(row);
  }
}

}  // namespace

void RegisterFeatureFunctions(engine::Connection& connection) {
  engine::Register(connection, engine::AggregateFunction{
                                   .name = "braid_number_statistics",
                                   .parameter_count = 2,
                                   .make_state = [] { return std::make_unique<SummaryState>(); }});
  engine::ScalarFunction distance;
  distance.name = "braid_distribution_distance";
  distance.parameter_types = {"VARCHAR", "VARCHAR", "VARCHAR"};
  distance.return_type = "DOUBLE";
  distance.run = [](const std::shared_ptr<void>&, const Batch& arguments,
                    engine::VectorWriter out) { WriteDistances(arguments, out); };
  engine::Register(connection, std::move(distance));
}

}  // namespace braid::session
