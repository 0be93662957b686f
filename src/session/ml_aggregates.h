// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "engine/connection.h"

// The functions over scored rows that rewritten ML calls use. An aggregate gives text as BLOB.
namespace braid::session {

// braid_conformal_residual(actual, predicted, scale, confidence) and braid_conformal_score(score,
//   confidence): aggregates, the number that ml::ConformalScores::Quantile gives; rows with a NULL
//   are left out
// braid_conformal_width(quantile, scale) → DOUBLE: their product; TRAINING_DATA for a NULL quantile
void RegisterConformalFunctions(engine::Connection& connection);

// braid_calibration_isotonic(probability, positive) and braid_calibration_sigmoid(probability,
//   positive): aggregates, the bytes of an ml::CalibrationMap
// braid_calibration_curve(probability, positive, buckets, strategy): an aggregate, the curve and
// its
//   summary as JSON text
void RegisterCalibrationFunctions(engine::Connection& connection);

// braid_compare_regressions(label, first, second, confidence) and
// braid_compare_classifiers(label is the higher one, for each of two models: probability of the
//   label, probability of the higher label, whether the answer is right; confidence): aggregates,
//   the lines of ml/model_comparison.h as a JSON list, numbers as text
void RegisterComparisonFunctions(engine::Connection& connection);

}  // namespace braid::session
