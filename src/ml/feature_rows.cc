// SPDX-License-Identifier: Apache-2.0
#include "ml/feature_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/error.h"
#include "ml/kernels.h"

namespace braid::ml {

// Takes batches into blocks. A category's codes are in order of appearance until all are known.
struct FeatureRows::Reader {
  const TrainingRequest& request;
  FeatureRows& rows;
  std::vector<std::map<std::string, int32_t, std::less<>>> codes;
  std::vector<bool> has_null;

  void Add(const Batch& batch) {
    BRAID_CHECK(batch.columns.size() >= request.inputs.size());
    for (size_t begin = 0; begin < batch.rows;) {
      const size_t at = rows.rows_ % kSliceRows;
      if (at == 0)
        rows.blocks_.push_back({std::vector<double>(rows.numbers_ * kSliceRows),
                                std::vector<int32_t>(rows.categories_ * kSliceRows)});
      const size_t count = std::min(kSliceRows - at, batch.rows - begin);
      double* number = rows.blocks_.back().numbers.data() + at;
      int32_t* code = rows.blocks_.back().codes.data() + at;
      for (size_t c = 0; c < request.inputs.size(); ++c) {
        if (request.inputs[c].kind == InputKind::kNumeric) {
          TakeNumbers(batch.columns[c], begin, count, request.inputs[c].name, number);
          number += kSliceRows;
        } else {
          TakeTexts(batch.columns[c], begin, count, c, code);
          code += kSliceRows;
        }
      }
      rows.rows_ += count;
      begin += count;
    }
  }

  static void TakeNumbers(const ColumnView& view, size_t begin, size_t count,
                          const std::string& name, double* out) {
    for (size_t r = 0; r < count; ++r) {
      out[r] = view.IsValid(begin + r) ? view.doubles()[begin + r]
                                       : std::numeric_limits<double>::quiet_NaN();
      if (std::isinf(out[r]))
        throw Error(ErrorCode::kTrainingData, "Infinite value in the input: " + name,
                    "leave such rows out of the training query");
    }
  }

  void TakeTexts(const ColumnView& view, size_t begin, size_t count, size_t input, int32_t* out) {
    auto& known = codes[input];
    for (size_t r = 0; r < count; ++r) {
      if (!view.IsValid(begin + r)) {
        has_null[input] = true;
        out[r] = -1;
        continue;
      }
      const std::string_view text = view.strings()[begin + r];
      auto found = known.find(text);
      if (found == known.end())
        found = known.emplace(std::string(text), static_cast<int32_t>(known.size())).first;
      out[r] = found->second;
    }
  }

  // Levels in ascending order, NULL last; the codes follow.
  void Order(size_t input, size_t category, FeatureInput& described) {
    std::vector<int32_t> level_of(codes[input].size());
    for (const auto& [text, code] : codes[input]) {
      level_of[static_cast<size_t>(code)] = static_cast<int32_t>(described.levels.size());
      described.levels.emplace_back(text);
    }
    const auto null_level = static_cast<int32_t>(described.levels.size());
    if (has_null[input]) described.levels.emplace_back();
    for (size_t b = 0; b < rows.blocks_.size(); ++b) {
      int32_t* code = &rows.blocks_[b].codes[category * kSliceRows];
      for (size_t r = 0; r < rows.RowsIn(b); ++r)
        code[r] = code[r] < 0 ? null_level : level_of[static_cast<size_t>(code[r])];
    }
  }
};

FeatureRows::FeatureRows(const TrainingRequest& request, RowSource& source,
                         const FeatureScaling& scaling, const TrainingControl& control) {
  if (request.inputs.empty())
    throw Error(ErrorCode::kTrainingData, "There is no input column",
                "the training query gives the columns to train on");
  for (const InputColumn& input : request.inputs)
    ++(input.kind == InputKind::kNumeric ? numbers_ : categories_);
  Reader reader{request, *this, {}, {}};
  reader.codes.resize(request.inputs.size());
  reader.has_null.resize(request.inputs.size());
  source.Scan([&](const Batch& batch) {
    ThrowIfStopped(control);
    reader.Add(batch);
  });
  if (rows_ == 0)
    throw Error(ErrorCode::kTrainingData, "There are no rows to train on",
                "the training query gives none");
  std::vector<FeatureInput> inputs;
  size_t number = 0;
  size_t category = 0;
  for (size_t c = 0; c < request.inputs.size(); ++c) {
    FeatureInput input{.name = request.inputs[c].name, .kind = request.inputs[c].kind};
    if (input.kind == InputKind::kNumeric)
      Standardise(number++, scaling, input);
    else
      reader.Order(c, category++, input);
    inputs.push_back(std::move(input));
  }
  space_ = FeatureSpace(std::move(inputs));
}

size_t FeatureRows::RowsIn(size_t block) const {
  return std::min(kSliceRows, rows_ - block * kSliceRows);
}

// Differences from the first value make a constant column exactly constant.
void FeatureRows::Standardise(size_t number, const FeatureScaling& scaling, FeatureInput& input) {
  const auto for_each = [&](auto visit) {
    for (size_t b = 0; b < blocks_.size(); ++b) {
      double* values = &blocks_[b].numbers[number * kSliceRows];
      for (size_t r = 0; r < RowsIn(b); ++r) visit(values[r]);
    }
  };
  double first = 0;
  double sum = 0;
  size_t known = 0;
  for_each([&](double value) {
    if (std::isnan(value)) return;
    if (known++ == 0) first = value;
    sum += value - first;
  });
  input.mean = known > 0 ? first + sum / static_cast<double>(known) : 0;
  double squares = 0;
  for_each([&](double& value) {
    if (std::isnan(value)) value = input.mean;
    squares += (value - input.mean) * (value - input.mean);
  });
  if (!std::isfinite(squares) || !std::isfinite(input.mean))
    throw Error(ErrorCode::kTrainingData,
                "The values are too large for their squares to be added: " + input.name,
                "divide the input by a power of ten");
  const size_t lost = std::min(scaling.degrees_of_freedom_lost, rows_ - 1);
  const double deviation = std::sqrt(squares / static_cast<double>(rows_ - lost));
  if (scaling.centre) input.offset = input.mean;
  if (scaling.standardise && deviation > 0) input.scale = deviation;
  for_each([&](double& value) { value = (value - input.offset) / input.scale; });
}

const double* FeatureRows::Block(size_t block, std::vector<double>& buffer) const {
  const Stored& stored = blocks_[block];
  if (categories_ == 0) return stored.numbers.data();
  buffer.assign(space_.size() * kSliceRows, 0);
  double* out = buffer.data();
  const double* number = stored.numbers.data();
  const int32_t* code = stored.codes.data();
  for (const FeatureInput& input : space_.inputs()) {
    if (input.kind == InputKind::kNumeric) {
      std::copy(number, number + kSliceRows, out);
      number += kSliceRows;
    } else {
      for (size_t r = 0; r < RowsIn(block); ++r)
        out[static_cast<size_t>(code[r]) * kSliceRows + r] = 1;
      code += kSliceRows;
    }
    out += input.width() * kSliceRows;
  }
  return buffer.data();
}

std::vector<double> FeatureRows::Row(size_t row) const {
  std::vector<double> buffer;
  const double* block = Block(row / kSliceRows, buffer);
  std::vector<double> values(space_.size());
  for (size_t f = 0; f < values.size(); ++f) values[f] = block[f * kSliceRows + row % kSliceRows];
  return values;
}

}  // namespace braid::ml
