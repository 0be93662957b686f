// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "catalog/catalog.h"
#include "session/model_store.h"
#include "syntax/source_map.h"

namespace braid::session {

// A model version as a rewrite uses it.
struct BoundModel {
  const catalog::ModelVersion& version;
  const StoredModel& stored;
};

// The values of a call's STRUCT(value AS name, …), checked.
struct PredictSettings {
  double threshold = 0.5;  // binary classification: the least probability of the higher label
  bool keep_original_columns = true;
};
PredictSettings ParsePredictSettings(const std::vector<Option>& settings);

// `rows` is a parenthesised query. Each returns a parenthesised query that can stand as a table.
// ML.PREDICT: predicted_<label> [, predicted_<label>_probs], then the columns of the rows.
syntax::MappedText PredictSql(const BoundModel& model, const syntax::MappedText& rows,
                              const PredictSettings& settings);
// ML.EVALUATE over labelled rows: BigQuery ML's columns for the kind of model.
syntax::MappedText EvaluateSql(const BoundModel& model, const syntax::MappedText& rows,
                               const PredictSettings& settings);
// ML.EVALUATE without rows: the metrics kept from training.
std::string StoredEvaluationSql(const BoundModel& model);
// ML.WEIGHTS.
std::string WeightsSql(const BoundModel& model, bool standardize);

}  // namespace braid::session
