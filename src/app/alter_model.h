// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "session/session.h"

namespace braid::app {

// ALTER MODEL: an alias set or unset, or notes written, as a commit of its own. Throws
// kModelNotFound, kInvalidOption.
void AlterModel(session::Session& session, const syntax::AlterModel& statement,
                session::ResultSink& sink);

}  // namespace braid::app
