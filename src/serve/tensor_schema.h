// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serve/request_json.h"
#include "serve/service_schema.h"
#include "serve/tensor.h"

namespace braid::serve {

// What becomes of values of an SQL type.
struct TensorForm {
  TensorType type = TensorType::kBytes;  // of its elements
  size_t lists = 0;                      // dimensions beside that of the rows
  bool is_blob = false;                  // bytes, not text
};
TensorForm TensorFormOf(std::string_view sql_type);

// A tensor as the metadata of a model shows it; -1 is a size that is not fixed.
struct TensorMetadata {
  std::string name;
  TensorType type;
  std::vector<int64_t> shape;
};

std::vector<TensorMetadata> InputTensors(const ServiceSchema& schema);

// Where an output tensor comes from.
struct OutputTensor {
  enum class Source : uint8_t { kInferenceId, kOutput, kLabels, kProbabilities };
  TensorMetadata metadata;
  Source source = Source::kOutput;
  size_t output = 0;  // of the schema
  TensorForm form;
};

// The outputs in their order. One that is STRUCT(label …, prob DOUBLE)[], as ML.PREDICT gives for
// classifiers, becomes two tensors, <name>.label and <name>.prob, of as many columns as there are
// classes. A service's have inference_id last.
std::vector<OutputTensor> OutputTensors(const ServiceSchema& schema);

}  // namespace braid::serve
