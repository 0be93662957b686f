// SPDX-License-Identifier: Apache-2.0
// Metadata of models: https://github.com/kserve/open-inference-protocol, inference_rest.md.
#include "ml/remote/remote_signature.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "ml/artefact_json.h"

namespace braid::ml {

namespace {

using Json = nlohmann::json;

struct Datatype {
  std::string_view name;  // the protocol's
  std::string_view type;  // DuckDB's of the same values
  RemoteFamily family;
};
// UINT64 is not among them: SQL's BIGINT does not hold its values.
constexpr std::array<Datatype, 12> kDatatypes = {{{"BOOL", "BOOLEAN", RemoteFamily::kBoolean},
                                                  {"INT8", "TINYINT", RemoteFamily::kInteger},
                                                  {"INT16", "SMALLINT", RemoteFamily::kInteger},
                                                  {"INT32", "INTEGER", RemoteFamily::kInteger},
                                                  {"INT64", "BIGINT", RemoteFamily::kInteger},
                                                  {"UINT8", "UTINYINT", RemoteFamily::kInteger},
                                                  {"UINT16", "USMALLINT", RemoteFamily::kInteger},
                                                  {"UINT32", "UINTEGER", RemoteFamily::kInteger},
                                                  {"FP32", "FLOAT", RemoteFamily::kNumber},
                                                  {"FP64", "DOUBLE", RemoteFamily::kNumber},
                                                  {"FP16", "FLOAT", RemoteFamily::kNumber},
                                                  {"BYTES", "VARCHAR", RemoteFamily::kText}}};

const Datatype* FindByName(std::string_view name) {
  for (const Datatype& known : kDatatypes)
    if (known.name == name) return &known;
  return nullptr;
}

// A type as DuckDB writes it: "FLOAT", "FLOAT[]" or "FLOAT[4]".
struct ColumnForm {
  const Datatype* element = nullptr;
  bool is_list = false;
  int64_t length = -1;  // of a list; -1: any
};

std::optional<ColumnForm> FormOf(const std::string& type) {
  ColumnForm form;
  std::string_view element = type;
  if (type.ends_with(']')) {
    const size_t open = type.rfind('[');
    const std::string_view length = element.substr(open + 1, type.size() - open - 2);
    form.is_list = true;
    if (!length.empty()) std::from_chars(length.data(), length.data() + length.size(), form.length);
    element = element.substr(0, open);
  }
  for (const Datatype& known : kDatatypes)
    if (known.type == element) {
      form.element = &known;
      return form;
    }
  return std::nullopt;
}

ColumnForm DeclaredForm(const RemoteColumn& column, std::string_view clause) {
  const std::optional<ColumnForm> form = FormOf(column.type);
  if (form) return *form;
  throw Error(ErrorCode::kModelImport,
              fmt::format("{} takes no such type: {} {}", clause, column.name, column.type),
              "it takes BOOLEAN, integers up to BIGINT, FLOAT, DOUBLE, VARCHAR, and lists of them "
              "such as FLOAT[4] or FLOAT[]");
}

RemotePort Port(std::string name, const RemoteColumn& column, const Datatype& datatype,
                const ColumnForm& form) {
  return {.name = std::move(name),
          .datatype = std::string(datatype.name),
          .column = column.name,
          .type = column.type,
          .family = datatype.family,
          .is_list = form.is_list,
          .shape = form.is_list ? std::vector<int64_t>{form.length} : std::vector<int64_t>{}};
}

// A tensor as the server tells of it.
struct Told {
  std::string name;
  std::string datatype;
  std::vector<int64_t> shape;

