// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace braid::session {

// The maintenance function of DuckLake that a statement calls, in lower case; empty when it calls
// none. Such a statement needs the writer's pass and may not stand in a transaction. Throws
// NOT_SUPPORTED, with a hint, for
// - what would damage a lake: rewriting or adding data files, CHECKPOINT, unsafe options;
// - maintenance in anything but CALL f(…), FROM f(…) or SELECT … FROM f(…), where nobody would see
//   it: views, macros, query('…'), CREATE TABLE … AS.
std::string FindMaintenance(std::string_view statement);

// Throws NOT_SUPPORTED when a query of a declaration calls any of it.
void RefuseMaintenance(std::string_view query);

}  // namespace braid::session
