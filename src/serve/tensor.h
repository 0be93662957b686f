// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/json_tape.h"
#include "serve/request_json.h"

namespace braid::serve {

// The element types of the Open Inference Protocol.
enum class TensorType : uint8_t {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFp16,
  kFp32,
  kFp64,
  kBytes
};

std::string_view TensorTypeName(TensorType type);  // "INT32"
std::optional<TensorType> FindTensorType(std::string_view name);
size_t ElementSize(TensorType type);  // in bytes; 0 for BYTES, whose elements have their own
bool IsFloat(TensorType type);

// A tensor with its elements in row-major order: bool of BOOL; int64_t of INT8 to UINT32, of UINT64
// too where it fits, else its digits; double of FP16 to FP64; the bytes of BYTES; NULL where JSON
// has null.
struct Tensor {
  std::string name;
  TensorType type = TensorType::kBytes;
  std::vector<size_t> shape;
  std::vector<JsonValue> values;
};

// The number of elements; nothing when it does not fit a size_t.
std::optional<size_t> ElementCount(const std::vector<size_t>& shape);

// One element as JSON has it: nothing when it does not fit the type. "NaN", "Infinity" and
// "-Infinity" are floats; 0 and 1 are BOOL too.
std::optional<JsonValue> ReadElement(TensorType type, const JsonTape& tape, JsonTape::Index node);

// Elements in the protocol's binary form: little-endian, a byte for BOOL, a 32-bit length before
// each of BYTES. Nothing when the bytes are not exactly `count` elements.
std::optional<std::vector<JsonValue>> ReadElements(TensorType type, std::string_view bytes,
                                                   size_t count);

// Appends an element that is not NULL in binary form; FP16 is read only.
void AppendBinary(TensorType type, const JsonValue& value, std::string& out);

// Appends an element as JSON: NULL and NaN as null, infinities as strings.
void AppendJson(TensorType type, const JsonValue& value, std::string& out);

}  // namespace braid::serve
