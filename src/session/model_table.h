// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "engine/connection.h"
#include "session/ml_sql.h"

namespace braid::session {

// ML.<function>(MODEL m [, settings]) of a model's own tables, as a parenthesised query.
std::string ModelTableSql(const BoundModel& model, std::string_view function,
                          const std::vector<Option>& settings);

// Registers the table function that long tables are read by.
void RegisterModelTables(engine::Connection& connection, ModelStore& store);

}  // namespace braid::session
