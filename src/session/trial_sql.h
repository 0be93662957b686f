// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "session/ml_sql.h"
#include "session/model_store.h"
#include "syntax/source_map.h"

namespace braid::session {

// ML.<function>(MODEL m, …) where trials matter: ML.TRIAL_INFO, a version that was tuned, or
// STRUCT(2 AS trial_id). With rows the answer is the best trial's, or that trial's; without rows
// all trials', with their trial_id before the columns. Otherwise it is ModelFunctionSql's.
syntax::MappedText TrialFunctionSql(std::string_view function, const catalog::ModelVersion& version,
                                    ModelStore& models, const GivenRows* rows,
                                    const std::vector<Option>& settings);

// The trial of that id. Throws kInvalidOption when there is none, or it did not succeed.
const catalog::ModelTrial& FindTrial(const catalog::ModelVersion& version, int64_t trial_id);

}  // namespace braid::session
