// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ml/model_kind.h"

namespace braid::ml {

const ModelKind& MatrixFactorizationKind();

}  // namespace braid::ml
