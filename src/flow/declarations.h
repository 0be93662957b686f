// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"

namespace braid::flow {

struct Declarations {
  std::vector<catalog::Object> objects;  // owner "project", in the order of files and lines
  std::vector<Error> problems;           // all that is wrong, each with its place
};

// Reads every *.sql file below the project's folder (hidden files and folders excepted) and parses
// the declarations in them. Problems: files that cannot be read or split into statements,
// statements with syntax errors or that declare nothing, names declared twice, tables in Braid's
// own schemas and, when all could be read, flows into tables that nobody declares. A declaration
// with a problem of the last two kinds is among the objects nevertheless.
Declarations LoadDeclarations(const std::filesystem::path& root);

}  // namespace braid::flow
