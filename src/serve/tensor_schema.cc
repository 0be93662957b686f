// SPDX-License-Identifier: Apache-2.0
#include "serve/tensor_schema.h"

#include <array>
#include <optional>
#include <utility>

#include "base/text.h"
#include "serve/struct_type.h"

namespace braid::serve {

namespace {

constexpr int64_t kAnySize = -1;

// Types whose values are numbers or truth values; the values of all others are texts.
constexpr std::array<std::pair<std::string_view, TensorType>, 13> kElements = {
    {{"BOOLEAN", TensorType::kBool},
     {"TINYINT", TensorType::kInt8},
     {"SMALLINT", TensorType::kInt16},
     {"INTEGER", TensorType::kInt32},
     {"BIGINT", TensorType::kInt64},
     {"UTINYINT", TensorType::kUint8},
     {"USMALLINT", TensorType::kUint16},
     {"UINTEGER", TensorType::kUint32},
     {"UBIGINT", TensorType::kUint64},
     {"FLOAT", TensorType::kFp32},
     {"DOUBLE", TensorType::kFp64},
     {"DECIMAL", TensorType::kFp64},
     {"BLOB", TensorType::kBytes}}};

std::optional<TensorForm> ScalarForm(std::string_view sql_type) {
  const std::string name = ToUpper(sql_type.substr(0, sql_type.find('(')));
  for (const char* nested : {"STRUCT", "MAP", "UNION", "JSON"})
    if (name == nested) return std::nullopt;
  for (const auto& [known, type] : kElements)
    if (known == name) return TensorForm{type, 0, name == "BLOB"};
  return TensorForm{};
}

// The type of the labels where this is a classifier's answer.
std::optional<std::string> LabelType(const std::string& sql_type) {
  if (!sql_type.ends_with("[]")) return std::nullopt;
  const std::string element = sql_type.substr(0, sql_type.size() - 2);
  if (!element.starts_with("STRUCT(")) return std::nullopt;
  const std::vector<FieldType> fields = StructFields(element);
  if (fields.size() != 2 || fields[0].name != "label" || fields[1].name != "prob" ||
      fields[1].sql_type != "DOUBLE")
    return std::nullopt;
  return fields[0].sql_type;
}

std::vector<int64_t> ShapeOf(const TensorForm& form) {
  return std::vector<int64_t>(form.lists + 1, kAnySize);
}

}  // namespace

TensorForm TensorFormOf(std::string_view sql_type) {
  std::string_view element = sql_type;
  size_t lists = 0;
  while (element.ends_with("[]")) {
    element.remove_suffix(2);
    ++lists;
  }
  std::optional<TensorForm> form = ScalarForm(element);
  // Nested values, and lists of them, are JSON text.
  if (!form) return {};
  form->lists = lists;
  return *form;
}

std::vector<TensorMetadata> InputTensors(const ServiceSchema& schema) {
  std::vector<TensorMetadata> tensors;
  for (const FieldType& parameter : schema.parameters) {
    const TensorForm form = TensorFormOf(parameter.sql_type);
    tensors.push_back({parameter.name, form.type, ShapeOf(form)});
  }
  return tensors;
}

std::vector<OutputTensor> OutputTensors(const ServiceSchema& schema) {
  using Source = OutputTensor::Source;
  std::vector<OutputTensor> tensors;
  for (size_t i = 0; i < schema.outputs.size(); ++i) {
    const FieldType& output = schema.outputs[i];
    if (const std::optional<std::string> label = LabelType(output.sql_type)) {
      TensorForm labels = TensorFormOf(*label);
      labels.lists += 1;
      const TensorForm numbers{TensorType::kFp64, 1, false};
      tensors.push_back(
          {{output.name + ".label", labels.type, ShapeOf(labels)}, Source::kLabels, i, labels});
      tensors.push_back({{output.name + ".prob", numbers.type, ShapeOf(numbers)},
                         Source::kProbabilities,
                         i,
                         numbers});
      continue;
    }
    const TensorForm form = TensorFormOf(output.sql_type);
    tensors.push_back({{output.name, form.type, ShapeOf(form)}, Source::kOutput, i, form});
  }
  if (!schema.is_model)
    tensors.push_back(
        {{"inference_id", TensorType::kBytes, {kAnySize}}, Source::kInferenceId, 0, TensorForm{}});
  return tensors;
}

}  // namespace braid::serve
