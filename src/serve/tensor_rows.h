// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "serve/request_json.h"
#include "serve/tensor.h"

namespace braid::serve {

// The rows that some input tensors are. The first dimension is the row. A tensor is a parameter of
// its name: [n] or [n,1], and [n,k,…] where the parameter is a list. A parameter without a tensor
// is NULL. One tensor alone of another name is all parameters: [n,k], a column each in their order.
// A value that does not fit its parameter is the error of its row. Throws Error MALFORMED_REQUEST
// for tensors that are no such rows, TOO_LARGE for more than kMaxRequestRows.
std::vector<DecodedRow> RowsOf(const std::vector<Tensor>& inputs,
                               const std::vector<FieldType>& parameters);

// The tensor of a body that is nothing but one row of the only parameter: its elements, or the
// bytes of one text. Throws MALFORMED_REQUEST.
Tensor RawTensor(std::string_view body, const std::vector<FieldType>& parameters);

}  // namespace braid::serve
