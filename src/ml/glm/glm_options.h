// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/option.h"
#include "ml/training.h"

namespace braid::ml {

enum class GlmType : uint8_t { kLinearReg, kLogisticReg };
// "linear_reg".
std::string_view GlmTypeName(GlmType type);

enum class OptimizeStrategy : uint8_t { kAuto, kBatchGradientDescent, kNormalEquation };
enum class LearnRateStrategy : uint8_t { kLineSearch, kConstant };
enum class CategoryEncoding : uint8_t { kOneHot, kDummy };
enum class StandardErrors : uint8_t { kClassical, kHc0, kHc1, kHc2, kHc3 };

// Options of linear_reg and logistic_reg, with BigQuery ML's defaults.
struct GlmOptions {
  OptimizeStrategy optimize_strategy = OptimizeStrategy::kAuto;
  LearnRateStrategy learn_rate_strategy = LearnRateStrategy::kLineSearch;
  double learn_rate = 0.1;
  double ls_init_learn_rate = 0.1;
  double l1_reg = 0;
  double l2_reg = 0;
  int64_t max_iterations = 20;
  bool early_stop = true;
  double min_rel_progress = 0.01;
  bool warm_start = false;
  bool fit_intercept = true;
  CategoryEncoding category_encoding = CategoryEncoding::kOneHot;
  bool calculate_p_values = false;
  StandardErrors standard_errors = StandardErrors::kClassical;  // linear_reg
  bool auto_class_weights = false;
  std::vector<std::pair<std::string, double>> class_weights;
  // One of MAX_ITERATIONS, EARLY_STOP, MIN_REL_PROGRESS or the learn-rate options was given: stop
  // by BigQuery ML's rules instead of at convergence.
  bool bounded = false;
};

// The names that ParseGlmOptions reads; other options are passed over. Throws kInvalidOption.
std::vector<std::string_view> GlmOptionNames(GlmType type);
GlmOptions ParseGlmOptions(GlmType type, const std::vector<Option>& options);

struct GlmRequest : TrainingRequest {
  GlmType type = GlmType::kLinearReg;
  GlmOptions options;
};

}  // namespace braid::ml