  std::string Text() const {
    return fmt::format("{} {} [{}]", name, datatype, fmt::join(shape, ", "));
  }
  std::vector<int64_t> OfRow() const { return {shape.begin() + 1, shape.end()}; }
  // How many values a row has; -1: as they come.
  int64_t Width() const {
    int64_t width = 1;
    for (size_t i = 1; i < shape.size(); ++i) {
      if (shape[i] < 0) return -1;
      width *= shape[i];
    }
    return width;
  }
};

std::string ListOf(const std::vector<Told>& told) {
  std::string list;
  for (const Told& tensor : told) list += (list.empty() ? "" : "; ") + tensor.Text();
  return list;
}

std::vector<Told> ReadTold(const Json& metadata, const char* key) {
  std::vector<Told> told;
  for (const Json& tensor : metadata.value(key, Json::array())) {
    told.push_back({tensor.at("name").get<std::string>(), tensor.at("datatype").get<std::string>(),
                    tensor.at("shape").get<std::vector<int64_t>>()});
    if (told.size() > 10'000) throw std::length_error("too many tensors");
  }
  return told;
}

void CheckShape(const Told& tensor) {
  const std::string text = tensor.Text();
  if (tensor.shape.empty() || tensor.shape[0] > 1)
    throw Error(ErrorCode::kModelImport, "The server's model takes no rows one by one: " + text,
                "the first dimension of its tensors must be -1 (any number of rows) or 1");
  const auto open = std::count_if(tensor.shape.begin() + 1, tensor.shape.end(),
                                  [](int64_t length) { return length < 0; });
  const bool empty = std::any_of(tensor.shape.begin() + 1, tensor.shape.end(),
                                 [](int64_t length) { return length == 0; });
  int64_t values = 1;
  for (size_t i = 1; i < tensor.shape.size(); ++i)
    if (tensor.shape[i] > 0 && __builtin_mul_overflow(values, tensor.shape[i], &values)) values = 0;
  if (open > 1 || empty || values <= 0 || values > (int64_t{1} << 24))
    throw Error(ErrorCode::kModelImport,
                "The shape of a tensor of the server's model cannot be filled: " + text,
                "at most one dimension beside the rows' may be open, and a row holds at most 2^24 "
                "values");
}

const Datatype& DatatypeOf(const Told& tensor) {
  const Datatype* datatype = FindByName(tensor.datatype);
  if (datatype != nullptr) return *datatype;
  throw Error(
      ErrorCode::kModelImport,
      "A tensor of the server's model has a datatype without a type in SQL: " + tensor.Text(),
      "BOOL, INT8 to INT64, UINT8 to UINT32, FP16 to FP64 and BYTES have one");
}

// How a tensor is declared. A list has no length in its type, since the lake keeps no arrays.
RemoteColumn ColumnOf(const Told& tensor) {
  CheckShape(tensor);
  const std::string element(DatatypeOf(tensor).type);
  const bool is_list = tensor.shape.size() > 2 || tensor.Width() != 1;
  return {tensor.name, is_list ? element + "[]" : element};
}

RemotePort Match(const RemoteColumn& column, const Told& tensor, std::string_view clause) {
  CheckShape(tensor);
  const Datatype& datatype = DatatypeOf(tensor);
  const ColumnForm form = DeclaredForm(column, clause);
  const int64_t width = tensor.Width();
  const bool fits =
      form.is_list ? form.length < 0 || width < 0 || form.length == width : width == 1;
  if (form.element->family != datatype.family || !fits)
    throw Error(ErrorCode::kModelImport,
                fmt::format("{} {} {} does not fit the server's {}", clause, column.name,
                            column.type, tensor.Text()),
                fmt::format("declare it as {} {}", column.name, ColumnOf(tensor).type));
  RemotePort port = Port(tensor.name, column, datatype, form);
  port.shape = tensor.OfRow();
  if (form.length > 0)
    for (int64_t& length : port.shape)
      if (length < 0) length = port.shape.size() == 1 ? form.length : length;
  return port;
}

// Inputs must all be declared, of outputs those that are wanted.
std::vector<RemotePort> MatchAll(const std::vector<RemoteColumn>& declared,
                                 const std::vector<Told>& told, std::string_view clause, bool all) {
  std::vector<RemotePort> ports;
  for (const RemoteColumn& column : declared) {
    const auto found = std::find_if(told.begin(), told.end(), [&](const Told& tensor) {
      return EqualsIgnoringCase(tensor.name, column.name);
    });
    if (found == told.end())
      throw Error(ErrorCode::kModelImport,
                  fmt::format("The server's model has no such {}: {}", all ? "input" : "output",
                              column.name),
                  "it has " + ListOf(told));
    ports.push_back(Match(column, *found, clause));
  }
  for (const Told& tensor : told) {
    const bool is_declared = std::any_of(
        declared.begin(), declared.end(),
        [&](const RemoteColumn& column) { return EqualsIgnoringCase(tensor.name, column.name); });
    if (all && !is_declared)
      throw Error(ErrorCode::kModelImport,
                  fmt::format("{} lacks an input of the server's model: {}", clause, tensor.Text()),
                  fmt::format("add {} {}", tensor.name, ColumnOf(tensor).type));
  }
  return ports;
}

// All there is to go by when the server does not tell.
std::vector<RemotePort> AsDeclared(const std::vector<RemoteColumn>& declared,
                                   std::string_view clause) {
  std::vector<RemotePort> ports;
  for (const RemoteColumn& column : declared) {
    const ColumnForm form = DeclaredForm(column, clause);
    ports.push_back(Port(column.name, column, *form.element, form));
  }
  return ports;
}

std::vector<RemoteColumn> ColumnsOf(const std::vector<Told>& told) {
  std::vector<RemoteColumn> columns;
  for (const Told& tensor : told) columns.push_back(ColumnOf(tensor));
  return columns;
}

[[noreturn]] void RefuseMetadata(std::string_view why) {
  throw Error(ErrorCode::kRemoteServer,
              fmt::format("What the server says of its model is not what the Open Inference "
                          "Protocol asks for: {}",
                          why));
}

}  // namespace

RemoteSignature MatchSignature(std::string_view metadata, const std::vector<RemoteColumn>& inputs,
                               const std::vector<RemoteColumn>& outputs) {
  std::vector<Told> told_inputs;
  std::vector<Told> told_outputs;
  try {
    const Json json = Json::parse(metadata);
    if (!json.is_object()) throw std::invalid_argument("no object");
    told_inputs = ReadTold(json, "inputs");
    told_outputs = ReadTold(json, "outputs");
  } catch (const Json::parse_error& error) {
    RefuseMetadata(fmt::format("no JSON (byte {})", error.byte));
  } catch (const std::exception& error) {
    RefuseMetadata(error.what());
  }
  if (inputs.empty() && (told_inputs.empty() || told_outputs.empty()))
    throw Error(ErrorCode::kModelImport, "The server does not say what its model takes and gives",
                "write INPUT (name type, …) OUTPUT (name type, …)");
  const auto match = [](const std::vector<RemoteColumn>& declared, const std::vector<Told>& told,
                        std::string_view clause, bool all) {
    if (told.empty()) return AsDeclared(declared, clause);
    return MatchAll(declared.empty() ? ColumnsOf(told) : declared, told, clause, all);
  };
  RemoteSignature signature{.inputs = match(inputs, told_inputs, "INPUT", true),
                            .outputs = match(outputs, told_outputs, "OUTPUT", false),
                            .is_told = !told_inputs.empty() && !told_outputs.empty()};
  for (const std::vector<Told>* told : {&told_inputs, &told_outputs})
    for (const Told& tensor : *told)
      signature.one_row = signature.one_row || (!tensor.shape.empty() && tensor.shape[0] == 1);
  return signature;
}

std::string CarrierType(const RemotePort& port) {
  if (port.is_list) return "VARCHAR";
  switch (port.family) {
    case RemoteFamily::kBoolean:
      return "BOOLEAN";
    case RemoteFamily::kInteger:
      return "BIGINT";
    case RemoteFamily::kNumber:
      return "DOUBLE";
    case RemoteFamily::kText:
      break;
  }
  return "VARCHAR";
}

nlohmann::ordered_json ToJson(const RemotePort& port) {
  return {{"name", port.name},
          {"datatype", port.datatype},
          {"column", port.column},
          {"type", port.type},
          {"shape", port.shape}};
}

RemotePort ReadRemotePort(const nlohmann::ordered_json& json) {
  RemotePort port{.name = json.at("name").get<std::string>(),
                  .datatype = json.at("datatype").get<std::string>(),
                  .column = json.at("column").get<std::string>(),
                  .type = json.at("type").get<std::string>(),
                  .shape = json.at("shape").get<std::vector<int64_t>>()};
  const Datatype* datatype = FindByName(port.datatype);
  const std::optional<ColumnForm> form = FormOf(port.type);
  if (datatype == nullptr || !form) MalformedArtefact("a tensor has an unknown type");
  port.family = datatype->family;
  port.is_list = form->is_list;
  return port;
}

}  // namespace braid::ml
