// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "engine/connection.h"

namespace braid::lake {

// Brings schema `braid` of the lake (and the layers' schemas) to this version of Braid, one
// transaction a migration, its files in `data_folder` synced before the commit. Throws kLakeFormat
// for a lake of a newer version. Called before anybody else can write.
void Migrate(engine::Connection& connection, const std::filesystem::path& data_folder);

// The tables of schema `braid` that live in the lake.
const std::vector<std::string>& MetadataTables();

}  // namespace braid::lake
