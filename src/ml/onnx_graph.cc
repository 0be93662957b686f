// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of onnx.proto (ONNX 1.12, IR version 8).
#include "ml/onnx_graph.h"

#include <bit>

namespace braid::ml {

namespace {

static_assert(std::endian::native == std::endian::little);  // raw_data is little-endian

enum Wire : uint32_t { kVarint = 0, kBytes = 2 };
enum AttributeType : uint64_t { kInt = 2, kString = 3, kInts = 7, kStrings = 8 };

constexpr uint64_t kIrVersion = 8;
constexpr uint64_t kOpset = 17;
constexpr uint64_t kMlOpset = 3;

OnnxGraph::Attribute MakeAttribute(std::string_view name, AttributeType type) {
  OnnxGraph::Attribute attribute;
  attribute.message.Bytes(1, name);
  attribute.message.Varint(20, type);
  return attribute;
}

WireMessage ValueInfo(std::string_view name, OnnxType type, const std::vector<int64_t>& shape) {
  WireMessage dimensions;
  for (const int64_t size : shape) {
    WireMessage dimension;
    if (size < 0)
      dimension.Bytes(2, "rows");
    else
      dimension.Varint(1, static_cast<uint64_t>(size));
    dimensions.Message(1, dimension);
  }
  WireMessage tensor;
  tensor.Varint(1, static_cast<uint64_t>(type));
  tensor.Message(2, dimensions);
  WireMessage type_message;
  type_message.Message(1, tensor);
  WireMessage info;
  info.Bytes(1, name);
  info.Message(2, type_message);
  return info;
}

template <typename T>
std::string_view AsBytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

void WireMessage::Raw(uint64_t value) {
  for (; value > 127; value >>= 7) bytes_.push_back(static_cast<char>(value | 128));
  bytes_.push_back(static_cast<char>(value));
}

void WireMessage::Varint(uint32_t field, uint64_t value) {
  Raw(field << 3 | kVarint);
  Raw(value);
}

void WireMessage::Bytes(uint32_t field, std::string_view bytes) {
  Raw(field << 3 | kBytes);
  Raw(bytes.size());
  bytes_.append(bytes);
}

void WireMessage::PackedIntegers(uint32_t field, const std::vector<int64_t>& values) {
  WireMessage packed;
  for (const int64_t value : values) packed.Raw(static_cast<uint64_t>(value));
  Bytes(field, packed.bytes_);
}

OnnxGraph::Attribute OnnxGraph::Attribute::Integer(std::string_view name, int64_t value) {
  Attribute attribute = MakeAttribute(name, kInt);
  attribute.message.Varint(3, static_cast<uint64_t>(value));
  return attribute;
}

OnnxGraph::Attribute OnnxGraph::Attribute::String(std::string_view name, std::string_view value) {
  Attribute attribute = MakeAttribute(name, kString);
  attribute.message.Bytes(4, value);
  return attribute;
}

OnnxGraph::Attribute OnnxGraph::Attribute::Integers(std::string_view name,
                                                    const std::vector<int64_t>& values) {
  Attribute attribute = MakeAttribute(name, kInts);
  attribute.message.PackedIntegers(8, values);
  return attribute;
}

OnnxGraph::Attribute OnnxGraph::Attribute::Strings(std::string_view name,
                                                   const std::vector<std::string>& values) {
  Attribute attribute = MakeAttribute(name, kStrings);
  for (const std::string& value : values) attribute.message.Bytes(9, value);
  return attribute;
}

void OnnxGraph::AddInput(std::string_view name, OnnxType type, const std::vector<int64_t>& shape) {
  graph_.Message(11, ValueInfo(name, type, shape));
}

void OnnxGraph::AddOutput(std::string_view name, OnnxType type, const std::vector<int64_t>& shape) {
  graph_.Message(12, ValueInfo(name, type, shape));
}

void OnnxGraph::AddTensor(std::string_view name, OnnxType type, const std::vector<int64_t>& shape,
                          std::string_view raw) {
  WireMessage tensor;
  tensor.PackedIntegers(1, shape);
  tensor.Varint(2, static_cast<uint64_t>(type));
  tensor.Bytes(8, name);
  tensor.Bytes(9, raw);
  graph_.Message(5, tensor);
}

void OnnxGraph::AddConstant(std::string_view name, const std::vector<int64_t>& shape,
                            const std::vector<double>& values) {
  AddTensor(name, OnnxType::kDouble, shape, AsBytes(values));
}

void OnnxGraph::AddConstant(std::string_view name, const std::vector<int64_t>& shape,
                            const std::vector<int64_t>& values) {
  AddTensor(name, OnnxType::kInt64, shape, AsBytes(values));
}

void OnnxGraph::AddNode(std::string_view op, const std::vector<std::string>& inputs,
                        std::string_view output, const std::vector<Attribute>& attributes,
                        std::string_view domain) {
  WireMessage node;
  for (const std::string& input : inputs) node.Bytes(1, input);
  node.Bytes(2, output);
  node.Bytes(3, output);
  node.Bytes(4, op);
  for (const Attribute& attribute : attributes) node.Message(5, attribute.message);
  if (!domain.empty()) node.Bytes(7, domain);
  graph_.Message(1, node);
}

void OnnxGraph::AddMetadata(std::string_view key, std::string_view value) {
  WireMessage entry;
  entry.Bytes(1, key);
  entry.Bytes(2, value);
  metadata_.Message(14, entry);
}

std::string OnnxGraph::Finish(std::string_view name) const {
  WireMessage graph = graph_;
  graph.Bytes(2, name);
  WireMessage model;
  model.Varint(1, kIrVersion);
  model.Bytes(2, "braid");
  model.Message(7, graph);
  for (const auto& [domain, version] :
       {std::pair<std::string_view, uint64_t>{"", kOpset}, {kMlDomain, kMlOpset}}) {
    WireMessage opset;
    opset.Bytes(1, domain);
    opset.Varint(2, version);
    model.Message(8, opset);
  }
  return model.bytes() + metadata_.bytes();
}

}  // namespace braid::ml
