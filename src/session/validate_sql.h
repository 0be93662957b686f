// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "engine/connection.h"
#include "session/ml_sql.h"

namespace braid::session {

// Whether it is ML.CROSS_VALIDATE or ML.FEATURE_ABLATION: functions that train models of the same
// kind from sums, and judge them by rows that these have not seen.
bool IsValidation(std::string_view function);

// ML.<function>(MODEL m, rows [, settings]) as a parenthesised query that runs on `connection`.
// Throws kNotSupported for models that are not trained from sums, and without a connection;
// kInvalidOption for settings.
syntax::MappedText ValidationSql(std::string_view function, const catalog::ModelVersion& version,
                                 ModelStore& models, const syntax::MappedText& rows,
                                 const std::vector<Option>& settings,
                                 engine::Connection* connection);

// Registers what such queries use.
void RegisterValidation(engine::Connection& connection);

}  // namespace braid::session
