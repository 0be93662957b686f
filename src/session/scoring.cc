// SPDX-License-Identifier: Apache-2.0
// The functions behind ML.PREDICT: (artefact, threshold, inputs…) → value or {label, probs}. One
// thread-safe model is shared by all threads; each call scores one chunk.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/error.h"
#include "engine/functions.h"
#include "ml/metrics.h"
#include "session/model_store.h"

namespace braid::session {

namespace {

struct BoundScoring {
  std::shared_ptr<const StoredModel> model;
  double threshold = 0.5;
};

std::shared_ptr<void> Bind(ModelStore& store,
                           std::span<const engine::ScalarFunction::BoundArgument> arguments) {
  if (arguments.size() < 2 || !arguments[0].constant || !arguments[1].constant)
    throw Error(ErrorCode::kInternal, "A scoring function was called without its model");
  auto bound = std::make_shared<BoundScoring>();
  bound->model = store.Get(*arguments[0].constant);
  const std::string& threshold = *arguments[1].constant;
  std::from_chars(threshold.data(), threshold.data() + threshold.size(), bound->threshold);
  if (arguments.size() != bound->model->projection.inputs.size() + 2)
    throw Error(ErrorCode::kInternal,
                "A scoring function was called with other inputs than its model has");
  return bound;
}

// The inputs without the two leading constants.
Batch Inputs(const Batch& arguments) {
  return {arguments.rows, {arguments.columns.begin() + 2, arguments.columns.end()}};
}

void ScoreValue(const std::shared_ptr<void>& bound, const Batch& arguments,
                engine::VectorWriter out) {
  const auto& scoring = *static_cast<const BoundScoring*>(bound.get());
  scoring.model->core.PredictRegression(Inputs(arguments), {out.doubles(), arguments.rows});
}

enum class LabelForm { kBoolean, kBigint, kDouble, kVarchar };

// The classes once more, as what a vector holds.
struct Labels {
  const std::vector<std::string>& text;
  std::vector<int64_t> integers;
  std::vector<double> doubles;
};

Labels ConvertLabels(const std::vector<std::string>& classes, LabelForm form) {
  Labels labels{classes, {}, {}};
  for (const std::string& text : classes) {
    int64_t integer = 0;
    double number = 0;
    if (form == LabelForm::kBigint)
      std::from_chars(text.data(), text.data() + text.size(), integer);
    if (form == LabelForm::kDouble) std::from_chars(text.data(), text.data() + text.size(), number);
    if (form == LabelForm::kBoolean) integer = text == "true" ? 1 : 0;
    labels.integers.push_back(integer);
    labels.doubles.push_back(number);
  }
  return labels;
}

void WriteLabel(engine::VectorWriter& out, LabelForm form, size_t row, const Labels& labels,
                size_t label) {
  switch (form) {
    case LabelForm::kBoolean:
      out.booleans()[row] = labels.integers[label] != 0;
      break;
    case LabelForm::kBigint:
      out.integers()[row] = labels.integers[label];
      break;
    case LabelForm::kDouble:
      out.doubles()[row] = labels.doubles[label];
      break;
    case LabelForm::kVarchar:
      out.SetString(row, labels.text[label]);
      break;
  }
}

void ScoreClasses(LabelForm form, const std::shared_ptr<void>& bound, const Batch& arguments,
                  engine::VectorWriter out) {
  const auto& scoring = *static_cast<const BoundScoring*>(bound.get());
  const Labels labels = ConvertLabels(scoring.model->core.classes(), form);
  const size_t classes = labels.text.size();
  std::vector<double> probabilities(arguments.rows * classes);
  scoring.model->core.PredictProbabilities(Inputs(arguments), probabilities);
  engine::VectorWriter label = out.Child(0);
  engine::VectorWriter list = out.Child(1);
  engine::VectorWriter element = list.ListChild(probabilities.size());
  engine::VectorWriter element_label = element.Child(0);
  double* element_prob = element.Child(1).doubles();
  std::vector<size_t> order(classes);
  for (size_t row = 0; row < arguments.rows; ++row) {
    const double* p = &probabilities[row * classes];
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [p](size_t a, size_t b) { return p[a] > p[b]; });
    const size_t best = classes == 2 ? (p[1] >= scoring.threshold ? 1 : 0) : order[0];
    WriteLabel(label, form, row, labels, best);
    for (size_t k = 0; k < classes; ++k) {
      WriteLabel(element_label, form, row * classes + k, labels, order[k]);
      element_prob[row * classes + k] = p[order[k]];
    }
    list.SetListEntry(row, row * classes, classes);
  }
}

engine::ScalarFunction Describe(ModelStore& store, const std::string& name,
                                const std::string& return_type) {
  engine::ScalarFunction function;
  function.name = name;
  function.parameter_types = {"VARCHAR", "VARCHAR"};
  function.varargs_type = "ANY";
  function.return_type = return_type;
  // Volatile, so that a prediction is computed once for each row and never folded or copied.
  function.is_volatile = true;
  function.bind = [&store](auto arguments) { return Bind(store, arguments); };
  return function;
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
  engine::Register(connection, engine::AggregateFunction{
                                   .name = "braid_regression_errors",
                                   .parameter_count = 2,
                                   .make_state = [] { return std::make_unique<ErrorState>(); }});
  engine::ScalarFunction value = Describe(store, "braid_predict_value", "DOUBLE");
  value.run = ScoreValue;
  engine::Register(connection, std::move(value));
  const std::pair<LabelForm, std::string> forms[] = {{LabelForm::kBoolean, "boolean"},
                                                     {LabelForm::kBigint, "bigint"},
                                                     {LabelForm::kDouble, "double"},
                                                     {LabelForm::kVarchar, "varchar"}};
  for (const auto& [form, type] : forms) {
    engine::ScalarFunction classify =
        Describe(store, "braid_classify_" + type,
                 fmt::format("STRUCT(label {0}, probs STRUCT(label {0}, prob DOUBLE)[])", type));
    classify.run = [label_form = form](const std::shared_ptr<void>& bound, const Batch& arguments,
                                       engine::VectorWriter out) {
      ScoreClasses(label_form, bound, arguments, out);
    };
    engine::Register(connection, std::move(classify));
  }
}

}  // namespace braid::session
