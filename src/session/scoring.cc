// SPDX-License-Identifier: Apache-2.0
// One thread-safe model is shared by all threads; each call scores one chunk.
#include "session/scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "engine/functions.h"
#include "ml/metrics.h"
#include "session/feature_sql.h"
#include "session/ml_aggregates.h"
#include "session/model_table.h"
#include "session/scoring_internal.h"
#include "session/validate_sql.h"

namespace braid::session {

namespace {

std::shared_ptr<void> Bind(ModelStore& store, size_t constants, size_t columns,
                           std::span<const engine::ScalarFunction::BoundArgument> arguments) {
  if (arguments.size() < constants)
    throw Error(ErrorCode::kInternal, "A scoring function was called without its model");
  for (size_t i = 0; i < constants; ++i)
    if (!arguments[i].constant)
      throw Error(ErrorCode::kInternal, "A scoring function was called without its model");
  auto bound = std::make_shared<BoundScoring>();
  bound->model = store.Get(*arguments[0].constant);
  bound->skipped = constants + columns;
  if (constants > 1) {
    const std::string& setting = *arguments[1].constant;
    std::from_chars(setting.data(), setting.data() + setting.size(), bound->setting);
  }
  if (arguments.size() != bound->model->projection.inputs.size() + bound->skipped)
    throw Error(ErrorCode::kInternal,
                "A scoring function was called with other inputs than its model has");
  return bound;
}

// A kind's NaN is no answer.
void SetNullWhereNaN(engine::VectorWriter& out, const double* values, size_t rows) {
  for (size_t row = 0; row < rows; ++row)
    if (std::isnan(values[row])) out.SetNull(row);
}

void ScoreValue(const BoundScoring& scoring, const Batch& arguments, engine::VectorWriter out) {
  const ml::Model& model = *scoring.model->core;
  model.Score(Inputs(scoring, arguments), {out.doubles(), arguments.rows});
  if (model.may_be_silent()) SetNullWhereNaN(out, out.doubles(), arguments.rows);
}

void ScoreList(const BoundScoring& scoring, const Batch& arguments, engine::VectorWriter out) {
  const size_t width = scoring.model->core->score_count();
  engine::VectorWriter element = out.ListChild(arguments.rows * width);
  scoring.model->core->Score(Inputs(scoring, arguments),
                             {element.doubles(), arguments.rows * width});
  const bool may_be_silent = scoring.model->core->may_be_silent();
  for (size_t row = 0; row < arguments.rows; ++row) {
    out.SetListEntry(row, row * width, width);
    if (may_be_silent && std::isnan(element.doubles()[row * width])) out.SetNull(row);
  }
}

// The categories of one input that training saw, once for each row.
void KnownCategories(const BoundScoring& scoring, size_t rows, engine::VectorWriter out) {
  const std::vector<std::string> known =
      scoring.model->core->known_categories(static_cast<size_t>(scoring.setting));
  engine::VectorWriter element = out.ListChild(rows * known.size());
  for (size_t row = 0; row < rows; ++row) {
    for (size_t k = 0; k < known.size(); ++k) element.SetString(row * known.size() + k, known[k]);
    out.SetListEntry(row, row * known.size(), known.size());
  }
}

// The nearest five, as BigQuery ML shows them; ties by number.
void ScoreCluster(const BoundScoring& scoring, const Batch& arguments, engine::VectorWriter out) {
  const size_t clusters = scoring.model->core->score_count();
  const size_t shown = std::min<size_t>(5, clusters);
  std::vector<double> distances(arguments.rows * clusters);
  scoring.model->core->Score(Inputs(scoring, arguments), distances);
  engine::VectorWriter centroid = out.Child(0);
  engine::VectorWriter list = out.Child(1);
  engine::VectorWriter element = list.ListChild(arguments.rows * shown);
  engine::VectorWriter id = element.Child(0);
  engine::VectorWriter distance = element.Child(1);
  std::vector<size_t> order(clusters);
  for (size_t row = 0; row < arguments.rows; ++row) {
    const double* d = &distances[row * clusters];
    std::iota(order.begin(), order.end(), size_t{0});
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(shown), order.end(),
                      [d](size_t a, size_t b) { return d[a] != d[b] ? d[a] < d[b] : a < b; });
    centroid.integers()[row] = static_cast<int64_t>(order[0]) + 1;
    for (size_t k = 0; k < shown; ++k) {
      id.integers()[row * shown + k] = static_cast<int64_t>(order[k]) + 1;
      distance.doubles()[row * shown + k] = d[order[k]];
    }
    list.SetListEntry(row, row * shown, shown);
  }
}

void ScoreAnomaly(const BoundScoring& scoring, const Batch& arguments, engine::VectorWriter out) {
  engine::VectorWriter score = out.Child(0);
  engine::VectorWriter centroid = out.Child(1);
  scoring.model->core->AnomalyScores(Inputs(scoring, arguments), {score.doubles(), arguments.rows},
                                     {centroid.integers(), arguments.rows});
}

void ScoreExplained(const BoundScoring& scoring, const Batch& arguments, engine::VectorWriter out) {
  const ml::Model& model = *scoring.model->core;
  const Batch inputs = Inputs(scoring, arguments);
  const std::vector<ml::InputColumn> columns = model.input_columns();
  const size_t outputs = model.explained_count();
  const size_t width = columns.size() + 1;
  const size_t shown = std::min(columns.size(), static_cast<size_t>(scoring.setting));
  std::vector<double> parts(inputs.rows * outputs * width);
  model.Explain(inputs, parts);
  // Which class is explained: with more than one output the likeliest.
  std::vector<double> answers(outputs > 1 ? inputs.rows * outputs : 0);
  if (outputs > 1) model.Score(inputs, answers);
  engine::VectorWriter list = out.Child(0);
  engine::VectorWriter element = list.ListChild(inputs.rows * shown);
  engine::VectorWriter feature = element.Child(0);
  engine::VectorWriter attribution = element.Child(1);
  engine::VectorWriter baseline = out.Child(1);
  engine::VectorWriter value = out.Child(2);
  std::vector<size_t> order(columns.size());
  for (size_t row = 0; row < inputs.rows; ++row) {
    const auto answer = answers.begin() + static_cast<ptrdiff_t>(row * outputs);
    const auto best =
        outputs > 1 ? std::max_element(answer, answer + static_cast<ptrdiff_t>(outputs)) - answer
                    : 0;
    const double* part = &parts[(row * outputs + static_cast<size_t>(best)) * width];
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [part](size_t a, size_t b) { return std::abs(part[a]) > std::abs(part[b]); });
    for (size_t k = 0; k < shown; ++k) {
      feature.SetString(row * shown + k, columns[order[k]].name);
      attribution.doubles()[row * shown + k] = part[order[k]];
    }
    list.SetListEntry(row, row * shown, shown);
    baseline.doubles()[row] = part[width - 1];
    value.doubles()[row] = std::accumulate(part, part + width, 0.0);
    if (model.may_be_silent() && std::isnan(baseline.doubles()[row]))
      for (engine::VectorWriter* field : {&list, &baseline, &value}) field->SetNull(row);
  }
}

