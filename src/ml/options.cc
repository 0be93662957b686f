// SPDX-License-Identifier: Apache-2.0
#include "ml/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "ml/model_kind.h"
#include "ml/option_reader.h"
#include "ml/remote/remote_model.h"

namespace braid::ml {

namespace {

constexpr std::array<std::string_view, 19> kGeneralNames = {"model_type",
                                                            "input_label_cols",
                                                            "data_split_method",
                                                            "data_split_col",
                                                            "data_split_eval_fraction",
                                                            "data_split_test_fraction",
                                                            "instance_weight_col",
                                                            "promotion_query",
                                                            "monitor_query",
                                                            "partition_fallback",
                                                            "partition_min_rows",
                                                            "seed",
                                                            "threads",
                                                            "num_trials",
                                                            "max_parallel_trials",
                                                            "hparam_tuning_algorithm",
                                                            "hparam_tuning_objectives",
                                                            "num_folds",
                                                            "max_trials_without_progress"};

// BigQuery ML's options that a kind may lack. Those that are FALSE by default may be given as such.
struct MissingOption {
  std::string_view name;
  bool false_is_default;
};
constexpr std::array<MissingOption, 8> kMissing = {{{"warm_start", true},
                                                    {"calculate_p_values", true},
                                                    {"enable_global_explain", true},
                                                    {"model_registry", false},
                                                    {"vertex_ai_model_id", false},
                                                    {"vertex_ai_model_version_aliases", false},
                                                    {"kms_key_name", false},
                                                    {"tf_version", false}}};

bool IsMissing(const Option& option, std::string_view name) {
  const auto found =
      std::find_if(kMissing.begin(), kMissing.end(),
                   [&](const MissingOption& missing) { return missing.name == name; });
  if (found == kMissing.end()) return false;
  const auto* value = std::get_if<bool>(&option.value.value);
  if (!found->false_is_default || value == nullptr || *value)
    throw Error(ErrorCode::kNotSupported, "The option is not available: " + ToUpper(name),
                "leave it out");
  return true;
}

bool Knows(const ModelKind& kind, std::string_view name) {
  return std::find(kind.option_names.begin(), kind.option_names.end(), name) !=
         kind.option_names.end();
}

// A name of another kind's says which kinds take it.
[[noreturn]] void RefuseName(const Option& option, const ModelKind& kind) {
  const std::string name = ToLower(option.name);
  std::vector<std::string> known(kGeneralNames.begin(), kGeneralNames.end());
  known.insert(known.end(), kind.option_names.begin(), kind.option_names.end());
  std::string others;
  for (const ModelKind* other : ModelKinds())
    if (Knows(*other, name)) others += fmt::format("{}{}", others.empty() ? "" : ", ", other->name);
  if (!others.empty())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("{} is no option of {}", ToUpper(name), kind.name),
                "it belongs to " + others);
  const std::optional<std::string> near = ClosestMatch(name, known);
  throw Error(ErrorCode::kInvalidOption, "Unknown option: " + option.name,
              near ? "did you mean " + ToUpper(*near) + "?" : "");
}

// Of the general ones those about training rows are not for models that are imported.
bool IsGeneral(const ModelKind& kind, std::string_view name) {
  if (&kind == &RemoteKind()) return name == "model_type";
  if (kind.import != nullptr)
    return name == "model_type" || name == "input_label_cols" || name == "promotion_query";
  return std::find(kGeneralNames.begin(), kGeneralNames.end(), name) != kGeneralNames.end();
}

void CheckNames(const std::vector<Option>& options, const ModelKind& kind) {
  std::set<std::string> seen;
  for (const Option& option : options) {
    const std::string name = ToLower(option.name);
    if (!seen.insert(name).second)
      throw Error(ErrorCode::kInvalidOption, "The option is given twice: " + ToUpper(name));
    if (!IsGeneral(kind, name) && !Knows(kind, name) && !IsMissing(option, name))
      RefuseName(option, kind);
  }
}

void ReadLabel(const OptionReader& reader, ModelOptions& parsed) {
  const auto labels = reader.Texts("input_label_cols");
  if (!labels) return;
  if (!IsSupervised(parsed.kind->task) && parsed.kind->import == nullptr)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("INPUT_LABEL_COLS is no option of {}", parsed.kind->name),
                "this kind of model has no label");
  if (labels->size() > 1)
    throw Error(ErrorCode::kInvalidOption, "INPUT_LABEL_COLS names more than one column",
                "train one model for each label");
  parsed.label = labels->front();
  parsed.label_given = true;
}

