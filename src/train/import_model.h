// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

#include "engine/connection.h"
#include "ml/options.h"
#include "session/model_store.h"
#include "syntax/statement.h"

namespace braid::train {

// The model of a file that OPTIONS (model_path = '…') names, relative to `root`. Throws
// MODEL_IMPORT, INVALID_OPTION, IO.
session::StoredModel ImportModel(engine::Connection& connection,
                                 const syntax::CreateModel& statement,
                                 const ml::ModelOptions& options,
                                 const std::filesystem::path& root);

}  // namespace braid::train
