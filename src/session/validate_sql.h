// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/connection.h"
#include "session/ml_sql.h"

namespace braid::session {

// Names the aggregate that gathers the moments of so many inputs and a label.
using NameMoments = std::function<std::string(size_t inputs)>;

// Whether it is ML.CROSS_VALIDATE or ML.FEATURE_ABLATION: functions that train models of the same
// kind from sums, and judge them by rows that these have not seen.
bool IsValidation(std::string_view function);

// ML.<function>(MODEL m, rows [, settings]) as a parenthesised query. Throws kNotSupported for
// models that are not trained from sums, kInvalidOption for settings.
syntax::MappedText ValidationSql(std::string_view function, const BoundModel& model,
                                 const syntax::MappedText& rows,
                                 const std::vector<Option>& settings, const NameMoments& moments);

// Registers what such queries use.
void RegisterValidation(engine::Connection& connection);

}  // namespace braid::session
