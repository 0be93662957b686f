// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/tensor.h"

namespace braid::serve {

inline constexpr size_t kMaxTensorElements = 2'000'000;  // of all inputs of a request
inline constexpr size_t kMaxTensors = 4'096;

struct RequestedOutput {
  std::string name;
  std::optional<bool> is_binary;  // as the request says of this output
};

// The body of POST /v2/models/<m>/infer.
struct InferRequest {
  std::optional<std::string> id;
  std::vector<Tensor> inputs;
  std::vector<RequestedOutput> outputs;  // empty: all
  bool is_binary_output = false;         // what holds for outputs that do not say
};

// Reads a body whose first `json_size` bytes are JSON and whose rest is binary tensors, in the
// order of the inputs; all of it is JSON without a size. Fields and parameters that it does not
// know are passed over, as the protocol has it. Throws Error MALFORMED_REQUEST for what is no such
// body, TOO_LARGE for more elements than kMaxTensorElements, NOT_SUPPORTED for shared memory and
// the classification of outputs. Thread-safe.
InferRequest DecodeInferRequest(std::string_view body, std::optional<size_t> json_size);

// The value of the header Inference-Header-Content-Length; nothing when it is absent. Throws
// MALFORMED_REQUEST.
std::optional<size_t> ParseJsonSize(std::string_view header);

}  // namespace braid::serve
