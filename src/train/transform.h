// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "engine/connection.h"
#include "lake/tables.h"
#include "session/model_store.h"
#include "syntax/statement.h"

namespace braid::train {

// A TRANSFORM clause whose statistics are constants: SQL over __braid_row alone.
struct FrozenTransform {
  std::vector<session::ProjectedInput> columns;  // as ML.TRANSFORM gives them
  std::vector<session::ProjectedInput> inputs;   // as a model is trained on them: numbers and texts
};

// `columns` are those of the training query, `rows` its parenthesised rows, over which statistics
// are computed; `untouched` are the names of columns that are no inputs (label, split, weight) and
// must pass as they are. Errors carry a place in the clause's text.
FrozenTransform FreezeTransform(engine::Connection& connection, const syntax::SourceText& clause,
                                const std::vector<lake::Column>& columns, const std::string& rows,
                                const std::vector<std::string>& untouched);

}  // namespace braid::train
