// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "base/error.h"
#include "catalog/catalog.h"
#include "flow/query_inputs.h"
#include "syntax/statement.h"

namespace braid::flow {

// The query of a declaration; null for a table that only flows fill.
const syntax::SourceText* QueryOf(const syntax::Statement& statement);

// OPTIONS (promotion_query = '…') of a model; null where there is none.
const Option* PromotionQueryOf(const syntax::Statement& statement);

// All that the queries of a declaration read, offsets counted in its statement. What cannot be
// parsed is added to `problems` and reads nothing.
QueryInputs InputsOf(const catalog::Object& object, QueryReader& reader,
                     std::vector<Error>& problems);

}  // namespace braid::flow
