// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "ml/options.h"
#include "session/change.h"
#include "session/model_store.h"
#include "syntax/statement.h"

namespace braid::train {

// OPTIONS (…) of CREATE MODEL … REMOTE WITH CONNECTION. Throws INVALID_OPTION.
ml::ModelOptions ParseRemoteOptions(const std::vector<Option>& options);

// The model of a server, after it was asked what it takes and gives, and that fits what INPUT and
// OUTPUT say. Throws NOT_FOUND for the connection, REMOTE_SERVER, MODEL_IMPORT, INTERRUPTED.
session::StoredModel RemoteModelOf(const syntax::CreateModel& statement, session::Change& change,
                                   const session::ModelStore& models);

}  // namespace braid::train
