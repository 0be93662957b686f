// SPDX-License-Identifier: Apache-2.0
#include "ml/glm/glm_options.h"

#include "base/error.h"
#include "ml/class_weights.h"
#include "ml/glm/inference.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

void ReadStopping(const OptionReader& reader, GlmOptions& parsed) {
  parsed.learn_rate_strategy = reader.Word("learn_rate_strategy", parsed.learn_rate_strategy,
                                           {{"LINE_SEARCH", LearnRateStrategy::kLineSearch},
                                            {"CONSTANT", LearnRateStrategy::kConstant}});
  parsed.learn_rate = reader.Above("learn_rate", 0, parsed.learn_rate);
  parsed.ls_init_learn_rate = reader.Above("ls_init_learn_rate", 0, parsed.ls_init_learn_rate);
  parsed.max_iterations = reader.Integer("max_iterations", 1, parsed.max_iterations);
  parsed.early_stop = reader.Boolean("early_stop", parsed.early_stop);
  parsed.min_rel_progress = reader.AtLeast("min_rel_progress", 0, parsed.min_rel_progress);
  parsed.warm_start = reader.Boolean("warm_start", false);
  for (const char* name : {"learn_rate_strategy", "learn_rate", "ls_init_learn_rate",
                           "max_iterations", "early_stop", "min_rel_progress"})
    parsed.bounded = parsed.bounded || reader.Has(name);
}

void CheckTogether(GlmType type, const GlmOptions& parsed) {
  if (parsed.optimize_strategy != OptimizeStrategy::kNormalEquation) return;
  if (type == GlmType::kLogisticReg)
    throw Error(ErrorCode::kInvalidOption, "OPTIMIZE_STRATEGY 'NORMAL_EQUATION' is for linear_reg");
  if (parsed.l1_reg > 0)
    throw Error(ErrorCode::kInvalidOption,
                "OPTIMIZE_STRATEGY 'NORMAL_EQUATION' does not go with L1_REG");
  if (parsed.warm_start)
    throw Error(ErrorCode::kInvalidOption,
                "OPTIMIZE_STRATEGY 'NORMAL_EQUATION' does not go with WARM_START",
                "the normal equations have no start");
}

}  // namespace

std::string_view GlmTypeName(GlmType type) {
  return type == GlmType::kLinearReg ? "linear_reg" : "logistic_reg";
}

std::vector<std::string_view> GlmOptionNames(GlmType type) {
  std::vector<std::string_view> names = {"optimize_strategy",
                                         "learn_rate_strategy",
                                         "learn_rate",
                                         "ls_init_learn_rate",
                                         "l1_reg",
                                         "l2_reg",
                                         "max_iterations",
                                         "early_stop",
                                         "min_rel_progress",
                                         "warm_start",
                                         "enable_global_explain",
                                         "fit_intercept",
                                         "category_encoding_method",
                                         "calculate_p_values"};
  if (type == GlmType::kLinearReg) names.emplace_back("standard_errors");
  if (type == GlmType::kLogisticReg)
    names.insert(names.end(), {"auto_class_weights", "class_weights"});
  return names;
}

GlmOptions ParseGlmOptions(GlmType type, const std::vector<Option>& options) {
  const OptionReader reader(options);
  GlmOptions parsed;
  ReadStopping(reader, parsed);
  parsed.optimize_strategy =
      reader.Word("optimize_strategy", parsed.optimize_strategy,
                  {{"AUTO_STRATEGY", OptimizeStrategy::kAuto},
                   {"BATCH_GRADIENT_DESCENT", OptimizeStrategy::kBatchGradientDescent},
                   {"NORMAL_EQUATION", OptimizeStrategy::kNormalEquation}});
  parsed.l1_reg = reader.AtLeast("l1_reg", 0, parsed.l1_reg);
  parsed.l2_reg = reader.AtLeast("l2_reg", 0, parsed.l2_reg);
  parsed.fit_intercept = reader.Boolean("fit_intercept", parsed.fit_intercept);
  parsed.category_encoding = reader.Word("category_encoding_method", parsed.category_encoding,
                                         {{"ONE_HOT_ENCODING", CategoryEncoding::kOneHot},
                                          {"DUMMY_ENCODING", CategoryEncoding::kDummy},
                                          {"ONE_HOT", CategoryEncoding::kOneHot},
                                          {"DUMMY", CategoryEncoding::kDummy}});
  parsed.calculate_p_values = reader.Boolean("calculate_p_values", false);
  parsed.standard_errors = reader.Word("standard_errors", parsed.standard_errors,
                                       {{"CLASSICAL", StandardErrors::kClassical},
                                        {"HC0", StandardErrors::kHc0},
                                        {"HC1", StandardErrors::kHc1},
                                        {"HC2", StandardErrors::kHc2},
                                        {"HC3", StandardErrors::kHc3}});
  parsed.auto_class_weights = reader.Boolean("auto_class_weights", false);
  parsed.class_weights = ReadClassWeights(reader);
  CheckTogether(type, parsed);
  CheckInferenceOptions(parsed);
  return parsed;
}

}  // namespace braid::ml
