// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace braid::ml {

// A protocol-buffers message under construction: only what ONNX files need of the wire format.
class WireMessage {
 public:
  void Varint(uint32_t field, uint64_t value);
  void Bytes(uint32_t field, std::string_view bytes);
  void Message(uint32_t field, const WireMessage& message) { Bytes(field, message.bytes_); }
  void PackedIntegers(uint32_t field, const std::vector<int64_t>& values);
  const std::string& bytes() const { return bytes_; }

 private:
  void Raw(uint64_t value);
  std::string bytes_;
};

enum class OnnxType : uint8_t { kInt64 = 7, kString = 8, kDouble = 11 };

// Builds an ONNX file (IR 8, opset 17, ai.onnx.ml 3) node by node, in the order of evaluation. The
// caller sees to it that names are unique.
class OnnxGraph {
 public:
  struct Attribute {
    static Attribute Integer(std::string_view name, int64_t value);
    static Attribute String(std::string_view name, std::string_view value);
    static Attribute Integers(std::string_view name, const std::vector<int64_t>& values);
    static Attribute Strings(std::string_view name, const std::vector<std::string>& values);
    WireMessage message;
  };
  static constexpr std::string_view kMlDomain = "ai.onnx.ml";

  // A dimension of -1 is the number of rows, known only when the model runs.
  void AddInput(std::string_view name, OnnxType type, const std::vector<int64_t>& shape);
  void AddOutput(std::string_view name, OnnxType type, const std::vector<int64_t>& shape);
  void AddConstant(std::string_view name, const std::vector<int64_t>& shape,
                   const std::vector<double>& values);
  void AddConstant(std::string_view name, const std::vector<int64_t>& shape,
                   const std::vector<int64_t>& values);
  void AddNode(std::string_view op, const std::vector<std::string>& inputs, std::string_view output,
               const std::vector<Attribute>& attributes = {}, std::string_view domain = "");
  void AddMetadata(std::string_view key, std::string_view value);
  std::string Finish(std::string_view name) const;

 private:
  void AddTensor(std::string_view name, OnnxType type, const std::vector<int64_t>& shape,
                 std::string_view raw);

  WireMessage graph_;
  WireMessage metadata_;
};

}  // namespace braid::ml
