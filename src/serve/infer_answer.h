// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <vector>

#include "serve/answer.h"
#include "serve/infer_request.h"
#include "serve/request_form.h"
#include "serve/service_schema.h"
#include "serve/tensor_schema.h"

namespace braid::serve {

struct AskedOutput {
  OutputTensor tensor;
  bool is_binary = false;
};

// The tensors that a request asks for, all where it names none. Throws Error MALFORMED_REQUEST for
// a name that the service does not have.
std::vector<AskedOutput> AskedOutputs(const InferRequest& request, const ServiceSchema& schema);

// The answer to an infer request. Throws the first row's error, since tensors have no place for
// one, and WRONG_TYPE where rows make no tensor: lists of different lengths, NULL in a binary
// tensor that is not of floats.
Answer InferAnswer(const InferRequest& request, const ServiceSchema& schema,
                   const std::vector<AskedOutput>& outputs, std::span<const AnsweredRow> rows);

}  // namespace braid::serve
