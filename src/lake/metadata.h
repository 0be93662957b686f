// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "engine/connection.h"

namespace braid::lake {

// Brings schema `braid` of the lake (and the layers' schemas) to this version of Braid, one
// transaction a migration. Throws kLakeFormat for a lake of a newer version. Called under the
// writer's pass.
void Migrate(engine::Connection& connection);

// The tables of schema `braid` that live in the lake.
const std::vector<std::string>& MetadataTables();

}  // namespace braid::lake
