// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "syntax/source_map.h"
#include "syntax/statement.h"

namespace braid::session {

// A service's (rewritten) query with `request` bound to a row source. The query sees one relation
// `request` of the declared parameters, through a common table expression, so that its text stays
// as written.
//
// `rows` must have the columns of the parameters. One request row at a time:
std::string ServiceOverOneRowSql(const syntax::CreateService& service, const std::string& body,
                                 const std::string& rows);
// Many rows: each is asked on its own (LATERAL), so that aggregates, LIMIT and windows mean what
// they mean for one request. `rows` must also have the column __braid_row, unique. Columns:
// __braid_row, the outputs, and
// __braid_found (NULL where the service gave no row for that request).
std::string ServiceOverRowsSql(const syntax::CreateService& service, const std::string& body,
                               const std::string& rows);
// `SELECT * FROM s(TABLE t)`: the outputs for each row, preceded by the table's columns that are
// not outputs… the outputs alone. Throws SERVICE_ROW_COUNT inside the query when a row has no
// answer or several.
syntax::MappedText ServiceOverTableSql(const syntax::CreateService& service,
                                       const std::string& body, const syntax::MappedText& rows);

// A service asked with one value for each parameter (empty: NULL), SQL over `request` if it stands
// first, else over what stands beside it.
syntax::MappedText ServiceOverValuesSql(const syntax::CreateService& service,
                                        const std::string& body,
                                        const std::vector<syntax::MappedText>& values,
                                        bool of_request);

}  // namespace braid::session
