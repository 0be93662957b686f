// SPDX-License-Identifier: Apache-2.0
#include "serve/infer_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/base64.h"
#include "base/error.h"

namespace braid::serve {

namespace {

using Kind = JsonTape::Kind;
using Index = JsonTape::Index;

constexpr size_t kMaxDimensions = 16;
constexpr size_t kShownName = 100;

Error Malformed(std::string message, std::string hint = "") {
  return Error(ErrorCode::kMalformedRequest, std::move(message), std::move(hint));
}

std::string Shown(std::string_view name) {
  if (name.size() <= kShownName) return std::string(name);
  size_t cut = kShownName;
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;
  return std::string(name.substr(0, cut)) + "…";
}

// The fields of one object of the request.
class Fields {
 public:
  Fields(const JsonTape& tape, Index object, std::string where)
      : tape_(tape), where_(std::move(where)) {
    if (tape.kind(object) != Kind::kObject)
      throw Malformed(
          fmt::format("{} is not an object but {}", where_, DescribeKind(tape.kind(object))));
    for (Index key = JsonTape::First(object); key < tape.Next(object); key = tape.Next(key + 1))
      nodes_.emplace(tape.text(key), key + 1);
  }

  std::optional<Index> Find(std::string_view name) const {
    const auto found = nodes_.find(name);
    if (found == nodes_.end() || tape_.kind(found->second) == Kind::kNull) return std::nullopt;
    return found->second;
  }
  std::optional<Index> Find(std::string_view name, Kind kind, std::string_view expected) const {
    const std::optional<Index> node = Find(name);
    if (node && tape_.kind(*node) != kind)
      throw Malformed(fmt::format("{}: {} takes {}, got {}", where_, name, expected,
                                  DescribeKind(tape_.kind(*node))));
    return node;
  }
  Index Require(std::string_view name, Kind kind, std::string_view expected) const {
    const std::optional<Index> node = Find(name, kind, expected);
    if (!node) throw Malformed(fmt::format("{} lacks {}", where_, name));
    return *node;
  }
  std::string_view Text(std::string_view name) const {
    return tape_.text(Require(name, Kind::kString, "a string"));
  }
  std::optional<bool> Flag(std::string_view name) const {
    const std::optional<Index> node = Find(name);
    if (!node) return std::nullopt;
    const Kind kind = tape_.kind(*node);
    if (kind != Kind::kTrue && kind != Kind::kFalse)
      throw Malformed(fmt::format("{}: {} takes true or false", where_, name));
    return kind == Kind::kTrue;
  }
  std::optional<size_t> Size(std::string_view name) const {
    const std::optional<Index> node = Find(name, Kind::kInteger, "a whole number");
    if (!node) return std::nullopt;
    size_t size = 0;
    const std::string_view text = tape_.text(*node);
    if (std::from_chars(text.data(), text.data() + text.size(), size).ec != std::errc())
      throw Malformed(fmt::format("{}: {} is out of range: {}", where_, name, Shown(text)));
    return size;
  }
  // The parameters of this object; shared memory is another machine's business.
  std::optional<Fields> Parameters() const {
    const std::optional<Index> node = Find("parameters", Kind::kObject, "an object");
    if (!node) return std::nullopt;
    Fields parameters(tape_, *node, where_ + ": parameters");
    for (const char* refused : {"shared_memory_region", "classification"})
      if (parameters.Find(refused))
        throw Error(ErrorCode::kNotSupported,
                    fmt::format("{}: {} is not available", where_, refused),
                    refused[0] == 's' ? "send the tensor in the body"
                                      : "ask for the probabilities and choose among them");
    return parameters;
  }
  const std::string& where() const { return where_; }

 private:
  const JsonTape& tape_;
  std::string where_;
  std::map<std::string_view, Index> nodes_;
};

class Reader {
 public:
  Reader(std::string_view json, std::string_view binary)
      : tape_(json, kMaxJsonDepth), binary_(binary) {}

