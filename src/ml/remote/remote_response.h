// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ml/remote/remote_signature.h"

namespace braid::ml {

// One output of an answer: `width` values a row, of the port's family.
struct RemoteValues {
  size_t width = 1;
  std::vector<int64_t> integers;  // and truth values
  std::vector<double> numbers;
  std::vector<std::string> texts;
};

// The outputs of an answer to a request of so many rows, in the signature's order. Throws
// kRemoteServer for anything that is not what was asked for: no JSON, outputs that are missing, of
// another datatype or another number of values, values that are none.
std::vector<RemoteValues> ReadInferResponse(const RemoteSignature& signature, std::string_view body,
                                            size_t rows);

}  // namespace braid::ml