// Ratings are held out where trials are judged by them; clusters are judged by the rows they hold.
bool IsSplitByDefault(const ModelOptions& parsed) {
  return IsSupervised(parsed.kind->task) ||
         (parsed.tunes && parsed.kind->task == Task::kRecommendation);
}

// Of a tuned model the rows fall into three parts: 80, 10 and 10 % unless both shares are given.
void ReadFractions(const OptionReader& reader, ModelOptions& parsed) {
  for (const char* name : {"data_split_eval_fraction", "data_split_test_fraction"}) {
    const Option* option = reader.Find(name);
    if (option != nullptr && reader.AtLeast(name, 0, 0) >= 1)
      OptionReader::Refuse(*option, "a number from 0 to below 1");
  }
  const bool both = reader.Has("data_split_test_fraction");
  if (parsed.tunes && both != reader.Has("data_split_eval_fraction"))
    throw Error(ErrorCode::kInvalidOption,
                both ? "DATA_SPLIT_TEST_FRACTION needs DATA_SPLIT_EVAL_FRACTION"
                     : "DATA_SPLIT_EVAL_FRACTION of a tuned model needs DATA_SPLIT_TEST_FRACTION",
                "give both, or none of them");
  parsed.data_split_eval_fraction =
      reader.AtLeast("data_split_eval_fraction", 0, parsed.tunes ? 0.1 : 0.2);
  parsed.data_split_test_fraction =
      reader.AtLeast("data_split_test_fraction", 0, parsed.tunes ? 0.1 : 0);
  if (parsed.data_split_eval_fraction + parsed.data_split_test_fraction >= 1)
    throw Error(ErrorCode::kInvalidOption,
                "DATA_SPLIT_EVAL_FRACTION and DATA_SPLIT_TEST_FRACTION leave no rows to train on",
                "their sum must be below 1");
}

}  // namespace

ModelOptions ParseModelOptions(const std::vector<Option>& options) {
  const OptionReader reader(options);
  const std::optional<std::string> type = reader.Text("model_type");
  if (!type)
    throw Error(ErrorCode::kInvalidOption, "MODEL_TYPE is missing",
                "write OPTIONS (model_type = 'linear_reg', …)");
  ModelOptions parsed{.kind = &FindModelKind(*type)};
  CheckNames(options, *parsed.kind);
  ReadLabel(reader, parsed);
  parsed.tunes = reader.Has("num_trials");
  parsed.data_split_method = reader.Word(
      "data_split_method",
      IsSplitByDefault(parsed) ? DataSplitMethod::kAutoSplit : DataSplitMethod::kNoSplit,
      {{"AUTO_SPLIT", DataSplitMethod::kAutoSplit},
       {"RANDOM", DataSplitMethod::kRandom},
       {"CUSTOM", DataSplitMethod::kCustom},
       {"SEQ", DataSplitMethod::kSeq},
       {"NO_SPLIT", DataSplitMethod::kNoSplit}});
  ReadFractions(reader, parsed);
  parsed.data_split_col = reader.Text("data_split_col");
  parsed.instance_weight_col = reader.Text("instance_weight_col");
  if (!parsed.kind->mark_option.empty()) parsed.mark_col = reader.Text(parsed.kind->mark_option);
  parsed.promotion_query = reader.Text("promotion_query");
  parsed.monitor_query = reader.Text("monitor_query");
  for (const char* name : {"partition_fallback", "partition_min_rows"})
    if (reader.Has(name)) parsed.partition_options.emplace_back(name);
  parsed.pooled_fallback =
      reader.Word("partition_fallback", false, {{"NONE", false}, {"POOLED", true}});
  parsed.partition_min_rows = reader.Integer("partition_min_rows", 1, 1);
  parsed.warm_start = reader.Boolean("warm_start", false);
  parsed.enable_global_explain = reader.Boolean("enable_global_explain", false);
  parsed.seed = reader.Integer("seed", INT64_MIN, 0);
  parsed.threads = reader.Integer("threads", 0, 0);
  const bool by_column = parsed.data_split_method == DataSplitMethod::kCustom ||
                         parsed.data_split_method == DataSplitMethod::kSeq;
  if (by_column != parsed.data_split_col.has_value())
    throw Error(ErrorCode::kInvalidOption,
                by_column ? "DATA_SPLIT_METHOD needs DATA_SPLIT_COL"
                          : "DATA_SPLIT_COL needs DATA_SPLIT_METHOD 'CUSTOM' or 'SEQ'");
  if (parsed.instance_weight_col && !parsed.kind->takes_weights)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("{} takes no INSTANCE_WEIGHT_COL", parsed.kind->name));
  if (parsed.kind->check_options != nullptr) parsed.kind->check_options(options);
  return parsed;
}

}  // namespace braid::ml