  InferRequest Read() {
    const Fields body(tape_, JsonTape::kRoot, "The body");
    InferRequest request;
    if (body.Find("id")) request.id = std::string(body.Text("id"));
    if (const auto parameters = body.Parameters())
      request.is_binary_output = parameters->Flag("binary_data_output").value_or(false);
    const Index inputs = body.Require("inputs", Kind::kArray, "an array");
    CheckTensors(inputs);
    for (Index node = JsonTape::First(inputs); node < tape_.Next(inputs); node = tape_.Next(node)) {
      Tensor tensor = ReadInput(node, request.inputs.size());
      for (const Tensor& other : request.inputs)
        if (other.name == tensor.name)
          throw Malformed("An input comes twice: " + Shown(tensor.name));
      request.inputs.push_back(std::move(tensor));
    }
    if (!binary_.empty())
      throw Malformed(fmt::format("{} bytes follow the last binary tensor", binary_.size()),
                      "binary_data_size says how many bytes an input has");
    if (const auto outputs = body.Find("outputs", Kind::kArray, "an array"))
      ReadOutputs(*outputs, request.outputs);
    return request;
  }

 private:
  void CheckTensors(Index list) const {
    if (tape_.Count(list) > kMaxTensors)
      throw Error(ErrorCode::kTooLarge, fmt::format("A request may have {} tensors, this has {}",
                                                    kMaxTensors, tape_.Count(list)));
  }

  Tensor ReadInput(Index node, size_t number) {
    const Fields first(tape_, node, fmt::format("Input {}", number));
    Tensor tensor;
    tensor.name = std::string(first.Text("name"));
    const Fields fields(tape_, node, "Input " + Shown(tensor.name));
    const std::string_view type = fields.Text("datatype");
    const std::optional<TensorType> known = FindTensorType(type);
    if (!known)
      throw Malformed(fmt::format("{}: unknown datatype {}", fields.where(), Shown(type)),
                      "the datatypes are BOOL, INT8 to INT64, UINT8 to UINT64, FP16, FP32, FP64 "
                      "and BYTES");
    tensor.type = *known;
    tensor.shape = ReadShape(fields);
    const std::optional<size_t> count = ElementCount(tensor.shape);
    // Sizes beside a size of 0 count too, since text of such a tensor has their brackets.
    std::vector<size_t> sizes = tensor.shape;
    std::erase(sizes, 0);
    const std::optional<size_t> work = ElementCount(sizes);
    if (!work || *work > kMaxTensorElements - std::min(kMaxTensorElements, elements_))
      throw Error(ErrorCode::kTooLarge,
                  fmt::format("The inputs have more than {} elements", kMaxTensorElements),
                  "send fewer rows in a request");
    elements_ += *work;
    const std::optional<Fields> parameters = fields.Parameters();
    const auto size = parameters ? parameters->Size("binary_data_size") : std::nullopt;
    if (size) {
      ReadBinary(fields, *size, *count, tensor);
    } else {
      ReadData(fields, *count, tensor);
      if (parameters && IsBase64(*parameters)) DecodeTexts(fields, tensor);
    }
    return tensor;
  }

  std::vector<size_t> ReadShape(const Fields& fields) const {
    const Index shape = fields.Require("shape", Kind::kArray, "an array");
    std::vector<size_t> sizes;
    for (Index node = JsonTape::First(shape); node < tape_.Next(shape); node = tape_.Next(node)) {
      const std::string_view text = tape_.text(node);
      size_t size = 0;
      if (tape_.kind(node) != Kind::kInteger || sizes.size() == kMaxDimensions ||
          std::from_chars(text.data(), text.data() + text.size(), size).ec != std::errc())
        throw Malformed(fmt::format("{}: the shape is not at most {} whole numbers from 0",
                                    fields.where(), kMaxDimensions));
      sizes.push_back(size);
    }
    return sizes;
  }

