// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "serve/answer.h"
#include "serve/request_json.h"
#include "serve/service_schema.h"

namespace braid::serve {

// What came of one row of a request.
struct RowOutcome {
  std::optional<Error> error;
  std::string input_json;   // as captured
  std::string output_json;  // an object; empty when `error` is set
};

struct AnsweredRow {
  std::string inference_id;
  const RowOutcome* outcome;
};

// How one request's body is read and its answer written: a protocol. Made for a request, used by
// one worker: Decode, then Encode unless Decode threw.
class RequestForm {
 public:
  virtual ~RequestForm() = default;
  // What is wrong with one row is that row's error; what is thrown refuses the request.
  virtual std::vector<DecodedRow> Decode(std::string_view body, const ServiceSchema& schema) = 0;
  // The client's own id of the request where the body has one. After Decode.
  virtual std::string request_id() const { return ""; }
  // The answer to the decoded rows, in their order. What is thrown becomes the answer.
  virtual Answer Encode(const ServiceSchema& schema, std::span<const AnsweredRow> rows) = 0;

 protected:
  RequestForm() = default;
  RequestForm(const RequestForm&) = default;
  RequestForm& operator=(const RequestForm&) = default;
};

// POST /v1/services/<s>: JSON rows.
std::unique_ptr<RequestForm> JsonForm();
// POST /v2/models/<m>/infer: tensors. `json_size`: the header Inference-Header-Content-Length.
std::unique_ptr<RequestForm> OpenInferenceForm(std::string json_size);

}  // namespace braid::serve
