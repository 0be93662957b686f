// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "lake/tables.h"
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

// ML.<function>(MODEL m [, rows] [, STRUCT(settings)]) as a parenthesised query that can stand as a
// table. `function` is in upper case, `rows` may be nullptr. Throws kNotSupported for functions
// that there are not, or not for this kind of model, kSyntax for missing or superfluous rows,
// kInvalidOption for settings.
syntax::MappedText ModelFunctionSql(std::string_view function, const BoundModel& model,
                                    const GivenRows* rows, const std::vector<Option>& settings);
// Whether it must be told the columns of its rows.
bool NeedsColumns(std::string_view function);
// Throws kInvalidOption for a setting that is none of the known ones.
void CheckSettings(const std::vector<Option>& settings, const std::vector<std::string>& known);

// The parts of it that training uses. `rows` is a parenthesised query.
// ML.EVALUATE over labelled rows: BigQuery ML's columns for the kind of model. `threshold`: with
// two classes the least probability of the higher label.
syntax::MappedText EvaluateSql(const BoundModel& model, const syntax::MappedText& rows,
                               double threshold = 0.5);
// ML.EVALUATE without rows: the metrics kept from training.
std::string StoredEvaluationSql(const BoundModel& model);
std::vector<std::string> MetricNames(ml::Task task);

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
// ML.TRANSFORM: the columns of the model's TRANSFORM clause that are inputs.
syntax::MappedText TransformSql(const BoundModel& model, const syntax::MappedText& rows);
// ML.DETECT_ANOMALIES: anomalies are the rows whose score is above that of all but the share
// `contamination` of the training rows.
syntax::MappedText DetectAnomaliesSql(const BoundModel& model, const syntax::MappedText& rows,
                                      double contamination);
// ML.RECOMMEND: all pairs of a user and an item, or those that fit the users, items or both of
// `rows` (may be nullptr).
syntax::MappedText RecommendSql(const BoundModel& model, const syntax::MappedText* rows);
// A model's own table as VALUES.
std::string TableSql(const ml::Table& table);

}  // namespace braid::session
