// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "engine/connection.h"
#include "session/model_store.h"

namespace braid::session {

// Registers the functions that rewritten calls of ML.PREDICT and its kin use:
//   braid_score_value(artefact, inputs…) → DOUBLE
//   braid_score_label_<type>(artefact, threshold, inputs…) → STRUCT(label, probs STRUCT(label,
//     prob)[]); braid_score_calibrated_<type>(artefact, threshold, maps, inputs…) likewise, after
//     the maps of ml/calibration.h
//   braid_score_cluster(artefact, inputs…) → STRUCT(centroid_id, nearest
//   STRUCT(centroid_id, distance)[]) braid_score_list(artefact, inputs…) → DOUBLE[]
//   braid_score_anomaly(artefact, inputs…) → STRUCT(score DOUBLE, centroid_id BIGINT)
//   braid_score_interval(artefact, confidence, inputs…) → STRUCT(value, confidence_interval_lower,
//     confidence_interval_upper, prediction_interval_lower, prediction_interval_upper)
//   braid_score_explained(artefact, top features, inputs…) → STRUCT(attributions
//     STRUCT(feature, attribution)[], baseline, value): of the likeliest class, or
//     with two classes of the higher one
//   braid_score_remote(artefact, inputs…) → STRUCT(numbers DOUBLE[][], integers BIGINT[][], texts
//     VARCHAR[][]): the values of each output, by what it holds; NULL where an input is missing
void RegisterScoringFunctions(engine::Connection& connection, ModelStore& store);

// Whether such a function is called so: its answer depends on its arguments alone, though DuckDB is
// told otherwise, so that a prediction is computed once for each row and never folded or copied.
bool IsScoringFunction(std::string_view name);

}  // namespace braid::session
