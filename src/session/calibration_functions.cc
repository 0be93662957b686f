// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "engine/functions.h"
#include "ml/calibration.h"
#include "ml/calibration_curve.h"
#include "session/ml_aggregates.h"

namespace braid::session {

namespace {

// Columns: the probability, and 1 where the event came.
struct RowsState : engine::AggregateFunction::State {
  void Add(const Batch& batch) override {
    const ColumnView& probability = batch.columns[0];
    const ColumnView& positive = batch.columns[1];
    for (size_t row = 0; row < batch.rows; ++row)
      if (probability.IsValid(row) && positive.IsValid(row))
        rows.Add(probability.doubles()[row], positive.doubles()[row] != 0);
  }
  void Merge(State& other) override { rows.Merge(static_cast<RowsState&>(other).rows); }
  ml::ProbabilityRows rows;
};

struct MapState final : RowsState {
  explicit MapState(ml::CalibrationMethod wanted) : method(wanted) {}
  std::string Finish() override { return ml::CalibrationMap::Fit(method, rows.Groups()).ToBytes(); }
  ml::CalibrationMethod method;
};

// Then, the same on every row: how many buckets, and 1 for those of quantiles.
struct CurveState final : RowsState {
  void Add(const Batch& batch) override {
    RowsState::Add(batch);
    if (batch.rows == 0) return;
    buckets = static_cast<size_t>(batch.columns[2].doubles()[0]);
    strategy = batch.columns[3].doubles()[0] == 0 ? ml::BucketStrategy::kUniform
                                                  : ml::BucketStrategy::kQuantile;
  }
  void Merge(State& other) override {
    const auto& more = static_cast<CurveState&>(other);
    if (more.buckets > 0) {
      buckets = more.buckets;
      strategy = more.strategy;
    }
    RowsState::Merge(other);
  }
  std::string Finish() override {
    const std::vector<ml::ProbabilityRows::Group> groups = rows.Groups();
    if (groups.empty()) return "null";
    const ml::CalibrationCurve curve = ml::MakeCalibrationCurve(groups, buckets, strategy);
    std::string list;
    for (const ml::CalibrationBucket& bucket : curve.buckets)
      list += fmt::format(
          R"({}{{"bucket":{},"lower_bound":{},"upper_bound":{},"row_count":{},"mean_predicted_probability":{},"observed_frequency":{}}})",
          list.empty() ? "" : ",", bucket.number, bucket.lower_bound, bucket.upper_bound,
          static_cast<int64_t>(bucket.rows), bucket.mean_probability, bucket.observed_frequency);
    const ml::CalibrationSummary& all = curve.summary;
    return fmt::format(
        R"({{"buckets":[{}],"summary":{{"row_count":{},"expected_calibration_error":{},"maximum_calibration_error":{},"brier_score":{},"reliability":{},"resolution":{},"uncertainty":{},"within_bucket_variance":{},"within_bucket_covariance":{}}}}})",
        list, static_cast<int64_t>(all.rows), all.expected_calibration_error,
        all.maximum_calibration_error, all.brier_score, all.reliability, all.resolution,
        all.uncertainty, all.within_bucket_variance, all.within_bucket_covariance);
  }
  size_t buckets = 0;
  ml::BucketStrategy strategy = ml::BucketStrategy::kUniform;
};

void RegisterMap(engine::Connection& connection, const char* name, ml::CalibrationMethod method) {
  engine::Register(connection, engine::AggregateFunction{
                                   .name = name, .parameter_count = 2, .make_state = [method] {
                                     return std::make_unique<MapState>(method);
                                   }});
}

}  // namespace

void RegisterCalibrationFunctions(engine::Connection& connection) {
  RegisterMap(connection, "braid_calibration_isotonic", ml::CalibrationMethod::kIsotonic);
  RegisterMap(connection, "braid_calibration_sigmoid", ml::CalibrationMethod::kSigmoid);
  engine::Register(connection, engine::AggregateFunction{
                                   .name = "braid_calibration_curve",
                                   .parameter_count = 4,
                                   .make_state = [] { return std::make_unique<CurveState>(); }});
}

}  // namespace braid::session
