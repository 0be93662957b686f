// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/option.h"

namespace braid::ml {

struct ModelKind;

enum class DataSplitMethod : uint8_t { kAutoSplit, kRandom, kCustom, kSeq, kNoSplit };

// What every kind of model takes: read by those who prepare the rows, not by the algorithms.
struct ModelOptions {
  const ModelKind* kind = nullptr;
  std::string label = "label";  // of kinds that have one
  bool label_given = false;
  DataSplitMethod data_split_method = DataSplitMethod::kAutoSplit;
  double data_split_eval_fraction = 0.2;
  double data_split_test_fraction = 0;  // of tuning: rows that no trial sees
  bool tunes = false;                   // NUM_TRIALS is given
  std::optional<std::string> data_split_col;
  std::optional<std::string> instance_weight_col;
  std::optional<std::string> promotion_query;
  std::optional<std::string> monitor_query;
  // With PARTITION BY: whether rows of partitions without a model are answered by one of all rows,
  // and how many rows a partition needs.
  bool pooled_fallback = false;
  int64_t partition_min_rows = 1;
  std::vector<std::string> partition_options;  // those of them that are given
  bool warm_start = false;                     // from the champion
  bool enable_global_explain = false;          // ML.GLOBAL_EXPLAIN without rows
  int64_t seed = 0;
  int64_t threads = 0;  // 0: as the engine is set
};

// Reads the general options, and checks the names and values of all: unknown names are
// kInvalidOption with the nearest name, BigQuery ML's options that the kind lacks kNotSupported
// unless they have their default value.
ModelOptions ParseModelOptions(const std::vector<Option>& options);

}  // namespace braid::ml
