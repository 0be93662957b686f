// SPDX-License-Identifier: Apache-2.0
// The settings of ML.PREDICT_CONFORMAL, of calibration and of ML.COMPARE.
#include <fmt/format.h>

#include "base/error.h"
#include "session/model_call_internal.h"

namespace braid::session {

using syntax::MappedText;

namespace {

Calibration CalibrationOf(const BoundCall& call) {
  return {.rows = *call.calibration,
          .method = call.settings.Word("method", ml::CalibrationMethod::kSigmoid,
                                       {{"SIGMOID", ml::CalibrationMethod::kSigmoid},
                                        {"ISOTONIC", ml::CalibrationMethod::kIsotonic}})};
}

using CurveFunction = MappedText(const BoundModel&, const MappedText&, const Calibration*,
                                 const CurveSettings&);

MappedText OfCurve(const BoundCall& call, std::string_view name, CurveFunction* make) {
  RequireTask(call, name, ml::Task::kClassification, "classifiers");
  constexpr int64_t kMostBuckets = 100'000;
  if (call.settings.Integer("num_buckets", 1, 10) > kMostBuckets)
    ml::OptionReader::Refuse(*call.settings.Find("num_buckets"),
                             fmt::format("a whole number from 1 to {}", kMostBuckets));
  const CurveSettings settings{
      .buckets = call.settings.Integer("num_buckets", 1, 10),
      .strategy = call.settings.Word("strategy", ml::BucketStrategy::kUniform,
                                     {{"UNIFORM", ml::BucketStrategy::kUniform},
                                      {"QUANTILE", ml::BucketStrategy::kQuantile}})};
  if (call.calibration != nullptr) {
    const Calibration calibration = CalibrationOf(call);
    return make(call.model, *call.rows, &calibration, settings);
  }
  if (call.settings.Has("method"))
    throw Error(
        ErrorCode::kInvalidOption, "The setting method needs calibration rows",
        fmt::format("write ML.{}(MODEL m, TABLE t, TABLE calibration_rows, STRUCT(…))", name));
  return make(call.model, *call.rows, nullptr, settings);
}

}  // namespace

MappedText PredictConformal(const BoundCall& call) {
  const ml::Task task = call.model.stored.core->task();
  if (!ml::IsSupervised(task))
    RequireTask(call, "PREDICT_CONFORMAL", ml::Task::kRegression, "regressions and classifiers");
  if (task == ml::Task::kRegression) {
    RefuseSettingOf(call, "method", "classifiers");
    RefuseSettingOf(call, "threshold", "classifiers");
  } else {
    RefuseSettingOf(call, "scale_col", "regressions");
  }
  return PredictConformalSql(
      call.model, *call.rows, *call.calibration,
      {.confidence = Confidence(call),
       .threshold = Threshold(call),
       .method =
           call.settings.Word("method", ConformalMethod::kLac,
                              {{"LAC", ConformalMethod::kLac}, {"APS", ConformalMethod::kAps}}),
       .scale_col = call.settings.Text("scale_col").value_or(""),
       .group_cols = call.settings.Texts("group_cols").value_or(std::vector<std::string>()),
       .keep_original = call.settings.Boolean("keep_original_columns", true)});
}

MappedText PredictCalibrated(const BoundCall& call) {
  RequireTask(call, "PREDICT_CALIBRATED", ml::Task::kClassification, "classifiers");
  return PredictCalibratedSql(call.model, *call.rows, CalibrationOf(call), Threshold(call),
                              call.settings.Boolean("keep_original_columns", true));
}

MappedText CalibrationCurve(const BoundCall& call) {
  return OfCurve(call, "CALIBRATION_CURVE", CalibrationCurveSql);
}

MappedText EvaluateCalibration(const BoundCall& call) {
  return OfCurve(call, "EVALUATE_CALIBRATION", EvaluateCalibrationSql);
}

MappedText Compare(const BoundCall& call) {
  const ml::Task task = call.model.stored.core->task();
  if (!ml::IsSupervised(task))
    RequireTask(call, "COMPARE", ml::Task::kRegression, "regressions and classifiers");
  if (task == ml::Task::kRegression) RefuseSettingOf(call, "threshold", "classifiers");
  return CompareSql(call.models, *call.rows, Confidence(call), Threshold(call));
}

}  // namespace braid::session
