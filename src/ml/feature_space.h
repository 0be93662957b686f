// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/batch.h"
#include "base/text.h"
#include "ml/training.h"

namespace braid::ml {

// An input as numbers: a number is one feature, a category one for each of its levels.
struct FeatureInput {
  std::string name;
  InputKind kind = InputKind::kNumeric;
  double mean = 0;    // numeric: stands for NULL
  double offset = 0;  // numeric: feature = (value - offset) / scale
  double scale = 1;
  std::vector<std::optional<std::string>> levels;  // category: ascending, NULL last if it occurs

  size_t width() const { return kind == InputKind::kNumeric ? 1 : levels.size(); }
};

// The vectors that a kind without a label sees of its inputs. A category that training did not see
// is zero everywhere. Immutable.
class FeatureSpace {
 public:
  explicit FeatureSpace(std::vector<FeatureInput> inputs);

  size_t size() const { return size_; }
  const std::vector<FeatureInput>& inputs() const { return inputs_; }
  std::vector<InputColumn> columns() const;
  // Writes the features of rows [begin, begin + count), count ≤ kSliceRows, as a block (kernels.h)
  // of size() · kSliceRows numbers; the rows after them are zero.
  void Fill(const Batch& rows, size_t begin, size_t count, double* block) const;

  nlohmann::ordered_json ToJson() const;
  // Throws kLakeDamaged, or nlohmann's exceptions.
  static FeatureSpace FromJson(const nlohmann::ordered_json& json);

  // The rows of ML.CENTROIDS and ML.PRINCIPAL_COMPONENTS for one vector: feature, its number or
  // NULL, and its categories' numbers.
  std::vector<std::vector<nlohmann::ordered_json>> Describe(const double* vector) const;

 private:
  struct Levels {
    std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> of_text;
    std::optional<size_t> of_null;
  };
  std::vector<FeatureInput> inputs_;
  std::vector<Levels> levels_;
  size_t size_ = 0;
};

}  // namespace braid::ml
