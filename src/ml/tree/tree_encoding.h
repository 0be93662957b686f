// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ml/training.h"
#include "ml/tree/tree_options.h"

namespace braid::ml {

constexpr size_t kMostIndicators = 10'000;  // a row holds a number for each

// The categories of one input, and what trees see of them.
struct EncodedInput {
  std::vector<std::string> levels;  // ascending bytes; empty for a number
  // Of target encoding: `targets` numbers for each level, then for NULL, then for unseen texts.
  std::vector<double> values;
};

// How the inputs of a row become the numbers that trees split: a number as it is, a category as
//   its place among the levels (label encoding), missing for NULL and unseen texts;
//   an indicator of each level (one-hot), all 0 for NULL and unseen texts;
//   what the labels of its rows are like (target encoding): one number, or one a class.
class TreeEncoding {
 public:
  TreeEncoding() = default;
  // `targets`: numbers of a category's target encoding. Throws kInternal for parts that do not fit.
  TreeEncoding(TreeEncodingKind kind, const std::vector<InputColumn>& inputs,
               std::vector<EncodedInput> encoded, size_t targets);

  TreeEncodingKind kind() const { return kind_; }
  size_t targets() const { return targets_; }
  const std::vector<EncodedInput>& encoded() const { return encoded_; }
  // Numbers of a row, and the input that each comes from.
  size_t width() const { return input_of_.size(); }
  const std::vector<uint32_t>& input_of() const { return input_of_; }

  // A category's place among the levels; the number of levels for NULL, one more for unseen texts.
  size_t CodeOf(size_t input, const ColumnView& column, size_t row) const;
  void PutNumber(size_t input, float value, std::span<float> row) const;
  void PutCode(size_t input, size_t code, std::span<float> row) const;
  // Rows begin … begin + count of a batch of the inputs, row by row.
  void Encode(const Batch& inputs, size_t begin, size_t count, std::vector<float>& values) const;

 private:
  TreeEncodingKind kind_ = TreeEncodingKind::kLabel;
  size_t targets_ = 1;
  std::vector<InputColumn> inputs_;
  std::vector<EncodedInput> encoded_;
  std::vector<std::map<std::string, size_t, std::less<>>> codes_;  // by input
  std::vector<size_t> first_;                                      // number of each input
  std::vector<uint32_t> input_of_;
};

}  // namespace braid::ml
