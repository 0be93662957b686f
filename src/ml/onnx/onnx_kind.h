// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ml/model_kind.h"

namespace braid::ml {

// Imports a file, OPTIONS (model_type = 'onnx', model_path = '…').
const ModelKind& OnnxKind();

}  // namespace braid::ml
