// SPDX-License-Identifier: Apache-2.0
#include "ml/remote/remote_response.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "base/error.h"

namespace braid::ml {

namespace {

using Json = nlohmann::json;

[[noreturn]] void Refuse(const std::string& what) {
  throw Error(ErrorCode::kRemoteServer, "The server's answer cannot be used: " + what);
}

std::string Shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 40 ? text.substr(0, 40) + "…" : text;
}

bool IsOfFamily(const std::string& datatype, RemoteFamily family) {
  switch (family) {
    case RemoteFamily::kBoolean:
      return datatype == "BOOL";
    case RemoteFamily::kInteger:
      return datatype.starts_with("INT") || datatype.starts_with("UINT");
    case RemoteFamily::kNumber:
      return datatype.starts_with("FP");
    case RemoteFamily::kText:
      break;
  }
  return datatype == "BYTES";
}

class OutputReader {
 public:
  OutputReader(const RemotePort& port, const Json& output, size_t rows)
      : port_(port), output_(output), rows_(rows) {}

  RemoteValues Read() {
    const std::string datatype = Text("datatype");
    if (!IsOfFamily(datatype, port_.family))
      Refuse(fmt::format("output {} is {}, not {}", port_.name, datatype, port_.datatype));
    const std::vector<int64_t> shape = Shape();
    Flatten(output_.at("data"), 0);
    const size_t count = values_.integers.size() + values_.numbers.size() + values_.texts.size();
    CheckCount(shape, count);
    values_.width = count / rows_;
    return std::move(values_);
  }

 private:
  std::string Text(const char* key) const {
    if (!output_.contains(key) || !output_.at(key).is_string())
      Refuse(fmt::format("output {} has no {}", port_.name, key));
    return output_.at(key).get<std::string>();
  }

  std::vector<int64_t> Shape() const {
    std::vector<int64_t> shape;
    const bool is_list = output_.contains("shape") && output_.at("shape").is_array();
    if (!is_list || !output_.contains("data"))
      Refuse(fmt::format("output {} has no {}", port_.name, is_list ? "data" : "shape"));
    for (const Json& length : output_.at("shape")) {
      if (!length.is_number_integer() || length.get<int64_t>() < 0)
        Refuse(fmt::format("output {} has the shape {}", port_.name, Shown(output_.at("shape"))));
      shape.push_back(length.get<int64_t>());
    }
    return shape;
  }

  // The values stand in a flat list, or in lists of lists.
  void Flatten(const Json& data, int depth) {
    if (!data.is_array() || depth > 16)
      Refuse(fmt::format("the data of output {} is no list", port_.name));
    for (const Json& value : data) {
      if (value.is_array())
        Flatten(value, depth + 1);
      else
        Append(value);
    }
  }

  void Append(const Json& value) {
    bool fits = false;
    switch (port_.family) {
      case RemoteFamily::kBoolean:
        fits = value.is_boolean();
        if (fits) values_.integers.push_back(value.get<bool>() ? 1 : 0);
        break;
      case RemoteFamily::kInteger:
        fits = value.is_number_integer() &&
               (!value.is_number_unsigned() ||
                value.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
        if (fits) values_.integers.push_back(value.get<int64_t>());
        break;
      case RemoteFamily::kNumber:
        fits = value.is_number() && std::isfinite(value.get<double>());
        if (fits) values_.numbers.push_back(value.get<double>());
        break;
      case RemoteFamily::kText:
        fits = value.is_string();
        if (fits) values_.texts.push_back(value.get<std::string>());
        break;
    }
    if (!fits)
      Refuse(fmt::format("output {} holds {} where {} belongs", port_.name, Shown(value),
                         port_.datatype));
  }

  void CheckCount(const std::vector<int64_t>& shape, size_t count) const {
    size_t told = 1;
    for (const int64_t length : shape)
      if (__builtin_mul_overflow(told, static_cast<size_t>(length), &told)) told = SIZE_MAX;
    if (shape.empty() || static_cast<size_t>(shape[0]) != rows_)
      Refuse(fmt::format("output {} has the shape [{}] for {} rows", port_.name,
                         fmt::join(shape, ", "), rows_));
    if (told != count)
      Refuse(fmt::format("output {} has {} values, but the shape [{}]", port_.name, count,
                         fmt::join(shape, ", ")));
    size_t wanted = 1;
    bool is_open = false;
    for (const int64_t length : port_.shape) {
      is_open = is_open || length < 0;
      wanted *= length < 0 ? 1 : static_cast<size_t>(length);
    }
    const size_t width = count / rows_;
    if (is_open ? width % wanted != 0 : width != wanted)
      Refuse(fmt::format("output {} has {} values a row, not {}", port_.name, width, wanted));
  }

  const RemotePort& port_;
  const Json& output_;
  size_t rows_;
  RemoteValues values_;
};

}  // namespace

std::vector<RemoteValues> ReadInferResponse(const RemoteSignature& signature, std::string_view body,
                                            size_t rows) {
  Json json;
  try {
    json = Json::parse(body);
  } catch (const Json::parse_error& error) {
    Refuse(fmt::format("it is no JSON (byte {})", error.byte));
  } catch (const Json::exception&) {
    Refuse("it holds a number that is none of JSON's");
  }
  if (!json.is_object() || !json.contains("outputs") || !json["outputs"].is_array())
    Refuse("it has no outputs");
  std::vector<RemoteValues> values;
  for (const RemotePort& port : signature.outputs) {
    const Json* found = nullptr;
    for (const Json& output : json["outputs"])
      if (output.is_object() && output.contains("name") && output["name"] == port.name)
        found = &output;
    if (found == nullptr) Refuse("it lacks output " + port.name);
    values.push_back(OutputReader(port, *found, rows).Read());
  }
  return values;
}

}  // namespace braid::ml
