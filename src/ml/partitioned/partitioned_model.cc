// SPDX-License-Identifier: Apache-2.0
#include "ml/partitioned/partitioned_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "ml/artefact_json.h"
#include "ml/picked_batch.h"

namespace braid::ml {

namespace {

constexpr uint32_t kNone = PartitionKeys::kNone;
constexpr double kSilent = std::numeric_limits<double>::quiet_NaN();

}  // namespace

PartitionedModel::PartitionedModel(PartitionedParts parts)
    : parts_(std::move(parts)), keys_(parts_.key_columns.size()) {
  const size_t partitions = parts_.keys.size();
  const size_t entries = parts_.pack.size();
  if (parts_.key_columns.empty() || partitions == 0 || entries == 0 ||
      parts_.outcomes.size() != partitions || parts_.entry_of.size() != partitions)
    MalformedArtefact("the partitions do not fit each other");
  for (size_t p = 0; p < partitions; ++p) {
    if (parts_.keys[p].size() != parts_.key_columns.size())
      MalformedArtefact("a partition's key is cut short");
    if (!keys_.Add(parts_.keys[p])) MalformedArtefact("a partition stands twice");
    const bool trained = parts_.outcomes[p].error.empty();
    if (trained ? parts_.entry_of[p] >= entries : parts_.entry_of[p] != kNone)
      MalformedArtefact("a partition has no model");
    if (trained) rows_ += parts_.outcomes[p].rows;
  }
  if (parts_.pooled != kNone && parts_.pooled >= entries)
    MalformedArtefact("the pooled model is missing");
  unpacked_ = std::make_unique<Unpacked[]>(entries);
  FindLinearScores();
}

// One entry of each shape is unpacked: they differ in numbers alone.
void PartitionedModel::FindLinearScores() {
  const ArtefactPack& pack = parts_.pack;
  linear_.resize(pack.shape_count());
  std::vector<bool> known(pack.shape_count());
  for (uint32_t entry = 0; entry < pack.size(); ++entry) {
    const uint32_t shape = pack.shape_of(entry);
    if (known[shape]) continue;
    known[shape] = true;
    const std::optional<LinearPaths> paths = At(entry).model->linear_paths();
    if (!paths || paths->weights.size() != parts_.inputs.size()) {
      linear_.clear();
      return;
    }
    linear_[shape] = {.intercept = pack.PositionsOf(shape, {paths->intercept}).front(),
                      .weights = pack.PositionsOf(shape, paths->weights),
                      .means = pack.PositionsOf(shape, paths->means)};
  }
}

const PartitionedModel::Unpacked& PartitionedModel::At(uint32_t entry) const {
  Unpacked& unpacked = unpacked_[entry];
  std::call_once(unpacked.once, [&] {
    std::unique_ptr<const Model> model = parts_.kind->load(parts_.pack.Artefact(entry));
    if (model->input_columns().size() != parts_.inputs.size())
      MalformedArtefact("a partition's model has other inputs");
    for (const std::string& name : model->classes()) {
      const auto found = std::find(parts_.classes.begin(), parts_.classes.end(), name);
      if (found == parts_.classes.end()) MalformedArtefact("a partition has another class");
      unpacked.classes.push_back(static_cast<size_t>(found - parts_.classes.begin()));
    }
    unpacked.model = std::move(model);
  });
  return unpacked;
}

std::vector<InputColumn> PartitionedModel::input_columns() const {
  std::vector<InputColumn> columns;
  for (const KeyColumn& key : parts_.key_columns)
    columns.push_back({key.name, InputKind::kCategory});
  columns.insert(columns.end(), parts_.inputs.begin(), parts_.inputs.end());
  return columns;
}

size_t PartitionedModel::score_count() const {
  return task() == Task::kClassification ? parts_.classes.size() : AnyModel().score_count();
}

std::vector<std::string> PartitionedModel::score_names() const { return AnyModel().score_names(); }

// The entry of each row, or kNone.
std::vector<uint32_t> PartitionedModel::EntriesOf(const Batch& inputs) const {
  std::vector<uint32_t> entries(inputs.rows);
  keys_.Find(inputs, entries);
  for (uint32_t& entry : entries) {
    if (entry != kNone) entry = parts_.entry_of[entry];
    if (entry == kNone) entry = parts_.pooled;
  }
  return entries;
}

void PartitionedModel::Score(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  BRAID_CHECK(out.size() == inputs.rows * score_count());
  if (!linear_.empty()) {
    ScoreLinear(inputs, EntriesOf(inputs), out);
    return;
  }
  const bool classifies = task() == Task::kClassification;
  std::vector<double> own;
  Answer(inputs, score_count(), out,
         [&](const Unpacked& at, const Batch& rows, std::span<double> answers) {
           if (!classifies) {
             at.model->Score(rows, answers);
             return;
           }
           const size_t width = at.classes.size();
           own.resize(rows.rows * width);
           at.model->Score(rows, own);
           std::fill(answers.begin(), answers.end(), 0.0);
           for (size_t row = 0; row < rows.rows; ++row)
             for (size_t k = 0; k < width; ++k)
               answers[row * parts_.classes.size() + at.classes[k]] = own[row * width + k];
         });
}

void PartitionedModel::ScoreLinear(const Batch& inputs, const std::vector<uint32_t>& entries,
                                   std::span<double> out) const {
  const size_t first = parts_.key_columns.size();
  const size_t width = parts_.inputs.size();
  for (size_t row = 0; row < inputs.rows; ++row) {
    const uint32_t entry = entries[row];
    if (entry == kNone) {
      out[row] = kSilent;
      continue;
    }
    const double* numbers = parts_.pack.numbers(entry);
    const LinearScore& linear = linear_[parts_.pack.shape_of(entry)];
    double score = numbers[linear.intercept];
    for (size_t c = 0; c < width; ++c) {
      const ColumnView& column = inputs.columns[first + c];
      double value = column.doubles()[row];
      if (!column.IsValid(row) || std::isnan(value)) value = numbers[linear.means[c]];
      score += numbers[linear.weights[c]] * value;
    }
    out[row] = score;
  }
}

// Rows of one model after the other, in the order of the pack.
void PartitionedModel::Answer(
    const Batch& inputs, size_t width, std::span<double> out,
    const std::function<void(const Unpacked&, const Batch&, std::span<double>)>& answer) const {
  const std::vector<uint32_t> entries = EntriesOf(inputs);
  std::vector<uint32_t> order(inputs.rows);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return entries[a] != entries[b] ? entries[a] < entries[b] : a < b;
  });
  PickedBatch picked;
  std::vector<double> answers;
  for (size_t begin = 0; begin < order.size();) {
    const uint32_t entry = entries[order[begin]];
    size_t end = begin + 1;
    while (end < order.size() && entries[order[end]] == entry) ++end;
    const std::span rows = std::span<const uint32_t>(order).subspan(begin, end - begin);
    answers.assign(rows.size() * width, kSilent);
    if (entry != kNone)
      answer(At(entry), picked.Pick(inputs, parts_.key_columns.size(), parts_.inputs.size(), rows),
             answers);
    for (size_t i = 0; i < rows.size(); ++i)
      std::copy_n(answers.begin() + static_cast<ptrdiff_t>(i * width), width,
                  out.begin() + static_cast<ptrdiff_t>(rows[i] * width));
    begin = end;
  }
}

