// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/design.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"

namespace braid::ml {

namespace {

constexpr size_t kMostClasses = 50;  // as in BigQuery ML

// Texts as small numbers, in the order in which they turn up.
class Dictionary {
 public:
  int32_t CodeOf(std::string_view text) {
    const auto found = codes_.find(text);
    if (found != codes_.end()) return found->second;
    const auto code = static_cast<int32_t>(texts_.size());
    texts_.emplace_back(text);
    codes_.emplace(texts_.back(), code);
    return code;
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>> codes_;
  std::vector<std::string> texts_;
};

double DoubleAt(const ColumnView& view, size_t row) {
  return view.IsValid(row) ? view.doubles()[row] : std::numeric_limits<double>::quiet_NaN();
}

// Reads batches into the design's columns: raw numbers (NaN: missing) and provisional codes.
class Loader {
 public:
  Loader(const GlmRequest& request, Design& design)
      : request_(request), design_(design), dictionaries_(request.inputs.size()) {
    design.columns.resize(request.inputs.size());
    for (size_t c = 0; c < request.inputs.size(); ++c)
      design.columns[c].kind = request.inputs[c].kind;
  }

  void Add(const Batch& batch) {
    CheckKinds(batch);
    std::vector<size_t> kept;
    for (size_t row = 0; row < batch.rows; ++row)
      if (TakeLabel(batch, row)) kept.push_back(row);
    design_.rows += kept.size();
    design_.skipped += static_cast<int64_t>(batch.rows - kept.size());
    for (size_t c = 0; c < design_.columns.size(); ++c) {
      if (design_.columns[c].kind == InputKind::kNumeric)
        TakeNumbers(batch.columns[c], kept, c);
      else
        TakeTexts(batch.columns[c], kept, c);
    }
    if (request_.has_weight) TakeWeights(batch.columns.back(), kept);
  }

  const Dictionary& dictionary(size_t input) const { return dictionaries_[input]; }
  const Dictionary& labels() const { return labels_; }

 private:
  bool is_classification() const { return request_.type == GlmType::kLogisticReg; }

  void CheckKinds(const Batch& batch) const {
    const size_t inputs = request_.inputs.size();
    BRAID_CHECK(batch.columns.size() == inputs + 1 + (request_.has_weight ? 1 : 0));
    for (size_t c = 0; c < inputs; ++c)
      BRAID_CHECK(batch.columns[c].kind == (request_.inputs[c].kind == InputKind::kNumeric
                                                ? ColumnKind::kDouble
                                                : ColumnKind::kString));
    BRAID_CHECK(batch.columns[inputs].kind ==
                (is_classification() ? ColumnKind::kString : ColumnKind::kDouble));
    if (request_.has_weight) BRAID_CHECK(batch.columns.back().kind == ColumnKind::kDouble);
  }

  bool TakeLabel(const Batch& batch, size_t row) {
    const ColumnView& view = batch.columns[request_.inputs.size()];
    if (!view.IsValid(row)) return false;
    if (is_classification()) {
      design_.label_class.push_back(labels_.CodeOf(view.strings()[row]));
      return true;
    }
    const double value = view.doubles()[row];
    if (std::isnan(value)) return false;
    if (std::isinf(value))
      throw Error(ErrorCode::kTrainingData, "Infinite value in the label: " + request_.label);
    design_.label.push_back(value);
    return true;
  }

  void TakeNumbers(const ColumnView& view, const std::vector<size_t>& kept, size_t input) {
    std::vector<double>& values = design_.columns[input].values;
    for (const size_t row : kept) {
      values.push_back(DoubleAt(view, row));
      if (std::isinf(values.back()))
        throw Error(ErrorCode::kTrainingData,
                    "Infinite value in the input: " + request_.inputs[input].name,
                    "write nullif(x, 'inf'::DOUBLE) or filter the rows");
    }
  }

  void TakeTexts(const ColumnView& view, const std::vector<size_t>& kept, size_t input) {
    std::vector<int32_t>& codes = design_.columns[input].codes;
    for (const size_t row : kept)
      codes.push_back(view.IsValid(row) ? dictionaries_[input].CodeOf(view.strings()[row]) : -1);
  }

