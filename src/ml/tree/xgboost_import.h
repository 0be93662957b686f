// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ml/import.h"
#include "ml/model_kind.h"

namespace braid::ml {

// A model file that XGBoost 1.0 or newer wrote as JSON or UBJSON, as boosted trees of ours. Throws
// kModelImport: malformed, an older binary file, objectives and boosters that have no such form.
ImportedModel ImportXgboost(const ImportRequest& request);

// OPTIONS (model_type = 'xgboost', model_path = '…').
const ModelKind& XgboostKind();

}  // namespace braid::ml
