// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/option.h"

namespace braid::ml {

// The kinds of models that can be trained. A new one: its name in options.cc, its options, a Model,
// and a line in model.cc.
enum class ModelType : uint8_t { kLinearReg, kLogisticReg };

// "linear_reg".
std::string_view ModelTypeName(ModelType type);
// Any case. Throws kNotSupported for BigQuery ML's other types, kInvalidOption for unknown names.
ModelType ParseModelType(std::string_view text);

enum class DataSplitMethod : uint8_t { kAutoSplit, kRandom, kCustom, kSeq, kNoSplit };

// What every kind of model takes: read by those who prepare the rows, not by the algorithms.
struct ModelOptions {
  ModelType model_type = ModelType::kLinearReg;
  std::vector<std::string> input_label_cols = {"label"};
  bool label_given = false;
  DataSplitMethod data_split_method = DataSplitMethod::kAutoSplit;
  double data_split_eval_fraction = 0.2;
  std::optional<std::string> data_split_col;
  std::optional<std::string> promotion_query;
  int64_t seed = 0;
  int64_t threads = 0;  // 0: as the engine is set
};

// Reads the general options and checks every name (unknown: kInvalidOption with the nearest name).
// Throws kInvalidOption; kNotSupported for BigQuery ML's options that Braid lacks, unless they have
// their default value.
ModelOptions ParseModelOptions(const std::vector<Option>& options);

enum class OptimizeStrategy : uint8_t { kAuto, kBatchGradientDescent, kNormalEquation };
enum class LearnRateStrategy : uint8_t { kLineSearch, kConstant };
enum class CategoryEncoding : uint8_t { kOneHot, kDummy };

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
  bool fit_intercept = true;
  CategoryEncoding category_encoding = CategoryEncoding::kOneHot;
  bool auto_class_weights = false;
  std::vector<std::pair<std::string, double>> class_weights;
  // One of MAX_ITERATIONS, EARLY_STOP, MIN_REL_PROGRESS or the learn-rate options was given: stop
  // by BigQuery ML's rules instead of at convergence.
  bool bounded = false;
};

// Reads a GLM's own options; the general ones are passed over. Throws as ParseModelOptions does.
GlmOptions ParseGlmOptions(ModelType type, const std::vector<Option>& options);

}  // namespace braid::ml
