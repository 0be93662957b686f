// SPDX-License-Identifier: Apache-2.0
#include "ml/onnx/onnx_session.h"

#include <fmt/format.h>
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/error.h"

namespace braid::ml {

namespace {

const OrtApi& Api() {
  static const OrtApi* const api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  BRAID_CHECK(api != nullptr);
  return *api;
}

// Frees what the library made.
struct Release {
  void operator()(OrtSession* it) const { Api().ReleaseSession(it); }
  void operator()(OrtSessionOptions* it) const { Api().ReleaseSessionOptions(it); }
  void operator()(OrtTypeInfo* it) const { Api().ReleaseTypeInfo(it); }
  void operator()(OrtTensorTypeAndShapeInfo* it) const { Api().ReleaseTensorTypeAndShapeInfo(it); }
  void operator()(OrtValue* it) const { Api().ReleaseValue(it); }
  void operator()(OrtModelMetadata* it) const { Api().ReleaseModelMetadata(it); }
  void operator()(OrtStatus* it) const { Api().ReleaseStatus(it); }
};
template <typename Handle>
using Owned = std::unique_ptr<Handle, Release>;

void Check(OrtStatus* status, ErrorCode code = ErrorCode::kModelImport) {
  if (status == nullptr) return;
  const Owned<OrtStatus> owned(status);
  throw Error(code, fmt::format("ONNX Runtime: {}", Api().GetErrorMessage(status)));
}

// One for the process, made when it is first needed (20 to 50 ms) and never freed: sessions may
// live until the end.
OrtEnv* Environment() {
  static OrtEnv* const environment = [] {
    OrtEnv* made = nullptr;
    Check(Api().CreateEnv(ORT_LOGGING_LEVEL_FATAL, "braid", &made));
    return made;
  }();
  return environment;
}

// A text that the library has allocated.
std::string TakeText(OrtAllocator* allocator, char* text) {
  std::string copy = text == nullptr ? "" : text;
  if (text != nullptr) Check(Api().AllocatorFree(allocator, text));
  return copy;
}

OnnxElement ElementOf(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return OnnxElement::kFloat;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return OnnxElement::kDouble;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return OnnxElement::kInt32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return OnnxElement::kInt64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return OnnxElement::kBool;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      return OnnxElement::kString;
    default:
      return OnnxElement::kOther;
  }
}

std::vector<int64_t> ShapeOf(const OrtTensorTypeAndShapeInfo* info) {
  size_t count = 0;
  Check(Api().GetDimensionsCount(info, &count));
  std::vector<int64_t> shape(count);
  Check(Api().GetDimensions(info, shape.data(), count));
  return shape;
}

void Describe(const OrtTypeInfo* type, OnnxPort& port) {
  const OrtTensorTypeAndShapeInfo* info = nullptr;  // belongs to `type`
  Check(Api().CastTypeInfoToTensorInfo(type, &info));
  if (info == nullptr) return;  // a sequence or a map
  ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  Check(Api().GetTensorElementType(info, &element));
  port.element = ElementOf(element);
  port.shape = ShapeOf(info);
}

template <typename Element>
Element FromDouble(double value) {
  if constexpr (std::is_same_v<Element, bool>) {
    return value != 0;
  } else if constexpr (std::is_integral_v<Element>) {
    constexpr double kEnd = std::is_same_v<Element, int32_t> ? 0x1p31 : 0x1p63;
    if (!(value == std::trunc(value) && value >= -kEnd && value < kEnd))
      throw Error(ErrorCode::kModelInput, fmt::format("The model takes integers here: {}", value),
                  "round or cast the column");
    return static_cast<Element>(value);
  } else {
    return static_cast<Element>(value);
  }
}

template <typename Element>
Owned<OrtValue> NumbersTensor(OrtAllocator* allocator, ONNXTensorElementDataType type,
                              const std::vector<int64_t>& shape,
                              const std::vector<double>& values) {
  OrtValue* made = nullptr;
  Check(Api().CreateTensorAsOrtValue(allocator, shape.data(), shape.size(), type, &made));
  Owned<OrtValue> tensor(made);
  void* data = nullptr;
  Check(Api().GetTensorMutableData(made, &data));
  auto* elements = static_cast<Element*>(data);
  for (size_t n = 0; n < values.size(); ++n) elements[n] = FromDouble<Element>(values[n]);
  return tensor;
}

Owned<OrtValue> TextsTensor(OrtAllocator* allocator, const std::vector<int64_t>& shape,
                            const std::vector<std::string_view>& texts) {
  OrtValue* made = nullptr;
  Check(Api().CreateTensorAsOrtValue(allocator, shape.data(), shape.size(),
                                     ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &made));
  Owned<OrtValue> tensor(made);
  for (size_t n = 0; n < texts.size(); ++n) {
    char* buffer = nullptr;
    Check(Api().GetResizedStringTensorElementBuffer(made, n, texts[n].size(), &buffer));
    std::copy(texts[n].begin(), texts[n].end(), buffer);
  }
  return tensor;
}

Owned<OrtValue> TensorOf(OrtAllocator* allocator, OnnxElement element, const OnnxValues& values) {
  if (element == OnnxElement::kString)
    return TextsTensor(allocator, values.shape,
                       std::get<std::vector<std::string_view>>(values.values));
  const auto& numbers = std::get<std::vector<double>>(values.values);
  switch (element) {
    case OnnxElement::kFloat:
      return NumbersTensor<float>(allocator, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, values.shape,
                                  numbers);
    case OnnxElement::kInt32:
      return NumbersTensor<int32_t>(allocator, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, values.shape,
                                    numbers);
    case OnnxElement::kInt64:
      return NumbersTensor<int64_t>(allocator, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, values.shape,
                                    numbers);
    case OnnxElement::kBool:
      return NumbersTensor<bool>(allocator, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, values.shape,
                                 numbers);
    default:
      return NumbersTensor<double>(allocator, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, values.shape,
                                   numbers);
  }
}

template <typename Element>
std::vector<double> Doubles(const void* data, size_t count) {
  const auto* elements = static_cast<const Element*>(data);
  return std::vector<double>(elements, elements + count);
}

OnnxNumbers NumbersOf(OrtValue* value, const std::string& name) {
  OrtTensorTypeAndShapeInfo* made = nullptr;
  Check(Api().GetTensorTypeAndShape(value, &made), ErrorCode::kModelInput);
  const Owned<OrtTensorTypeAndShapeInfo> info(made);
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  Check(Api().GetTensorElementType(made, &type));
  size_t count = 0;
  Check(Api().GetTensorShapeElementCount(made, &count));
  void* data = nullptr;
  Check(Api().GetTensorMutableData(value, &data));
  const std::vector<int64_t> shape = ShapeOf(made);
  switch (ElementOf(type)) {
    case OnnxElement::kFloat:
      return {shape, Doubles<float>(data, count)};
    case OnnxElement::kDouble:
      return {shape, Doubles<double>(data, count)};
    case OnnxElement::kInt32:
      return {shape, Doubles<int32_t>(data, count)};
    case OnnxElement::kInt64:
      return {shape, Doubles<int64_t>(data, count)};
    case OnnxElement::kBool:
      return {shape, Doubles<bool>(data, count)};
    default:
      throw Error(ErrorCode::kModelImport, "The model's output holds no numbers: " + name);
  }
}

}  // namespace

