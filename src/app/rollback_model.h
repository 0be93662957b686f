// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "session/session.h"
#include "syntax/statement.h"

namespace braid::app {

// ROLLBACK MODEL: the champion before the present one, or the version named, answers again. Throws
// MODEL_NOT_FOUND, NOT_FOUND when there is none to go back to, INVALID_TRANSACTION.
void RollbackModel(session::Session& session, const syntax::RollbackModel& statement,
                   session::ResultSink& sink);

}  // namespace braid::app
