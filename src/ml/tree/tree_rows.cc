// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/tree_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "ml/tree/training_encoding.h"

namespace braid::ml {

namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// Texts as numbers: in the order in which they turn up, or as they were given.
class TextCodes {
 public:
  explicit TextCodes(const std::vector<std::string>& fixed = {}) {
    for (const std::string& text : fixed) CodeOf(text);
  }
  size_t CodeOf(std::string_view text) {
    const auto found = codes_.find(text);
    return found != codes_.end() ? found->second
                                 : codes_.emplace(std::string(text), codes_.size()).first->second;
  }
  std::optional<size_t> Find(std::string_view text) const {
    const auto found = codes_.find(text);
    return found == codes_.end() ? std::nullopt : std::optional(found->second);
  }
  // The texts in ascending order, and the place of each code among them.
  std::vector<std::string> Sort(std::vector<size_t>& place_of_code) const {
    std::vector<std::string> texts;
    place_of_code.resize(codes_.size());
    for (const auto& [text, code] : codes_) {
      place_of_code[code] = texts.size();
      texts.push_back(text);
    }
    return texts;
  }

 private:
  std::map<std::string, size_t, std::less<>> codes_;
};

class Loader {
 public:
  // `known`: encode as these training rows; nullptr: find levels and classes.
  Loader(const TreeRequest& request, const TreeRows* known)
      : request_(request), known_(known), codes_(request.inputs.size()) {
    labels_ = TextCodes(known ? known->classes : std::vector<std::string>());
  }

  void Add(const Batch& batch) {
    const size_t inputs = request_.inputs.size();
    BRAID_CHECK(batch.columns.size() == inputs + 1 + (request_.has_weight ? 1 : 0));
    for (size_t row = 0; row < batch.rows; ++row) {
      if (!TakeLabel(batch.columns[inputs], row)) {
        ++out_.skipped;
        continue;
      }
      ++out_.rows;
      out_.values.resize(out_.values.size() + width(), kMissing);
      const std::span<float> values = std::span(out_.values).last(width());
      for (size_t c = 0; c < inputs; ++c) TakeInput(batch.columns[c], row, c, values);
      if (request_.has_weight) TakeWeight(batch.columns.back(), row);
    }
  }

  // Of rows that are trained on: texts are numbered in ascending order.
  TreeRows Finish() {
    if (known_ != nullptr) return std::move(out_);
    const size_t inputs = request_.inputs.size();
    std::vector<EncodedInput> encoded(inputs);
    for (size_t c = 0; c < inputs; ++c) {
      std::vector<size_t> places;
      encoded[c].levels = codes_[c].Sort(places);
      if (request_.inputs[c].kind == InputKind::kNumeric) continue;
      for (size_t row = 0; row < out_.rows; ++row) {
        float& value = out_.values[row * inputs + c];
        if (!std::isnan(value)) value = static_cast<float>(places[static_cast<size_t>(value)]);
      }
    }
    out_.encoding = TreeEncoding(TreeEncodingKind::kLabel, request_.inputs, std::move(encoded), 1);
    return std::move(out_);
  }

  // Those that occur, in the request's order.
  void OrderClasses() {
    std::vector<size_t> places;
    std::vector<std::string> order = labels_.Sort(places);
    if (!request_.classes_in_order.empty()) {
      std::vector<std::string> wanted;
      for (const std::string& name : request_.classes_in_order)
        if (labels_.Find(name)) wanted.push_back(name);
      if (wanted.size() < order.size())
        throw Error(ErrorCode::kTrainingData, "A label is not among the classes");
      order = std::move(wanted);
      for (size_t k = 0; k < order.size(); ++k) places[*labels_.Find(order[k])] = k;
    }
    for (double& label : out_.label)
      label = static_cast<double>(places[static_cast<size_t>(label)]);
    out_.classes = std::move(order);
  }

