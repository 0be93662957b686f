// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "engine/functions.h"
#include "ml/conformal.h"
#include "session/ml_aggregates.h"

namespace braid::session {

namespace {

void RequireScale(double scale) {
  if (scale > 0 && std::isfinite(scale)) return;
  throw Error(ErrorCode::kModelInput, fmt::format("A row's scale is not above 0: {}", scale),
              "scale_col names a column of positive numbers, both in the rows and in the "
              "calibration rows");
}

bool HasAll(const Batch& rows, size_t row) {
  for (const ColumnView& column : rows.columns)
    if (!column.IsValid(row)) return false;
  return true;
}

// Columns: the score's parts, then the confidence, the same on every row.
struct ScoreState final : engine::AggregateFunction::State {
  explicit ScoreState(bool from_residuals) : residuals(from_residuals) {}
  void Add(const Batch& rows) override {
    for (size_t row = 0; row < rows.rows; ++row) {
      if (!HasAll(rows, row)) continue;
      const double first = rows.columns[0].doubles()[row];
      confidence = rows.columns.back().doubles()[row];
      if (!residuals) {
        scores.Add(first);
        continue;
      }
      const double scale = rows.columns[2].doubles()[row];
      RequireScale(scale);
      scores.Add(ml::ResidualScore(first, rows.columns[1].doubles()[row], scale));
    }
  }
  void Merge(State& other) override {
    const auto& more = static_cast<ScoreState&>(other);
    if (more.scores.count() > 0) confidence = more.confidence;
    scores.Merge(more.scores);
  }
  std::string Finish() override { return fmt::format("{}", scores.Quantile(confidence)); }

  bool residuals;
  double confidence = 0;
  ml::ConformalScores scores;
};

void Width(const std::shared_ptr<void>& /*bound*/, const Batch& arguments,
           engine::VectorWriter out) {
  const ColumnView& quantile = arguments.columns[0];
  const ColumnView& scale = arguments.columns[1];
  for (size_t row = 0; row < arguments.rows; ++row) {
    if (!quantile.IsValid(row))
      throw Error(ErrorCode::kTrainingData, "There are no calibration rows with a label",
                  "the second rows of ML.PREDICT_CONFORMAL are rows that the model was not trained "
                  "on, with their labels");
    if (!scale.IsValid(row)) {
      out.SetNull(row);
      continue;
    }
    RequireScale(scale.doubles()[row]);
    out.doubles()[row] = quantile.doubles()[row] * scale.doubles()[row];
  }
}

}  // namespace

void RegisterConformalFunctions(engine::Connection& connection) {
  engine::Register(connection,
                   engine::AggregateFunction{
                       .name = "braid_conformal_residual", .parameter_count = 4, .make_state = [] {
                         return std::make_unique<ScoreState>(true);
                       }});
  engine::Register(connection,
                   engine::AggregateFunction{
                       .name = "braid_conformal_score", .parameter_count = 2, .make_state = [] {
                         return std::make_unique<ScoreState>(false);
                       }});
  engine::ScalarFunction width;
  width.name = "braid_conformal_width";
  width.parameter_types = {"DOUBLE", "DOUBLE"};
  width.return_type = "DOUBLE";
  width.run = Width;
  engine::Register(connection, std::move(width));
}

}  // namespace braid::session