void ScoreInterval(const BoundScoring& scoring, const Batch& arguments, engine::VectorWriter out) {
  std::vector<double> answers(arguments.rows * ml::kIntervalWidth);
  scoring.model->core->Intervals(Inputs(scoring, arguments), scoring.setting, answers);
  for (size_t k = 0; k < ml::kIntervalWidth; ++k) {
    engine::VectorWriter field = out.Child(k);
    for (size_t row = 0; row < arguments.rows; ++row) {
      const double answer = answers[row * ml::kIntervalWidth + k];
      field.doubles()[row] = answer;
      if (std::isnan(answer)) field.SetNull(row);
    }
  }
}

}  // namespace

Batch Inputs(const BoundScoring& scoring, const Batch& arguments) {
  return {arguments.rows,
          {arguments.columns.begin() + static_cast<ptrdiff_t>(scoring.skipped),
           arguments.columns.end()}};
}

void RegisterScorer(engine::Connection& connection, ModelStore& store, const std::string& name,
                    size_t constants, const std::string& return_type, Scorer score,
                    size_t columns) {
  engine::ScalarFunction function;
  function.name = std::string(kScoringPrefix) + name;
  function.parameter_types.assign(constants, "VARCHAR");
  function.varargs_type = "ANY";
  function.return_type = return_type;
  function.is_volatile = true;
  function.bind = [&store, constants, columns](auto arguments) {
    return Bind(store, constants, columns, arguments);
  };
  function.run = [score = std::move(score)](const std::shared_ptr<void>& bound,
                                            const Batch& arguments, engine::VectorWriter out) {
    score(*static_cast<const BoundScoring*>(bound.get()), arguments, out);
  };
  engine::Register(connection, std::move(function));
}

