// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "lake/tables.h"
#include "ml/calibration.h"
#include "ml/calibration_curve.h"
#include "session/model_store.h"
#include "syntax/source_map.h"

namespace braid::session {

// A model version as a rewrite uses it.
struct BoundModel {
  const catalog::ModelVersion& version;
  const StoredModel& stored;
};

// Rows that a call is given.
struct GivenRows {
  syntax::MappedText sql;             // a parenthesised query
  bool is_table = false;              // as it stands: reading it again is cheap and gives the same
  std::vector<lake::Column> columns;  // of the query, for functions that need them
};

// ML.<function>(MODEL m [, MODEL n …] [, rows …] [, STRUCT(settings)]).
struct ModelCall {
  std::string_view function;       // upper case
  std::vector<BoundModel> models;  // at least one
  const std::vector<GivenRows>& rows;
  const std::vector<Option>& settings;
};

// The call as a parenthesised query that can stand as a table. Throws kNotSupported for functions
// that there are not, or not for this kind of model, kSyntax for missing or superfluous models and
// rows, kInvalidOption for settings.
syntax::MappedText ModelFunctionSql(const ModelCall& call);
// Whether a function must be told the columns of its rows.
bool NeedsColumns(std::string_view function);
// Throws kInvalidOption for a setting that is none of the known ones.
void CheckSettings(const std::vector<Option>& settings, const std::vector<std::string>& known);

// The parts of it that training uses. `rows` is a parenthesised query.
// ML.EVALUATE over labelled rows: BigQuery ML's columns for the kind of model. `threshold`: with
// two classes the least probability of the higher label.
syntax::MappedText EvaluateSql(const BoundModel& model, const syntax::MappedText& rows,
                               double threshold = 0.5);
// The same for each value of each of these columns, after a row for all: slice_col, slice_value,
// num_rows, then the metrics.
syntax::MappedText EvaluateSlicesSql(const BoundModel& model, const syntax::MappedText& rows,
                                     double threshold, const std::vector<std::string>& slice_cols);
// ML.EVALUATE without rows: the metrics kept from training.
std::string StoredEvaluationSql(const BoundModel& model);
// `ranks_items`: of models that rank items.
std::vector<std::string> MetricNames(ml::Task task, bool ranks_items);
std::vector<std::string> MetricNames(const ml::Model& model);
// EvaluateSql of a model that ranks items.
syntax::MappedText EvaluateRankingSql(const BoundModel& model, const syntax::MappedText& rows);

syntax::MappedText ConfusionMatrixSql(const BoundModel& model, const syntax::MappedText& rows,
                                      double threshold);
// `thresholds`: SQL of a list.
syntax::MappedText RocCurveSql(const BoundModel& model, const syntax::MappedText& rows,
                               const std::optional<std::string>& thresholds);
// ML.PREDICT: the answer's columns, then (unless `keep_original` is false) the rows' own.
syntax::MappedText PredictSql(const BoundModel& model, const syntax::MappedText& rows,
                              double threshold, bool keep_original);
// The value, its confidence and prediction intervals, then the rows' own columns.
syntax::MappedText PredictIntervalSql(const BoundModel& model, const syntax::MappedText& rows,
                                      double confidence);
syntax::MappedText ExplainPredictSql(const BoundModel& model, const syntax::MappedText& rows,
                                     double threshold, int64_t top_features);
// The mean absolute contribution of each input over the rows.
syntax::MappedText GlobalExplainSql(const BoundModel& model, const syntax::MappedText& rows);
// What ENABLE_GLOBAL_EXPLAIN kept at training.
std::string StoredGlobalExplainSql(const BoundModel& model);
// ML.TRANSFORM: the columns of the model's TRANSFORM clause that are inputs.
syntax::MappedText TransformSql(const BoundModel& model, const syntax::MappedText& rows);
// ML.DETECT_ANOMALIES: anomalies are the rows whose score is above that of all but the share
// `contamination` of the training rows.
syntax::MappedText DetectAnomaliesSql(const BoundModel& model, const syntax::MappedText& rows,
                                      double contamination);
// ML.PREDICT_CONFORMAL: answers with intervals or sets of labels that hold the truth of a row like
// the calibration rows with this confidence.
enum class ConformalMethod : uint8_t { kLac, kAps };
struct ConformalSettings {
  double confidence = 0.95;
  double threshold = 0.5;
  ConformalMethod method = ConformalMethod::kLac;  // classification
  std::string scale_col;                           // regression; empty: none
  std::vector<std::string> group_cols;
  bool keep_original = true;
};
syntax::MappedText PredictConformalSql(const BoundModel& model, const syntax::MappedText& rows,
                                       const syntax::MappedText& calibration,
                                       const ConformalSettings& settings);
// Rows with labels, by which probabilities are calibrated.
struct Calibration {
  const syntax::MappedText& rows;
  ml::CalibrationMethod method = ml::CalibrationMethod::kSigmoid;
};
// ML.PREDICT_CALIBRATED: ML.PREDICT's columns with calibrated probabilities.
syntax::MappedText PredictCalibratedSql(const BoundModel& model, const syntax::MappedText& rows,
                                        const Calibration& calibration, double threshold,
                                        bool keep_original);
struct CurveSettings {
  int64_t buckets = 10;
  ml::BucketStrategy strategy = ml::BucketStrategy::kUniform;
};
// ML.CALIBRATION_CURVE and ML.EVALUATE_CALIBRATION, of the probabilities as they are, or calibrated
// (may be nullptr).
syntax::MappedText CalibrationCurveSql(const BoundModel& model, const syntax::MappedText& rows,
                                       const Calibration* calibration,
                                       const CurveSettings& settings);
syntax::MappedText EvaluateCalibrationSql(const BoundModel& model, const syntax::MappedText& rows,
                                          const Calibration* calibration,
                                          const CurveSettings& settings);
// ML.COMPARE: for each pair of at least two models, metrics on the rows and tests of their
// differences.
syntax::MappedText CompareSql(const std::vector<BoundModel>& models, const syntax::MappedText& rows,
                              double confidence, double threshold);
// Of each row with a label how much more the first model loses than the second: squared error, or
// -ln of the probability of the label. One column, "gain".
syntax::MappedText LossDifferenceSql(const BoundModel& first, const BoundModel& second,
                                     const syntax::MappedText& rows);
// ML.RECOMMEND: all pairs of a user and an item, or those that fit the users, items or both of
// `rows` (may be nullptr).
syntax::MappedText RecommendSql(const BoundModel& model, const syntax::MappedText* rows);
// A model's own table as VALUES.
std::string TableSql(const ml::Table& table);

}  // namespace braid::session
