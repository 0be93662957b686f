// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace braid::ml {

// Rows as XGBoost keeps them: a copy of `values` (rows × columns, row by row; NaN is missing).
class XgboostMatrix {
 public:
  XgboostMatrix(std::span<const float> values, size_t columns, size_t threads);
  void SetLabels(std::span<const float> labels);
  void SetWeights(std::span<const float> weights);

 private:
  friend class XgboostBooster;
  std::unique_ptr<void, void (*)(void*)> handle_;
};

// XGBoost's trainer behind its C API. Failures of the library are kTrainingData. One thread at a
// time: the library's random numbers belong to the thread.
class XgboostBooster {
 public:
  enum class Output : uint8_t { kPrediction = 0, kMargin = 1, kContributions = 2 };

  XgboostBooster(const XgboostMatrix& training,
                 const std::vector<std::pair<std::string, std::string>>& parameters);
  void Update(int round, const XgboostMatrix& training);
  // The metric over each matrix.
  std::vector<double> Losses(int round, const std::vector<const XgboostMatrix*>& matrices) const;
  std::vector<float> Predict(const XgboostMatrix& rows, Output output) const;
  std::string ToJson() const;

 private:
  std::unique_ptr<void, void (*)(void*)> handle_;
};

}  // namespace braid::ml