 private:
  bool TakeLabel(const ColumnView& view, size_t row) {
    if (!view.IsValid(row)) return false;
    if (IsClassifier(request_.type)) {
      const std::optional<size_t> code =
          known_ ? labels_.Find(view.strings()[row]) : labels_.CodeOf(view.strings()[row]);
      if (code) out_.label.push_back(static_cast<double>(*code));
      return code.has_value();
    }
    const double value = view.doubles()[row];
    if (std::isnan(value)) return false;
    if (std::isinf(value))
      throw Error(ErrorCode::kTrainingData, "Infinite value in the label: " + request_.label,
                  "write nullif(x, 'inf'::DOUBLE) or filter the rows");
    out_.label.push_back(value);
    return true;
  }

  // Of training rows one number an input, a category's code as it first came.
  size_t width() const {
    return known_ != nullptr ? known_->encoding.width() : request_.inputs.size();
  }

  void TakeInput(const ColumnView& view, size_t row, size_t input, std::span<float> values) {
    if (request_.inputs[input].kind == InputKind::kCategory) {
      if (known_ != nullptr)
        known_->encoding.PutCode(input, known_->encoding.CodeOf(input, view, row), values);
      else if (view.IsValid(row))
        values[input] = static_cast<float>(codes_[input].CodeOf(view.strings()[row]));
      return;
    }
    const float value = view.IsValid(row) ? static_cast<float>(view.doubles()[row]) : kMissing;
    if (std::isinf(value))
      throw Error(
          ErrorCode::kTrainingData,
          "Infinite value, or one past 3.4e38, in the input: " + request_.inputs[input].name,
          "write nullif(x, 'inf'::DOUBLE) or filter the rows");
    if (known_ != nullptr)
      known_->encoding.PutNumber(input, value, values);
    else
      values[input] = value;
  }

  void TakeWeight(const ColumnView& view, size_t row) {
    const double weight = view.IsValid(row) ? view.doubles()[row] : kMissing;
    if (!(weight >= 0) || std::isinf(weight))
      throw Error(ErrorCode::kTrainingData, "A row's weight is NULL, negative or infinite",
                  "weights are numbers of at least 0");
    out_.weight.push_back(weight);
  }

  const TreeRequest& request_;
  const TreeRows* known_;
  std::vector<TextCodes> codes_;
  TextCodes labels_;
  TreeRows out_;
};

void Scan(Loader& loader, RowSource& rows, const TrainingControl& control) {
  rows.Scan([&](const Batch& batch) {
    ThrowIfStopped(control);
    loader.Add(batch);
  });
}

}  // namespace

double LabelMean(const TreeRows& rows) {
  double sum = 0;
  double weights = 0;
  for (size_t row = 0; row < rows.rows; ++row) {
    const double weight = rows.weight.empty() ? 1 : rows.weight[row];
    sum += weight * (rows.label[row] - rows.label[0]);
    weights += weight;
  }
  return rows.label[0] + sum / weights;
}

TreeRows LoadTreeRows(const TreeRequest& request, RowSource& rows, const TrainingControl& control) {
  if (request.inputs.empty())
    throw Error(ErrorCode::kTrainingData, "There is no input column beside the label",
                "select at least one more column in the training query");
  Loader loader(request, nullptr);
  Scan(loader, rows, control);
  if (IsClassifier(request.type)) loader.OrderClasses();
  TreeRows loaded = loader.Finish();
  double weights = loaded.weight.empty() ? static_cast<double>(loaded.rows) : 0;
  for (const double weight : loaded.weight) weights += weight;
  if (!(weights > 0))
    throw Error(ErrorCode::kTrainingData, "There are no rows with a label to train on",
                loaded.skipped > 0 ? std::to_string(loaded.skipped) + " rows have no label"
                                   : "the query gives no rows, or all weights are 0");
  if (IsClassifier(request.type) && loaded.classes.size() < 2)
    throw Error(ErrorCode::kTrainingData, "The label has only one value: " + loaded.classes[0],
                "a classification needs rows of two labels");
  EncodeCategories(request, loaded);
  return loaded;
}

TreeRows LoadHeldOutRows(const TreeRequest& request, const TreeRows& training, RowSource& rows,
                         const TrainingControl& control) {
  Loader loader(request, &training);
  Scan(loader, rows, control);
  return loader.Finish();
}

}  // namespace braid::ml
