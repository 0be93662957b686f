// SPDX-License-Identifier: Apache-2.0
// Labels and probabilities of classifiers, in the form of the label's type.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "ml/calibration.h"
#include "session/scoring_internal.h"

namespace braid::session {

namespace {

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

// `probabilities`: rows × classes.
void WriteClasses(LabelForm form, const BoundScoring& scoring,
                  const std::vector<double>& probabilities, engine::VectorWriter out) {
  const Labels labels = ConvertLabels(scoring.model->core->classes(), form);
  const size_t classes = labels.text.size();
  engine::VectorWriter label = out.Child(0);
  engine::VectorWriter list = out.Child(1);
  engine::VectorWriter element = list.ListChild(probabilities.size());
  engine::VectorWriter element_label = element.Child(0);
  double* element_prob = element.Child(1).doubles();
  const bool may_be_silent = scoring.model->core->may_be_silent();
  std::vector<size_t> order(classes);
  for (size_t row = 0; row < probabilities.size() / classes; ++row) {
    const double* p = &probabilities[row * classes];
    const bool silent = may_be_silent && std::isnan(p[0]);
    std::iota(order.begin(), order.end(), size_t{0});
    if (!silent)
      std::stable_sort(order.begin(), order.end(), [p](size_t a, size_t b) { return p[a] > p[b]; });
    const size_t best = classes == 2 ? (p[1] >= scoring.setting ? 1 : 0) : order[0];
    WriteLabel(label, form, row, labels, best);
    for (size_t k = 0; k < classes; ++k) {
      WriteLabel(element_label, form, row * classes + k, labels, order[k]);
      element_prob[row * classes + k] = p[order[k]];
    }
    list.SetListEntry(row, row * classes, classes);
    if (silent)
      for (engine::VectorWriter* vector : {&label, &list, &out}) vector->SetNull(row);
  }
}

std::vector<double> Probabilities(const BoundScoring& scoring, const Batch& arguments) {
  std::vector<double> probabilities(arguments.rows * scoring.model->core->classes().size());
  scoring.model->core->Score(Inputs(scoring, arguments), probabilities);
  return probabilities;
}

// The maps of one calibration: of the higher of two classes, else of each.
class ClassCalibration {
 public:
  ClassCalibration(std::string_view bytes, size_t classes) {
    while (!bytes.empty()) maps_.push_back(ml::CalibrationMap::ReadNext(bytes));
    BRAID_CHECK(maps_.size() == (classes == 2 ? 1 : classes));
  }
  void Apply(std::span<double> probabilities) const {
    if (maps_.size() == 1) {
      probabilities[1] = maps_[0].Apply(probabilities[1]);
      probabilities[0] = 1 - probabilities[1];
      return;
    }
    for (size_t k = 0; k < maps_.size(); ++k) probabilities[k] = maps_[k].Apply(probabilities[k]);
    ml::Normalise(probabilities);
  }

 private:
  std::vector<ml::CalibrationMap> maps_;
};

// The column before the inputs: the maps, as a rule the same on all rows.
void Calibrate(const BoundScoring& scoring, const Batch& arguments,
               std::vector<double>& probabilities) {
  const ColumnView& column = arguments.columns[scoring.skipped - 1];
  const size_t classes = scoring.model->core->classes().size();
  std::string_view read;
  std::optional<ClassCalibration> calibration;
  for (size_t row = 0; row < arguments.rows; ++row) {
    if (!column.IsValid(row))
      throw Error(ErrorCode::kTrainingData, "There are no calibration rows with a label",
                  "the second rows are rows that the model was not trained on, with their labels");
    const std::string_view bytes = column.strings()[row];
    if (!calibration || bytes != read) calibration.emplace(read = bytes, classes);
    calibration->Apply({&probabilities[row * classes], classes});
  }
}

}  // namespace

void RegisterClassScorers(engine::Connection& connection, ModelStore& store) {
  const std::pair<LabelForm, std::string> forms[] = {{LabelForm::kBoolean, "boolean"},
                                                     {LabelForm::kBigint, "bigint"},
                                                     {LabelForm::kDouble, "double"},
                                                     {LabelForm::kVarchar, "varchar"}};
  for (const auto& [form, type] : forms) {
    const std::string result =
        fmt::format("STRUCT(label {0}, probs STRUCT(label {0}, prob DOUBLE)[])", type);
    RegisterScorer(connection, store, "label_" + type, 2, result,
                   [label_form = form](const BoundScoring& scoring, const Batch& arguments,
                                       engine::VectorWriter out) {
                     WriteClasses(label_form, scoring, Probabilities(scoring, arguments), out);
                   });
    RegisterScorer(
        connection, store, "calibrated_" + type, 2, result,
        [label_form = form](const BoundScoring& scoring, const Batch& arguments,
                            engine::VectorWriter out) {
          std::vector<double> probabilities = Probabilities(scoring, arguments);
          Calibrate(scoring, arguments, probabilities);
          WriteClasses(label_form, scoring, probabilities, out);
        },
        1);
  }
}

}  // namespace braid::session
