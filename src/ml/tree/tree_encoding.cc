// SPDX-License-Identifier: Apache-2.0
#include "ml/tree/tree_encoding.h"

#include <limits>

#include "base/error.h"

namespace braid::ml {

namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TreeEncoding::TreeEncoding(TreeEncodingKind kind, const std::vector<InputColumn>& inputs,
                           std::vector<EncodedInput> encoded, size_t targets)
    : kind_(kind), targets_(targets), inputs_(inputs), encoded_(std::move(encoded)) {
  BRAID_CHECK(encoded_.size() == inputs_.size());
  for (size_t c = 0; c < inputs_.size(); ++c) {
    const EncodedInput& input = encoded_[c];
    auto& codes = codes_.emplace_back();
    for (size_t k = 0; k < input.levels.size(); ++k) codes.emplace(input.levels[k], k);
    size_t numbers = 1;
    if (inputs_[c].kind == InputKind::kCategory && kind_ == TreeEncodingKind::kOneHot)
      numbers = input.levels.size();
    if (inputs_[c].kind == InputKind::kCategory && kind_ == TreeEncodingKind::kTarget) {
      numbers = targets_;
      BRAID_CHECK(input.values.size() == (input.levels.size() + 2) * targets_);
    }
    first_.push_back(input_of_.size());
    input_of_.insert(input_of_.end(), numbers, static_cast<uint32_t>(c));
  }
}

size_t TreeEncoding::CodeOf(size_t input, const ColumnView& column, size_t row) const {
  const auto& codes = codes_[input];
  if (!column.IsValid(row)) return codes.size();
  const auto found = codes.find(column.strings()[row]);
  return found == codes.end() ? codes.size() + 1 : found->second;
}

void TreeEncoding::PutNumber(size_t input, float value, std::span<float> row) const {
  row[first_[input]] = value;
}

void TreeEncoding::PutCode(size_t input, size_t code, std::span<float> row) const {
  float* out = &row[first_[input]];
  const size_t levels = codes_[input].size();
  switch (kind_) {
    case TreeEncodingKind::kLabel:
      *out = code < levels ? static_cast<float>(code) : kMissing;
      break;
    case TreeEncodingKind::kOneHot:
      for (size_t k = 0; k < levels; ++k) out[k] = k == code ? 1.0F : 0.0F;
      break;
    case TreeEncodingKind::kTarget:
      for (size_t k = 0; k < targets_; ++k)
        out[k] = static_cast<float>(encoded_[input].values[code * targets_ + k]);
      break;
  }
}

void TreeEncoding::Encode(const Batch& inputs, size_t begin, size_t count,
                          std::vector<float>& values) const {
  values.resize(count * width());
  for (size_t c = 0; c < inputs_.size(); ++c) {
    const ColumnView& column = inputs.columns[c];
    for (size_t row = 0; row < count; ++row) {
      const std::span<float> out(&values[row * width()], width());
      if (inputs_[c].kind == InputKind::kNumeric)
        PutNumber(c,
                  column.IsValid(begin + row) ? static_cast<float>(column.doubles()[begin + row])
                                              : kMissing,
                  out);
      else
        PutCode(c, CodeOf(c, column, begin + row), out);
    }
  }
}

}  // namespace braid::ml
