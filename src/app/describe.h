// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "session/session.h"
#include "syntax/statement.h"

namespace braid::app {

// The query behind SHOW MODELS, SHOW SERVICES, …
std::string ShowQuery(syntax::ShowKind kind);

// The query behind DESCRIBE MODEL m, DESCRIBE SERVICE s, …: rows of (property, value). Throws
// MODEL_NOT_FOUND, …
std::string DescribeQuery(const syntax::Describe& describe, session::Session& session);

}  // namespace braid::app