namespace {

// braid_score_known(model, number of the input). A constant, so that the engine asks once.
void RegisterKnown(engine::Connection& connection, ModelStore& store) {
  engine::ScalarFunction function;
  function.name = std::string(kScoringPrefix) + "known";
  function.parameter_types = {"VARCHAR", "VARCHAR"};
  function.return_type = "VARCHAR[]";
  function.bind = [&store](auto arguments) {
    auto bound = std::make_shared<BoundScoring>();
    bound->model = store.Get(arguments[0].constant.value());
    bound->setting = std::stod(arguments[1].constant.value());
    return bound;
  };
  function.run = [](const std::shared_ptr<void>& bound, const Batch& arguments,
                    engine::VectorWriter out) {
    KnownCategories(*static_cast<const BoundScoring*>(bound.get()), arguments.rows, out);
  };
  engine::Register(connection, std::move(function));
}

// braid_regression_errors(actual, predicted): ML.EVALUATE's metrics as JSON text.
struct ErrorState final : engine::AggregateFunction::State {
  void Add(const Batch& rows) override {
    const ColumnView& actual = rows.columns[0];
    const ColumnView& predicted = rows.columns[1];
    if (actual.validity == nullptr && predicted.validity == nullptr) {
      errors.Add({actual.doubles(), rows.rows}, {predicted.doubles(), rows.rows});
      return;
    }
    std::vector<double> known[2];
    for (size_t row = 0; row < rows.rows; ++row) {
      if (!actual.IsValid(row) || !predicted.IsValid(row)) continue;
      known[0].push_back(actual.doubles()[row]);
      known[1].push_back(predicted.doubles()[row]);
    }
    errors.Add(known[0], known[1]);
  }
  void Merge(State& other) override { errors.Merge(static_cast<ErrorState&>(other).errors); }
  std::string Finish() override {
    std::string json = "{";
    for (const auto& [name, value] : errors.Finish().ToMap())
      json += fmt::format("{}\"{}\":\"{}\"", json.size() == 1 ? "" : ",", name, value);
    return json + "}";
  }
  ml::RegressionErrors errors;
};

}  // namespace

void RegisterScoringFunctions(engine::Connection& connection, ModelStore& store) {
  RegisterModelTables(connection, store);
  RegisterValidation(connection);
  engine::Register(connection, engine::AggregateFunction{
                                   .name = "braid_regression_errors",
                                   .parameter_count = 2,
                                   .make_state = [] { return std::make_unique<ErrorState>(); }});
  RegisterFeatureFunctions(connection);
  RegisterConformalFunctions(connection);
  RegisterCalibrationFunctions(connection);
  RegisterComparisonFunctions(connection);
  RegisterScorer(connection, store, "value", 1, "DOUBLE", ScoreValue);
  RegisterScorer(connection, store, "list", 1, "DOUBLE[]", ScoreList);
  RegisterScorer(connection, store, "interval", 2,
                 "STRUCT(\"value\" DOUBLE, confidence_interval_lower DOUBLE, "
                 "confidence_interval_upper DOUBLE, prediction_interval_lower DOUBLE, "
                 "prediction_interval_upper DOUBLE)",
                 ScoreInterval);
  RegisterKnown(connection, store);
  RegisterScorer(
      connection, store, "cluster", 1,
      "STRUCT(centroid_id BIGINT, nearest STRUCT(centroid_id BIGINT, distance DOUBLE)[])",
      ScoreCluster);
  RegisterScorer(connection, store, "anomaly", 1, "STRUCT(score DOUBLE, centroid_id BIGINT)",
                 ScoreAnomaly);
  RegisterScorer(connection, store, "explained", 2,
                 "STRUCT(attributions STRUCT(feature VARCHAR, attribution DOUBLE)[], baseline "
                 "DOUBLE, \"value\" DOUBLE)",
                 ScoreExplained);
  RegisterClassScorers(connection, store);
  RegisterRankingFunctions(connection, store);
  RegisterRemoteScorer(connection, store);
}

bool IsScoringFunction(std::string_view name) { return name.starts_with(kScoringPrefix); }

}  // namespace braid::session