// With more classes than two the models may have different ones, and so different outputs.
bool PartitionedModel::can_explain() const {
  return parts_.classes.size() <= 2 && AnyModel().can_explain();
}

size_t PartitionedModel::explained_count() const { return AnyModel().explained_count(); }

// The keys contribute nothing: each partition has a baseline of its own.
void PartitionedModel::Explain(const Batch& inputs, std::span<double> out) const {
  CheckInputs(inputs);
  const size_t outputs = explained_count();
  const size_t keys = parts_.key_columns.size();
  const size_t own_width = parts_.inputs.size() + 1;
  const size_t width = keys + own_width;
  std::vector<double> own;
  Answer(inputs, outputs * width, out,
         [&](const Unpacked& at, const Batch& rows, std::span<double> answers) {
           own.resize(rows.rows * outputs * own_width);
           at.model->Explain(rows, own);
           std::fill(answers.begin(), answers.end(), 0.0);
           for (size_t line = 0; line < rows.rows * outputs; ++line)
             std::copy_n(own.begin() + static_cast<ptrdiff_t>(line * own_width), own_width,
                         answers.begin() + static_cast<ptrdiff_t>(line * width + keys));
         });
}

bool PartitionedModel::has_intervals() const { return AnyModel().has_intervals(); }

void PartitionedModel::Intervals(const Batch& inputs, double confidence,
                                 std::span<double> out) const {
  CheckInputs(inputs);
  Answer(inputs, kIntervalWidth, out,
         [&](const Unpacked& at, const Batch& rows, std::span<double> answers) {
           at.model->Intervals(rows, confidence, answers);
         });
}

std::map<std::string, double> PartitionedModel::TrainingMetrics() const {
  const auto trained =
      std::count_if(parts_.outcomes.begin(), parts_.outcomes.end(),
                    [](const PartitionOutcome& outcome) { return outcome.error.empty(); });
  return {{"partitions", static_cast<double>(parts_.outcomes.size())},
          {"partitions_trained", static_cast<double>(trained)}};
}

std::string PartitionedModel::ToOnnx() const {
  throw Error(ErrorCode::kExportUnsupported, "A model with PARTITION BY has no form in ONNX",
              "train a model of one partition's rows, and export that");
}

}  // namespace braid::ml