struct OnnxSession::Handles {
  Owned<OrtSession> session;
  OrtAllocator* allocator = nullptr;  // the library's own
};

OnnxSession::OnnxSession(std::string_view file) : handles_(std::make_unique<Handles>()) {
  OrtEnv* environment = Environment();
  OrtSessionOptions* made = nullptr;
  Check(Api().CreateSessionOptions(&made));
  const Owned<OrtSessionOptions> options(made);
  Check(Api().SetIntraOpNumThreads(made, 1));
  Check(Api().SetInterOpNumThreads(made, 1));
  OrtSession* session = nullptr;
  Check(
      Api().CreateSessionFromArray(environment, file.data(), file.size(), options.get(), &session));
  handles_->session.reset(session);
  Check(Api().GetAllocatorWithDefaultOptions(&handles_->allocator));
  const auto ports = [&](auto get_count, auto get_name, auto get_type) {
    std::vector<OnnxPort> described;
    size_t count = 0;
    Check(get_count(session, &count));
    for (size_t n = 0; n < count; ++n) {
      char* name = nullptr;
      Check(get_name(session, n, handles_->allocator, &name));
      OnnxPort& port = described.emplace_back(OnnxPort{TakeText(handles_->allocator, name)});
      OrtTypeInfo* type = nullptr;
      Check(get_type(session, n, &type));
      Describe(Owned<OrtTypeInfo>(type).get(), port);
    }
    return described;
  };
  inputs_ =
      ports(Api().SessionGetInputCount, Api().SessionGetInputName, Api().SessionGetInputTypeInfo);
  outputs_ = ports(Api().SessionGetOutputCount, Api().SessionGetOutputName,
                   Api().SessionGetOutputTypeInfo);
}

OnnxSession::~OnnxSession() = default;

std::optional<std::string> OnnxSession::Metadata(const std::string& key) const {
  OrtModelMetadata* made = nullptr;
  Check(Api().SessionGetModelMetadata(handles_->session.get(), &made));
  const Owned<OrtModelMetadata> metadata(made);
  char* text = nullptr;
  Check(Api().ModelMetadataLookupCustomMetadataMap(made, handles_->allocator, key.c_str(), &text));
  if (text == nullptr) return std::nullopt;
  return TakeText(handles_->allocator, text);
}

std::vector<OnnxNumbers> OnnxSession::Run(const std::vector<OnnxValues>& values,
                                          std::span<const size_t> wanted) const {
  std::vector<Owned<OrtValue>> tensors;
  std::vector<const OrtValue*> given;
  std::vector<const char*> names;
  for (size_t n = 0; n < inputs_.size(); ++n) {
    tensors.push_back(TensorOf(handles_->allocator, inputs_[n].element, values.at(n)));
    given.push_back(tensors.back().get());
    names.push_back(inputs_[n].name.c_str());
  }
  std::vector<const char*> output_names;
  for (const size_t n : wanted) output_names.push_back(outputs_.at(n).name.c_str());
  std::vector<OrtValue*> answers(wanted.size(), nullptr);
  Check(Api().Run(handles_->session.get(), nullptr, names.data(), given.data(), given.size(),
                  output_names.data(), output_names.size(), answers.data()),
        ErrorCode::kModelInput);
  std::vector<Owned<OrtValue>> owned(answers.begin(), answers.end());
  std::vector<OnnxNumbers> numbers;
  for (size_t n = 0; n < wanted.size(); ++n)
    numbers.push_back(NumbersOf(answers[n], outputs_[wanted[n]].name));
  return numbers;
}

}  // namespace braid::ml