  void TakeWeights(const ColumnView& view, const std::vector<size_t>& kept) {
    for (const size_t row : kept) {
      const double weight = DoubleAt(view, row);
      if (!(weight >= 0) || std::isinf(weight))
        throw Error(ErrorCode::kTrainingData, "A row's weight is NULL, negative or infinite",
                    "weights are numbers of at least 0");
      design_.weights.push_back(weight);
    }
  }

  const GlmRequest& request_;
  Design& design_;
  std::vector<Dictionary> dictionaries_;
  Dictionary labels_;
};

// Statistics of one numeric input; its values become features. Differences from the first value
// make a constant column exactly constant.
void Standardise(const Design& design, bool fit_intercept, DesignColumn& column, GlmInput& input) {
  double first = 0;
  double sum = 0;
  double weight = 0;
  bool any = false;
  for (size_t row = 0; row < design.rows; ++row) {
    const double value = column.values[row];
    if (std::isnan(value)) {
      ++input.null_count;
      continue;
    }
    if (!std::exchange(any, true)) first = value;
    sum += design.WeightOf(row) * (value - first);
    weight += design.WeightOf(row);
  }
  input.mean = weight > 0 ? first + sum / weight : first;
  double squares = 0;
  for (size_t row = 0; row < design.rows; ++row) {
    double& value = column.values[row];
    if (std::isnan(value)) value = input.mean;
    squares += design.WeightOf(row) * (value - input.mean) * (value - input.mean);
  }
  input.standard_deviation = std::sqrt(squares / design.weight_sum);
  if (!std::isfinite(input.standard_deviation) || !std::isfinite(input.mean))
    throw Error(ErrorCode::kTrainingData,
                "The values are too large for their squares to be added: " + input.name,
                "divide the input by a power of ten");
  column.offset = fit_intercept ? input.mean : 0;
  column.scale = input.standard_deviation > 0        ? input.standard_deviation
                 : !fit_intercept && input.mean != 0 ? std::abs(input.mean)
                                                     : 1;
  for (double& value : column.values) value = (value - column.offset) / column.scale;
}

// Orders the levels, drops the reference and makes the provisional codes features.
void Encode(const Dictionary& dictionary, CategoryEncoding encoding, DesignColumn& column,
            GlmInput& input) {
  const std::vector<std::string>& texts = dictionary.texts();
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return texts[a] < texts[b]; });
  std::vector<int32_t> level_of_code(texts.size());
  for (size_t level = 0; level < order.size(); ++level) {
    level_of_code[order[level]] = static_cast<int32_t>(level);
    input.categories.push_back({.text = texts[order[level]]});
  }
  for (int32_t& code : column.codes) {
    if (code < 0) ++input.null_count;
    code = code < 0 ? static_cast<int32_t>(texts.size()) : level_of_code[static_cast<size_t>(code)];
    if (static_cast<size_t>(code) == input.categories.size()) input.categories.emplace_back();
    ++input.categories[static_cast<size_t>(code)].count;
  }
  if (encoding == CategoryEncoding::kDummy)
    std::max_element(input.categories.begin(), input.categories.end(),
                     [](const auto& a, const auto& b) { return a.count < b.count; })
        ->dropped = true;
  std::vector<int32_t> feature_of_level;
  for (size_t level = 0; level < input.categories.size(); ++level) {
    const bool dropped = input.categories[level].dropped;
    feature_of_level.push_back(dropped ? -1 : static_cast<int32_t>(column.level_of.size()));
    if (!dropped) column.level_of.push_back(level);
  }
  for (int32_t& code : column.codes) code = feature_of_level[static_cast<size_t>(code)];
  column.width = column.level_of.size();
}

// Classes in their order, those without rows left out.
void OrderClasses(const GlmRequest& request, const Dictionary& labels, Design& design) {
  std::vector<std::string> order = request.classes_in_order;
  if (order.empty()) {
    order = labels.texts();
    std::sort(order.begin(), order.end());
  }
  std::vector<int32_t> class_of(labels.texts().size(), -1);
  for (const std::string& name : order) {
    const auto found = std::find(labels.texts().begin(), labels.texts().end(), name);
    if (found == labels.texts().end()) continue;
    class_of[static_cast<size_t>(found - labels.texts().begin())] =
        static_cast<int32_t>(design.classes.size());
    design.classes.push_back(name);
    if (design.classes.size() > kMostClasses)
      throw Error(ErrorCode::kTrainingData,
                  fmt::format("The label has more than {} values: {}", kMostClasses, request.label),
                  "use linear_reg for a number");
  }
  for (int32_t& label : design.label_class) {
    const std::string& text = labels.texts()[static_cast<size_t>(label)];
    label = class_of[static_cast<size_t>(label)];
    if (label < 0)
      throw Error(ErrorCode::kTrainingData, "A label is not among the classes: " + text);
  }
  if (design.classes.size() < 2)
    throw Error(ErrorCode::kTrainingData, "The label has only one value: " + design.classes.front(),
                "a classification needs rows of two labels");
}

void FindMeans(Design& design) {
  design.means.assign(design.features, 0);
  for (const DesignColumn& column : design.columns) {
    double* means = &design.means[column.first];
    if (column.width == 0) continue;
    for (size_t row = 0; row < design.rows; ++row) {
      const double weight = design.WeightOf(row);
      if (column.kind == InputKind::kNumeric)
        means[0] += weight * column.values[row];
      else if (column.codes[row] >= 0)
        means[column.codes[row]] += weight;
    }
    for (size_t k = 0; k < column.width; ++k) means[k] /= design.weight_sum;
  }
}

}  // namespace

