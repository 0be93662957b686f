// SPDX-License-Identifier: Apache-2.0
#include "ml/remote/remote_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "base/error.h"

namespace braid::ml {

namespace {

using Json = nlohmann::json;

[[noreturn]] void Refuse(const RemotePort& port, std::string_view why) {
  throw Error(ErrorCode::kModelInput,
              fmt::format("An input of the remote model cannot be sent: {} {}", port.column, why));
}

struct Range {
  std::string_view datatype;
  int64_t least;
  int64_t most;
};
constexpr std::array<Range, 6> kRanges = {
    {{"INT8", std::numeric_limits<int8_t>::min(), std::numeric_limits<int8_t>::max()},
     {"INT16", std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max()},
     {"INT32", std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()},
     {"UINT8", 0, std::numeric_limits<uint8_t>::max()},
     {"UINT16", 0, std::numeric_limits<uint16_t>::max()},
     {"UINT32", 0, std::numeric_limits<uint32_t>::max()}}};

void AppendInteger(const RemotePort& port, int64_t value, std::string& data) {
  for (const Range& range : kRanges)
    if (range.datatype == port.datatype && (value < range.least || value > range.most))
      Refuse(port, fmt::format("is {}, beyond {}", value, port.datatype));
  fmt::format_to(std::back_inserter(data), "{},", value);
}

void AppendNumber(const RemotePort& port, double value, std::string& data) {
  if (std::isinf(value)) Refuse(port, "is infinite, which JSON has no form for");
  if (port.datatype == "FP32" && std::abs(value) > std::numeric_limits<float>::max())
    Refuse(port, fmt::format("is {}, beyond FP32", value));
  fmt::format_to(std::back_inserter(data), "{},", value);
}

}  // namespace

InferRequest::InferRequest(const RemoteSignature& signature)
    : signature_(signature), columns_(signature.inputs.size()) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    int64_t width = 1;
    for (const int64_t length : signature.inputs[i].shape) width *= length;
    columns_[i].width = width < 0 ? 0 : static_cast<size_t>(width);
  }
}

bool InferRequest::AddList(const RemotePort& port, std::string_view list, Column& column) const {
  // DuckDB writes NaN and infinities of lists as words that are no JSON.
  const Json values = Json::parse(list, nullptr, false);
  if (!values.is_array()) Refuse(port, "holds NaN or an infinity, which JSON has no form for");
  int64_t fixed = 1;  // the values that a step of the open dimension holds
  for (const int64_t length : port.shape) fixed *= length < 0 ? 1 : length;
  if (column.width == 0 && !values.empty()) column.width = values.size();
  if (values.empty() || values.size() != column.width ||
      values.size() % static_cast<size_t>(fixed) != 0)
    Refuse(port, fmt::format("has {} values, not {}", values.size(),
                             column.width == 0 ? "one or more" : std::to_string(column.width)));
  for (const Json& value : values) {
    if (value.is_null()) return false;
    switch (port.family) {
      case RemoteFamily::kBoolean:
        column.data += value.get<bool>() ? "true," : "false,";
        break;
      case RemoteFamily::kInteger:
        AppendInteger(port, value.get<int64_t>(), column.data);
        break;
      case RemoteFamily::kNumber:
        AppendNumber(port, value.get<double>(), column.data);
        break;
      case RemoteFamily::kText:
        column.data += value.dump() + ",";
        break;
    }
  }
  return true;
}

bool InferRequest::AddValue(const RemotePort& port, const ColumnView& view, size_t row,
                            Column& column) const {
  if (!view.IsValid(row)) return false;
  if (port.is_list) return AddList(port, view.strings()[row], column);
  switch (port.family) {
    case RemoteFamily::kBoolean:
      column.data += view.booleans()[row] ? "true," : "false,";
      return true;
    case RemoteFamily::kInteger:
      AppendInteger(port, view.integers()[row], column.data);
      return true;
    case RemoteFamily::kNumber:
      if (std::isnan(view.doubles()[row])) return false;
      AppendNumber(port, view.doubles()[row], column.data);
      return true;
    case RemoteFamily::kText:
      column.data += Json(view.strings()[row]).dump() + ",";
      return true;
  }
  return false;
}

bool InferRequest::Add(const Batch& inputs, size_t row) {
  std::vector<std::pair<size_t, size_t>> before;  // length of the data, width
  for (const Column& column : columns_) before.emplace_back(column.data.size(), column.width);
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (AddValue(signature_.inputs[i], inputs.columns[i], row, columns_[i])) continue;
    for (size_t k = 0; k <= i; ++k) {
      columns_[k].data.resize(before[k].first);
      columns_[k].width = before[k].second;
    }
    return false;
  }
  ++rows_;
  return true;
}

std::string InferRequest::Body() const {
  std::string body = R"({"inputs":[)";
  for (size_t i = 0; i < columns_.size(); ++i) {
    const RemotePort& port = signature_.inputs[i];
    std::vector<int64_t> shape = {static_cast<int64_t>(rows_)};
    int64_t fixed = 1;
    for (const int64_t length : port.shape) fixed *= length < 0 ? 1 : length;
    for (const int64_t length : port.shape)
      shape.push_back(length < 0 ? static_cast<int64_t>(columns_[i].width) / fixed : length);
    fmt::format_to(std::back_inserter(body),
                   R"({}{{"name":{},"shape":[{}],"datatype":"{}","data":[)", i == 0 ? "" : ",",
                   Json(port.name).dump(), fmt::join(shape, ","), port.datatype);
    body.append(columns_[i].data, 0, columns_[i].data.size() - 1);
    body += "]}";
  }
  body += R"(],"outputs":[)";
  for (size_t i = 0; i < signature_.outputs.size(); ++i)
    fmt::format_to(std::back_inserter(body), R"({}{{"name":{}}})", i == 0 ? "" : ",",
                   Json(signature_.outputs[i].name).dump());
  return body + "]}";
}

}  // namespace braid::ml
