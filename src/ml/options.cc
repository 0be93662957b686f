// SPDX-License-Identifier: Apache-2.0
#include "ml/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <memory>
#include <set>

#include "base/error.h"

namespace braid::ml {

namespace {

constexpr std::array<std::pair<std::string_view, ModelType>, 2> kModelTypes = {
    {{"linear_reg", ModelType::kLinearReg}, {"logistic_reg", ModelType::kLogisticReg}}};

constexpr std::array<std::string_view, 21> kOtherModelTypes = {"kmeans",
                                                               "matrix_factorization",
                                                               "pca",
                                                               "autoencoder",
                                                               "automl_classifier",
                                                               "automl_regressor",
                                                               "boosted_tree_classifier",
                                                               "boosted_tree_regressor",
                                                               "random_forest_classifier",
                                                               "random_forest_regressor",
                                                               "dnn_classifier",
                                                               "dnn_regressor",
                                                               "dnn_linear_combined_classifier",
                                                               "dnn_linear_combined_regressor",
                                                               "arima_plus",
                                                               "arima_plus_xreg",
                                                               "tensorflow",
                                                               "tensorflow_lite",
                                                               "onnx",
                                                               "xgboost",
                                                               "contribution_analysis"};

constexpr std::array<std::string_view, 8> kGeneralNames = {"model_type",
                                                           "input_label_cols",
                                                           "data_split_method",
                                                           "data_split_eval_fraction",
                                                           "data_split_col",
                                                           "promotion_query",
                                                           "seed",
                                                           "threads"};

constexpr std::array<std::string_view, 13> kGlmNames = {"optimize_strategy",
                                                        "learn_rate_strategy",
                                                        "learn_rate",
                                                        "ls_init_learn_rate",
                                                        "l1_reg",
                                                        "l2_reg",
                                                        "max_iterations",
                                                        "early_stop",
                                                        "min_rel_progress",
                                                        "fit_intercept",
                                                        "category_encoding_method",
                                                        "auto_class_weights",
                                                        "class_weights"};

// BigQuery ML's options that Braid lacks. Those that are FALSE by default may be given as such.
struct MissingOption {
  std::string_view name;
  bool false_is_default;
};
constexpr std::array<MissingOption, 14> kMissing = {{{"warm_start", true},
                                                     {"calculate_p_values", true},
                                                     {"enable_global_explain", true},
                                                     {"num_trials", false},
                                                     {"max_parallel_trials", false},
                                                     {"hparam_tuning_algorithm", false},
                                                     {"hparam_tuning_objectives", false},
                                                     {"data_split_test_fraction", false},
                                                     {"model_registry", false},
                                                     {"vertex_ai_model_id", false},
                                                     {"vertex_ai_model_version_aliases", false},
                                                     {"kms_key_name", false},
                                                     {"instance_weight_col", false},
                                                     {"tf_version", false}}};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

// clang with libstdc++ 12 finds the recursive type incomplete unless one is made before its lists
// are used.
[[maybe_unused]] const OptionValue kNull{};

template <typename Value>
const Value* As(const OptionValue& value) {
  return std::get_if<Value>(std::addressof(value.value));
}

[[noreturn]] void Refuse(const Option& option, std::string_view what) {
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("The option {} takes {}", Upper(option.name), what));
}

const std::string& Text(const Option& option) {
  if (const auto* text = As<std::string>(option.value)) return *text;
  Refuse(option, "a string");
}

bool Boolean(const Option& option) {
  if (const auto* value = As<bool>(option.value)) return *value;
  Refuse(option, "TRUE or FALSE");
}

std::optional<double> AsNumber(const OptionValue& value) {
  if (const auto* number = As<double>(value)) return *number;
  if (const auto* integer = As<int64_t>(value)) return static_cast<double>(*integer);
  return std::nullopt;
}

double Number(const Option& option, double least, bool least_allowed) {
  const std::optional<double> number = AsNumber(option.value);
  const bool fits =
      number && std::isfinite(*number) && (least_allowed ? *number >= least : *number > least);
  if (!fits)
    Refuse(option, fmt::format("a number {} {}", least_allowed ? "of at least" : "above", least));
  return *number;
}

int64_t Integer(const Option& option, int64_t least) {
  const auto* integer = As<int64_t>(option.value);
  if (integer == nullptr || *integer < least)
    Refuse(option, fmt::format("a whole number of at least {}", least));
  return *integer;
}

// One of some words, in any case.
template <typename Value, size_t n>
Value Word(const Option& option, const std::array<std::pair<std::string_view, Value>, n>& words) {
  const auto* text = As<std::string>(option.value);
  std::string list;
  for (const auto& [word, value] : words) {
    if (text != nullptr && Lower(*text) == Lower(word)) return value;
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", word);
  }
  Refuse(option, "one of " + list);
}

bool IsMissing(const Option& option, std::string_view name) {
  const auto found =
      std::find_if(kMissing.begin(), kMissing.end(),
                   [&](const MissingOption& missing) { return missing.name == name; });
  if (found == kMissing.end()) return false;
  const auto* value = As<bool>(option.value);
  if (!found->false_is_default || value == nullptr || *value)
    throw Error(ErrorCode::kNotSupported, "The option is not available: " + Upper(name),
                "leave it out");
  return true;
}

void CheckNames(const std::vector<Option>& options) {
  std::vector<std::string> known(kGeneralNames.begin(), kGeneralNames.end());
  known.insert(known.end(), kGlmNames.begin(), kGlmNames.end());
  std::set<std::string> seen;
  for (const Option& option : options) {
    const std::string name = Lower(option.name);
    if (!seen.insert(name).second)
      throw Error(ErrorCode::kInvalidOption, "The option is given twice: " + Upper(name));
    if (std::find(known.begin(), known.end(), name) != known.end() || IsMissing(option, name))
      continue;
    const std::optional<std::string> near = ClosestMatch(name, known);
    throw Error(ErrorCode::kInvalidOption, "Unknown option: " + option.name,
                near ? "did you mean " + Upper(*near) + "?" : "");
  }
}

std::vector<std::string> Names(const Option& option) {
  const auto* list = As<OptionValue::List>(option.value);
  std::vector<std::string> names;
  if (list != nullptr)
    for (const OptionValue& item : *list)
      if (const auto* text = As<std::string>(item); text && !text->empty()) names.push_back(*text);
  if (list == nullptr || names.size() != list->size() || names.empty())
    Refuse(option, "a list of column names, as ['price']");
  if (names.size() > 1)
    throw Error(ErrorCode::kInvalidOption, "INPUT_LABEL_COLS names more than one column",
                "train one model for each label");
  return names;
}

void ReadGeneral(const Option& option, ModelOptions& parsed) {
  static constexpr std::array<std::pair<std::string_view, DataSplitMethod>, 5> kSplits = {
      {{"AUTO_SPLIT", DataSplitMethod::kAutoSplit},
       {"RANDOM", DataSplitMethod::kRandom},
       {"CUSTOM", DataSplitMethod::kCustom},
       {"SEQ", DataSplitMethod::kSeq},
       {"NO_SPLIT", DataSplitMethod::kNoSplit}}};
  const std::string name = Lower(option.name);
  if (name == "model_type") parsed.model_type = ParseModelType(Text(option));
  if (name == "input_label_cols") {
    parsed.input_label_cols = Names(option);
    parsed.label_given = true;
  }
  if (name == "data_split_method") parsed.data_split_method = Word(option, kSplits);
  if (name == "data_split_eval_fraction") {
    parsed.data_split_eval_fraction = Number(option, 0, true);
    if (parsed.data_split_eval_fraction >= 1) Refuse(option, "a number from 0 to below 1");
  }
  if (name == "data_split_col") parsed.data_split_col = Text(option);
  if (name == "promotion_query") parsed.promotion_query = Text(option);
  if (name == "seed") parsed.seed = Integer(option, INT64_MIN);
  if (name == "threads") parsed.threads = Integer(option, 0);
}

// [STRUCT('a', 0.2), …]; names of the fields do not matter.
std::vector<std::pair<std::string, double>> ReadClassWeights(const Option& option) {
  const std::string_view wanted = "a list as [STRUCT('no', 0.2), STRUCT('yes', 0.8)]";
  const auto* list = As<OptionValue::List>(option.value);
  if (list == nullptr || list->empty()) Refuse(option, wanted);
  std::vector<std::pair<std::string, double>> weights;
  for (const OptionValue& item : *list) {
    const auto* pair = As<OptionValue::Struct>(item);
    if (pair == nullptr || pair->size() != 2) Refuse(option, wanted);
    const OptionValue& label = (*pair)[0].second;
    const std::optional<double> weight = AsNumber((*pair)[1].second);
    if (!weight || !std::isfinite(*weight) || *weight < 0) Refuse(option, wanted);
    std::string text;
    if (const auto* string = As<std::string>(label))
      text = *string;
    else if (const auto* integer = As<int64_t>(label))
      text = std::to_string(*integer);
    else if (const auto* boolean = As<bool>(label))
      text = *boolean ? "true" : "false";
    else
      Refuse(option, wanted);
    weights.emplace_back(std::move(text), *weight);
  }
  return weights;
}

void ReadStopping(const Option& option, const std::string& name, GlmOptions& parsed) {
  static constexpr std::array<std::pair<std::string_view, LearnRateStrategy>, 2> kRates = {
      {{"LINE_SEARCH", LearnRateStrategy::kLineSearch},
       {"CONSTANT", LearnRateStrategy::kConstant}}};
  if (name == "learn_rate_strategy")
    parsed.learn_rate_strategy = Word(option, kRates);
  else if (name == "learn_rate")
    parsed.learn_rate = Number(option, 0, false);
  else if (name == "ls_init_learn_rate")
    parsed.ls_init_learn_rate = Number(option, 0, false);
  else if (name == "max_iterations")
    parsed.max_iterations = Integer(option, 1);
  else if (name == "early_stop")
    parsed.early_stop = Boolean(option);
  else if (name == "min_rel_progress")
    parsed.min_rel_progress = Number(option, 0, true);
  else
    return;
  parsed.bounded = true;
}

void ReadGlm(const Option& option, GlmOptions& parsed) {
  static constexpr std::array<std::pair<std::string_view, OptimizeStrategy>, 3> kStrategies = {
      {{"AUTO_STRATEGY", OptimizeStrategy::kAuto},
       {"BATCH_GRADIENT_DESCENT", OptimizeStrategy::kBatchGradientDescent},
       {"NORMAL_EQUATION", OptimizeStrategy::kNormalEquation}}};
  static constexpr std::array<std::pair<std::string_view, CategoryEncoding>, 2> kEncodings = {
      {{"ONE_HOT_ENCODING", CategoryEncoding::kOneHot},
       {"DUMMY_ENCODING", CategoryEncoding::kDummy}}};
  const std::string name = Lower(option.name);
  ReadStopping(option, name, parsed);
  if (name == "optimize_strategy") parsed.optimize_strategy = Word(option, kStrategies);
  if (name == "l1_reg") parsed.l1_reg = Number(option, 0, true);
  if (name == "l2_reg") parsed.l2_reg = Number(option, 0, true);
  if (name == "fit_intercept") parsed.fit_intercept = Boolean(option);
  if (name == "category_encoding_method") {
    const std::string word = Lower(Text(option));
    if (word == "one_hot" || word == "dummy")
      parsed.category_encoding =
          word == "dummy" ? CategoryEncoding::kDummy : CategoryEncoding::kOneHot;
    else
      parsed.category_encoding = Word(option, kEncodings);
  }
  if (name == "auto_class_weights") parsed.auto_class_weights = Boolean(option);
  if (name == "class_weights") parsed.class_weights = ReadClassWeights(option);
}

void CheckTogether(ModelType type, const GlmOptions& parsed) {
  const bool weighted = parsed.auto_class_weights || !parsed.class_weights.empty();
  if (type == ModelType::kLinearReg && weighted)
    throw Error(ErrorCode::kInvalidOption, "Class weights are for logistic_reg");
  if (parsed.auto_class_weights && !parsed.class_weights.empty())
    throw Error(ErrorCode::kInvalidOption,
                "AUTO_CLASS_WEIGHTS and CLASS_WEIGHTS exclude each other");
  if (parsed.optimize_strategy == OptimizeStrategy::kNormalEquation) {
    if (type == ModelType::kLogisticReg)
      throw Error(ErrorCode::kInvalidOption,
                  "OPTIMIZE_STRATEGY 'NORMAL_EQUATION' is for linear_reg");
    if (parsed.l1_reg > 0)
      throw Error(ErrorCode::kInvalidOption,
                  "OPTIMIZE_STRATEGY 'NORMAL_EQUATION' does not go with L1_REG");
  }
}

}  // namespace