  void ReadBinary(const Fields& fields, size_t size, size_t count, Tensor& tensor) {
    if (fields.Find("data"))
      throw Malformed(fields.where() + " has both data and binary_data_size");
    if (size > binary_.size())
      throw Malformed(fmt::format("{}: binary_data_size is {}, {} bytes are left", fields.where(),
                                  size, binary_.size()),
                      "Inference-Header-Content-Length is the size of the JSON in front");
    std::optional<std::vector<JsonValue>> values =
        ReadElements(tensor.type, binary_.substr(0, size), count);
    if (!values)
      throw Malformed(fmt::format("{}: {} bytes are not the {} elements of its shape",
                                  fields.where(), size, count));
    tensor.values = *std::move(values);
    binary_.remove_prefix(size);
  }

  void ReadData(const Fields& fields, size_t count, Tensor& tensor) const {
    const Index data = fields.Require("data", Kind::kArray, "an array");
    // Nested or flat: the elements stand in the same order, and what is in between are brackets.
    for (Index node = JsonTape::First(data); node < tape_.Next(data);) {
      if (tape_.kind(node) == Kind::kArray) {
        ++node;
        continue;
      }
      if (tensor.values.size() == count) throw WrongCount(fields, count);
      std::optional<JsonValue> value = ReadElement(tensor.type, tape_, node);
      if (!value)
        throw Malformed(fmt::format("{}: element {} is not {}: {} {}", fields.where(),
                                    tensor.values.size(), TensorTypeName(tensor.type),
                                    DescribeKind(tape_.kind(node)), Shown(Digits(node))));
      tensor.values.push_back(*std::move(value));
      node = tape_.Next(node);
    }
    if (tensor.values.size() != count) throw WrongCount(fields, count);
  }

  std::string_view Digits(Index node) const {
    const Kind kind = tape_.kind(node);
    const bool has_text = kind == Kind::kInteger || kind == Kind::kFloat || kind == Kind::kString;
    return has_text ? tape_.text(node) : std::string_view();
  }

  static Error WrongCount(const Fields& fields, size_t count) {
    return Malformed(
        fmt::format("{}: data has not the {} elements of its shape", fields.where(), count));
  }

  bool IsBase64(const Fields& parameters) const {
    const std::optional<Index> type = parameters.Find("content_type");
    return type && tape_.kind(*type) == Kind::kString && tape_.text(*type) == "base64";
  }

  static void DecodeTexts(const Fields& fields, Tensor& tensor) {
    if (tensor.type != TensorType::kBytes) return;
    for (JsonValue& value : tensor.values) {
      auto* text = std::get_if<std::string>(&value);
      if (text == nullptr) continue;
      std::optional<std::string> bytes = DecodeBase64(*text);
      if (!bytes) throw Malformed(fields.where() + ": an element is not base64 with padding");
      *text = *std::move(bytes);
    }
  }

  void ReadOutputs(Index list, std::vector<RequestedOutput>& outputs) const {
    CheckTensors(list);
    for (Index node = JsonTape::First(list); node < tape_.Next(list); node = tape_.Next(node)) {
      const Fields fields(tape_, node, fmt::format("Output {}", outputs.size()));
      RequestedOutput output{.name = std::string(fields.Text("name")), .is_binary = {}};
      if (const auto parameters = fields.Parameters())
        output.is_binary = parameters->Flag("binary_data");
      outputs.push_back(std::move(output));
    }
  }

  JsonTape tape_;
  std::string_view binary_;
  size_t elements_ = 0;
};

}  // namespace

InferRequest DecodeInferRequest(std::string_view body, std::optional<size_t> json_size) {
  const size_t size = json_size.value_or(body.size());
  if (size > body.size())
    throw Malformed(fmt::format("Inference-Header-Content-Length is {}, the body has {} bytes",
                                size, body.size()),
                    "it is the size of the JSON in front of the binary tensors");
  return Reader(body.substr(0, size), body.substr(size)).Read();
}

std::optional<size_t> ParseJsonSize(std::string_view header) {
  if (header.empty()) return std::nullopt;
  size_t size = 0;
  const char* end = header.data() + header.size();
  const auto [stop, ec] = std::from_chars(header.data(), end, size);
  if (ec != std::errc() || stop != end)
    throw Malformed("Inference-Header-Content-Length is not a whole number: " + Shown(header));
  return size;
}

}  // namespace braid::serve
