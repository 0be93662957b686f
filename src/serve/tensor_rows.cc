// SPDX-License-Identifier: Apache-2.0
#include "serve/tensor_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "serve/json_field.h"
#include "serve/request_values.h"
#include "serve/tensor_schema.h"

namespace braid::serve {

namespace {

constexpr size_t kShownValue = 100;

Error Malformed(std::string message, std::string hint = "") {
  return Error(ErrorCode::kMalformedRequest, std::move(message), std::move(hint));
}

std::string ShapeText(const std::vector<size_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

// A value as JSON, for messages and for rows that are kept as they came.
std::string Rendered(TensorType type, const JsonValue& value) {
  std::string text;
  const auto* bytes = std::get_if<std::string>(&value);
  if (type == TensorType::kBytes && bytes != nullptr && !IsUtf8(*bytes)) return "\"…\"";
  AppendJson(type, value, text);
  return text;
}

// Numbers as FieldReader takes them; an FP32 by the digits that give the same FP32.
std::optional<JsonValue> ReadDouble(const FieldReader& reader, TensorType type, double value) {
  if (std::isnan(value)) return reader.ReadText("NaN");
  if (std::isinf(value)) return reader.ReadText(value > 0 ? "Infinity" : "-Infinity");
  const std::string digits = type == TensorType::kFp32
                                 ? fmt::format("{}", static_cast<float>(value))
                                 : fmt::format("{}", value);
  return reader.ReadNumber(JsonTape::Kind::kFloat, digits);
}

// How one parameter reads elements.
class ElementReader {
 public:
  explicit ElementReader(const FieldType& parameter)
      : reader_(parameter.sql_type), form_(FormOf(parameter.sql_type)) {}

  std::optional<JsonValue> Read(TensorType type, const JsonValue& value) const {
    if (const auto* text = std::get_if<std::string>(&value))
      return type == TensorType::kBytes ? ReadBytes(*text)
                                        : reader_.ReadNumber(JsonTape::Kind::kInteger, *text);
    if (const bool* flag = std::get_if<bool>(&value)) return reader_.ReadBoolean(*flag);
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      if (form_ == ValueForm::kDouble) return static_cast<double>(*integer);
      const fmt::format_int digits(*integer);
      return reader_.ReadNumber(JsonTape::Kind::kInteger, {digits.data(), digits.size()});
    }
    if (const auto* number = std::get_if<double>(&value)) {
      // An FP32 in a DOUBLE is that FP32, widened.
      if (form_ == ValueForm::kDouble && type != TensorType::kFp64) return *number;
      return ReadDouble(reader_, type, *number);
    }
    return JsonValue();
  }

  std::string Expectation() const { return reader_.Expectation(); }

 private:
  std::optional<JsonValue> ReadBytes(const std::string& text) const {
    if (form_ == ValueForm::kBlob) return text;
    if (!IsUtf8(text)) return std::nullopt;
    if (form_ != ValueForm::kJson) return reader_.ReadText(text);
    try {
      return reader_.Read(JsonTape(text, kMaxJsonDepth), JsonTape::kRoot);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  FieldReader reader_;
  ValueForm form_;
};

// The elements of each row that are one parameter's value.
struct Column {
  const Tensor* tensor = nullptr;  // null: NULL in every row
  size_t first = 0;                // of row 0
  size_t stride = 0;               // from row to row
  bool is_list = false;
};

class RowReader {
 public:
  RowReader(const std::vector<Tensor>& inputs, const std::vector<FieldType>& parameters)
      : inputs_(inputs), parameters_(parameters) {
    for (const FieldType& parameter : parameters) readers_.emplace_back(parameter);
    columns_.resize(parameters.size());
  }

  std::vector<DecodedRow> Read() {
    const size_t count = CountRows();
    if (inputs_.size() == 1 && !Find(inputs_[0].name)) {
      TakeMatrix(inputs_[0]);
    } else {
      for (const Tensor& input : inputs_) TakeColumn(input);
    }
    std::vector<DecodedRow> rows;
    rows.reserve(count);
    for (size_t i = 0; i < count; ++i) rows.push_back(ReadRow(i));
    return rows;
  }

 private:
  size_t CountRows() const {
    if (inputs_.empty()) throw Malformed("The request has no inputs");
    for (const Tensor& input : inputs_) {
      if (input.shape.empty())
        throw Malformed("An input has no dimension: " + input.name,
                        "the first dimension is the row: [1] for one row");
      if (input.shape[0] != inputs_[0].shape[0])
        throw Malformed(fmt::format("Inputs have different numbers of rows: {} {}, {} {}",
                                    inputs_[0].name, inputs_[0].shape[0], input.name,
                                    input.shape[0]));
    }
    if (inputs_[0].shape[0] > kMaxRequestRows)
      throw Error(ErrorCode::kTooLarge,
                  fmt::format("A request may have {} rows, this has {}", kMaxRequestRows,
                              inputs_[0].shape[0]),
                  "send them in several requests");
    return inputs_[0].shape[0];
  }

  std::optional<size_t> Find(std::string_view name) const {
    for (size_t i = 0; i < parameters_.size(); ++i)
      if (parameters_[i].name == name) return i;
    return std::nullopt;
  }

  static size_t Width(const Tensor& tensor) {
    size_t width = 1;
    for (size_t i = 1; i < tensor.shape.size(); ++i) width *= tensor.shape[i];
    return width;
  }

  void TakeColumn(const Tensor& tensor) {
    const std::optional<size_t> index = Find(tensor.name);
    if (!index) throw Unknown(tensor.name);
    Take(tensor, *index);
  }

  void Take(const Tensor& tensor, size_t index) {
    const FieldType& parameter = parameters_[index];
    const bool is_list = TensorFormOf(parameter.sql_type).lists > 0;
    if (is_list ? tensor.shape.size() < 2 : Width(tensor) != 1)
      throw Malformed(
          fmt::format("Input {} has the shape {}", tensor.name, ShapeText(tensor.shape)),
          is_list ? fmt::format("it is {}: [rows, elements]", parameter.sql_type)
                  : "it is one value a row: [rows] or [rows, 1]");
    columns_[index] = {&tensor, 0, Width(tensor), is_list};
  }

  // All parameters in one tensor.
  void TakeMatrix(const Tensor& tensor) {
    if (parameters_.size() == 1) return Take(tensor, 0);
    if (tensor.shape.size() != 2 || tensor.shape[1] != parameters_.size())
      throw Unknown(tensor.name);
    for (size_t i = 0; i < parameters_.size(); ++i) {
      if (TensorFormOf(parameters_[i].sql_type).lists > 0) throw Unknown(tensor.name);
      columns_[i] = {&tensor, i, parameters_.size(), false};
    }
  }

  Error Unknown(const std::string& name) const {
    std::vector<std::string> known;
    for (const FieldType& parameter : parameters_) known.push_back(parameter.name);
    const std::string shown = name.substr(0, kShownValue);
    const auto closest = ClosestMatch(shown, known);
    return Malformed("Unknown input: " + shown,
                     closest ? fmt::format("did you mean {}?", *closest)
                             : fmt::format("the inputs are {}; or send one input [rows, {}] with a "
                                           "column for each",
                                           fmt::join(known, ", "), known.size()));
  }

  DecodedRow ReadRow(size_t number) {
    DecodedRow row;
    for (size_t i = 0; i < columns_.size() && !row.error; ++i) {
      const Column& column = columns_[i];
      if (column.tensor == nullptr) {
        row.values.emplace_back();
      } else if (column.is_list) {
        row.values.emplace_back(ListText(column, number));
      } else {
        const JsonValue& given = column.tensor->values[number * column.stride + column.first];
        std::optional<JsonValue> value = readers_[i].Read(column.tensor->type, given);
        if (value) {
          row.values.push_back(*std::move(value));
        } else {
          row.error = WrongType(i, number, column.tensor->type, given);
        }
      }
    }
    if (row.error) {
      row.values.clear();
      row.input_json = AsGiven(number);
    }
    return row;
  }

  Error WrongType(size_t index, size_t row, TensorType type, const JsonValue& given) const {
    std::string shown = Rendered(type, given);
    if (shown.size() > kShownValue) shown = "";
    const std::string expectation = readers_[index].Expectation();
    return Error(ErrorCode::kWrongType,
                 fmt::format("Wrong type in row {}: input {} takes {}, got {} {}", row,
                             parameters_[index].name, parameters_[index].sql_type,
                             TensorTypeName(type), shown),
                 expectation.empty()
                     ? std::string()
                     : fmt::format("{} is {}", parameters_[index].sql_type, expectation));
  }

  std::string ListText(const Column& column, size_t row) const {
    std::string text;
    size_t at = row * column.stride;
    AppendList(*column.tensor, 1, at, text);
    return text;
  }

  static void AppendList(const Tensor& tensor, size_t dimension, size_t& at, std::string& out) {
    if (dimension == tensor.shape.size()) {
      out += Rendered(tensor.type, tensor.values[at++]);
      return;
    }
    out += '[';
    for (size_t i = 0; i < tensor.shape[dimension]; ++i) {
      if (i > 0) out += ',';
      AppendList(tensor, dimension + 1, at, out);
    }
    out += ']';
  }

  std::string AsGiven(size_t row) const {
    std::string text;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = columns_[i];
      text += text.empty() ? '{' : ',';
      AppendJsonString(parameters_[i].name, text);
      text += ':';
      if (column.tensor == nullptr) {
        text += "null";
      } else if (column.is_list) {
        text += ListText(column, row);
      } else {
        text += Rendered(column.tensor->type,
                         column.tensor->values[row * column.stride + column.first]);
      }
    }
    return text + "}";
  }

  const std::vector<Tensor>& inputs_;
  const std::vector<FieldType>& parameters_;
  std::vector<ElementReader> readers_;
  std::vector<Column> columns_;
};

}  // namespace

std::vector<DecodedRow> RowsOf(const std::vector<Tensor>& inputs,
                               const std::vector<FieldType>& parameters) {
  return RowReader(inputs, parameters).Read();
}

Tensor RawTensor(std::string_view body, const std::vector<FieldType>& parameters) {
  if (parameters.size() != 1)
    throw Malformed(fmt::format("A raw body is one input, and there are {}", parameters.size()),
                    "send the tensors behind JSON, with its size in "
                    "Inference-Header-Content-Length");
  const TensorForm form = TensorFormOf(parameters[0].sql_type);
  Tensor tensor{.name = parameters[0].name, .type = form.type, .shape = {1}, .values = {}};
  if (form.type == TensorType::kBytes && form.lists == 0) {
    tensor.values.emplace_back(std::string(body));
    return tensor;
  }
  if (form.type == TensorType::kBytes || form.lists > 1)
    throw Malformed("A raw body cannot say the shape of the input: " + tensor.name,
                    "send the tensor behind JSON that says it");
  const size_t count = body.size() / ElementSize(form.type);
  if (form.lists == 1) tensor.shape.push_back(count);
  std::optional<std::vector<JsonValue>> values =
      ReadElements(form.type, body, form.lists == 1 ? count : 1);
  if (!values)
    throw Malformed(fmt::format("The body is not {} of type {}",
                                form.lists == 1 ? "elements" : "one element",
                                TensorTypeName(form.type)));
  tensor.values = *std::move(values);
  return tensor;
}

}  // namespace braid::serve