std::string_view ModelTypeName(ModelType type) {
  for (const auto& [name, value] : kModelTypes)
    if (value == type) return name;
  throw Error(ErrorCode::kInternal, "A model type has no name");
}

ModelType ParseModelType(std::string_view text) {
  const std::string lower = Lower(text);
  std::vector<std::string> names;
  for (const auto& [name, type] : kModelTypes) {
    if (name == lower) return type;
    names.emplace_back(name);
  }
  const std::string hint = "available: linear_reg, logistic_reg";
  if (std::find(kOtherModelTypes.begin(), kOtherModelTypes.end(), lower) != kOtherModelTypes.end())
    throw Error(ErrorCode::kNotSupported, "The model type is not available: " + lower, hint);
  const std::optional<std::string> near = ClosestMatch(lower, names);
  throw Error(ErrorCode::kInvalidOption, fmt::format("Unknown model type: {}", text),
              near ? "did you mean " + *near + "?" : hint);
}

ModelOptions ParseModelOptions(const std::vector<Option>& options) {
  CheckNames(options);
  ModelOptions parsed;
  bool typed = false;
  for (const Option& option : options) {
    ReadGeneral(option, parsed);
    typed = typed || Lower(option.name) == "model_type";
  }
  if (!typed)
    throw Error(ErrorCode::kInvalidOption, "MODEL_TYPE is missing",
                "write OPTIONS (model_type = 'linear_reg', …)");
  const bool by_column = parsed.data_split_method == DataSplitMethod::kCustom ||
                         parsed.data_split_method == DataSplitMethod::kSeq;
  if (by_column != parsed.data_split_col.has_value())
    throw Error(ErrorCode::kInvalidOption,
                by_column ? "DATA_SPLIT_METHOD needs DATA_SPLIT_COL"
                          : "DATA_SPLIT_COL needs DATA_SPLIT_METHOD 'CUSTOM' or 'SEQ'");
  return parsed;
}

GlmOptions ParseGlmOptions(ModelType type, const std::vector<Option>& options) {
  CheckNames(options);
  GlmOptions parsed;
  for (const Option& option : options) ReadGlm(option, parsed);
  CheckTogether(type, parsed);
  return parsed;
}

}  // namespace braid::ml
