// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "catalog/catalog.h"
#include "engine/connection.h"
#include "session/model_store.h"

namespace braid::train {

// What ML.EVALUATE says of a model over `rows`, a parenthesised query, and what its training says
// of itself. The store knows the version's artefact. Numbers alone: what is not defined is left
// out.
std::map<std::string, double> Judge(engine::Connection& connection,
                                    const catalog::ModelVersion& version,
                                    const session::StoredModel& stored, const std::string& rows);

}  // namespace braid::train
