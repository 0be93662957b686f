// SPDX-License-Identifier: Apache-2.0
#include "serve/request_form.h"

#include <fmt/format.h>

#include <utility>

#include "serve/infer_answer.h"
#include "serve/infer_request.h"
#include "serve/tensor_rows.h"

namespace braid::serve {

namespace {

class JsonRows final : public RequestForm {
 public:
  std::vector<DecodedRow> Decode(std::string_view body, const ServiceSchema& schema) override {
    return DecodeServiceRequest(body, schema.parameters).rows;
  }

  Answer Encode(const ServiceSchema&, std::span<const AnsweredRow> rows) override {
    Answer answer{.body = "{\"rows\":["};
    for (const AnsweredRow& row : rows) {
      if (answer.body.back() != '[') answer.body += ',';
      answer.body += fmt::format("{{\"inference_id\":\"{}\",", row.inference_id);
      if (row.outcome->error) {
        answer.body += "\"error\":" + ErrorJson(*row.outcome->error) + "}";
      } else {
        answer.body.append(row.outcome->output_json, 1);
      }
    }
    answer.body += "]}";
    return answer;
  }
};

class Tensors final : public RequestForm {
 public:
  explicit Tensors(std::string json_size) : json_size_(std::move(json_size)) {}

  std::vector<DecodedRow> Decode(std::string_view body, const ServiceSchema& schema) override {
    const std::optional<size_t> size = ParseJsonSize(json_size_);
    const bool is_raw = size == size_t{0};
    if (is_raw) {
      request_.inputs.push_back(RawTensor(body, schema.parameters));
      request_.is_binary_output = true;
    } else {
      request_ = DecodeInferRequest(body, size);
    }
    outputs_ = AskedOutputs(request_, schema);
    std::vector<DecodedRow> rows = RowsOf(request_.inputs, schema.parameters);
    request_.inputs.clear();
    return rows;
  }

  std::string request_id() const override { return request_.id.value_or(""); }

  Answer Encode(const ServiceSchema& schema, std::span<const AnsweredRow> rows) override {
    return InferAnswer(request_, schema, outputs_, rows);
  }

 private:
  std::string json_size_;
  InferRequest request_;
  std::vector<AskedOutput> outputs_;
};

}  // namespace

std::unique_ptr<RequestForm> JsonForm() { return std::make_unique<JsonRows>(); }

std::unique_ptr<RequestForm> OpenInferenceForm(std::string json_size) {
  return std::make_unique<Tensors>(std::move(json_size));
}

}  // namespace braid::serve