size_t Design::StructuralZeros(bool fit_intercept) const {
  size_t constant = 0;
  size_t complete = 0;
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].kind == InputKind::kNumeric)
      constant += inputs[c].standard_deviation > 0 ? 0 : 1;
    else
      complete += columns[c].width == inputs[c].categories.size() ? 1 : 0;
  }
  if (fit_intercept) return constant + complete;
  return complete > 0 ? complete - 1 : 0;
}

Design LoadDesign(const GlmRequest& request, RowSource& rows, const TrainingControl& control) {
  if (request.inputs.empty())
    throw Error(ErrorCode::kTrainingData, "There is no input column beside the label");
  Design design;
  Loader loader(request, design);
  rows.Scan([&](const Batch& batch) {
    ThrowIfStopped(control);
    loader.Add(batch);
  });
  design.weight_sum = design.weights.empty()
                          ? static_cast<double>(design.rows)
                          : std::accumulate(design.weights.begin(), design.weights.end(), 0.0);
  if (design.rows == 0 || !(design.weight_sum > 0) || std::isinf(design.weight_sum))
    throw Error(ErrorCode::kTrainingData, "There are no rows with a label to train on",
                design.skipped > 0
                    ? fmt::format("in {} rows {} is NULL", design.skipped, request.label)
                    : "the query gives no rows");
  if (request.type == GlmType::kLogisticReg) OrderClasses(request, loader.labels(), design);
  for (size_t c = 0; c < request.inputs.size(); ++c) {
    DesignColumn& column = design.columns[c];
    design.inputs.push_back({.name = request.inputs[c].name, .kind = column.kind});
    if (column.kind == InputKind::kNumeric)
      Standardise(design, request.options.fit_intercept, column, design.inputs[c]);
    else
      Encode(loader.dictionary(c), request.options.category_encoding, column, design.inputs[c]);
    column.first = design.features;
    design.features += column.width;
  }
  FindMeans(design);
  return design;
}

GlmParts MakeParts(const GlmRequest& request, const Design& design,
                   const std::vector<std::vector<double>>& coefficients) {
  GlmParts parts{.type = request.type,
                 .label = request.label,
                 .inputs = design.inputs,
                 .classes = design.classes,
                 .fit_intercept = request.options.fit_intercept,
                 .rows = static_cast<int64_t>(design.rows),
                 .skipped = design.skipped};
  for (const std::vector<double>& beta : coefficients) {
    GlmScore score{.intercept = beta[design.features]};
    for (size_t c = 0; c < design.columns.size(); ++c) {
      const DesignColumn& column = design.columns[c];
      if (column.kind == InputKind::kNumeric) {
        score.weights.push_back(beta[column.first] / column.scale);
        score.intercept -= score.weights.back() * column.offset;
        continue;
      }
      const size_t begin = score.weights.size();
      score.weights.resize(begin + design.inputs[c].categories.size());
      for (size_t k = 0; k < column.width; ++k)
        score.weights[begin + column.level_of[k]] = beta[column.first + k];
    }
    parts.scores.push_back(std::move(score));
  }
  return parts;
}

}  // namespace braid::ml
