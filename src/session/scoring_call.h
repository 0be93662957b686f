// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "session/ml_sql.h"

// Pieces of SQL that all ML calls are made of.
namespace braid::session {

// The types that a label can be returned as: "BOOLEAN", "BIGINT", "DOUBLE" or "VARCHAR".
std::string LabelFamily(const std::string& label_type);

// The inputs of a row, cast to what a model reads, with commas between.
std::string InputsSql(const std::vector<ProjectedInput>& inputs);

// braid_score_<function>('<artefact>'[, '<setting>'], inputs cast to what the model reads).
std::string ScoringCall(const BoundModel& model, const std::string& function,
                        const std::optional<std::string>& setting = {});
// The likeliest label and the probabilities, in the form of the label's type; with `maps`, SQL of
// the bytes of calibration maps, those that they give.
std::string LabelCall(const BoundModel& model, double threshold, const std::string& maps = "");

// A model that a server answers for: the call, and what its answer __braid_p is shown as.
bool IsRemote(const BoundModel& model);
std::string RemoteCall(const BoundModel& model);
std::string RemoteColumns(const BoundModel& model);

// What __braid_p, the answer of a LabelCall, is shown as: "… AS predicted_<label>", and "… AS
// predicted_<label>_probs".
std::string PredictedLabelSql(const Projection& projection);
std::string ProbabilitiesSql(const Projection& projection);

// "(SELECT <head> FROM <rows> AS __braid_row<tail>)".
syntax::MappedText Around(const std::string& head, const syntax::MappedText& rows,
                          const std::string& tail);
// A DOUBLE with all its digits.
std::string NumberSql(double value);

}  // namespace braid::session
