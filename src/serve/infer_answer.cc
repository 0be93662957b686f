// SPDX-License-Identifier: Apache-2.0
#include "serve/infer_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "base/base64.h"
#include "base/error.h"

namespace braid::serve {

namespace {

using Kind = JsonTape::Kind;
using Index = JsonTape::Index;
using Source = OutputTensor::Source;

Error NoTensor(const OutputTensor& output, std::string_view what, std::string_view hint) {
  return Error(ErrorCode::kWrongType, fmt::format("Output {} {}", output.metadata.name, what),
               std::string(hint));
}

// The node of each output in one row's answer, by the order of the schema, which is the answer's.
std::vector<Index> OutputNodes(const JsonTape& tape) {
  std::vector<Index> nodes;
  for (Index key = JsonTape::First(JsonTape::kRoot); key < tape.Next(JsonTape::kRoot);
       key = tape.Next(key + 1))
    nodes.push_back(key + 1);
  return nodes;
}

// Gathers the elements of one output over the rows.
class Gatherer {
 public:
  explicit Gatherer(const OutputTensor& output)
      : output_(output), sized_(output.form.lists + 1, false) {
    tensor_.name = output.metadata.name;
    tensor_.type = output.metadata.type;
    tensor_.shape.assign(output.form.lists + 1, 0);
  }

  void AddText(const std::string& text) {
    ++tensor_.shape[0];
    tensor_.values.emplace_back(text);
  }

  void Add(const JsonTape& tape, Index node) {
    if (output_.source == Source::kOutput) {
      AddNested(tape, node, 1);
    } else {
      AddClasses(tape, node);
    }
    ++tensor_.shape[0];
  }

  Tensor Take() { return std::move(tensor_); }

 private:
  void AddNested(const JsonTape& tape, Index node, size_t dimension) {
    if (dimension == tensor_.shape.size()) {
      tensor_.values.push_back(Element(tape, node));
      return;
    }
    if (tape.kind(node) != Kind::kArray)
      throw NoTensor(output_, "is NULL in a row where a tensor needs a list",
                     "answer an empty list, or ask over /v1, where NULL has a form");
    SetSize(dimension, tape.Count(node));
    for (Index item = JsonTape::First(node); item < tape.Next(node); item = tape.Next(item))
      AddNested(tape, item, dimension + 1);
  }

  void SetSize(size_t dimension, size_t size) {
    if (!sized_[dimension]) {
      tensor_.shape[dimension] = size;
      sized_[dimension] = true;
    } else if (tensor_.shape[dimension] != size) {
      throw NoTensor(
          output_,
          fmt::format("has lists of different lengths: {} and {}", tensor_.shape[dimension], size),
          "a tensor has one length: send the rows one by one, or ask over /v1");
    }
  }

  // {"label", "prob"} objects, which come by falling probability: put in the labels' order, so that
  // a column is the same class in every row.
  void AddClasses(const JsonTape& tape, Index node) {
    if (tape.kind(node) != Kind::kArray)
      throw NoTensor(output_, "is NULL in a row", "ask over /v1, where NULL has a form");
    struct Class {
      std::string_view label;
      Kind kind;
      Index label_node;
      Index prob_node;
    };
    std::vector<Class> classes;
    for (Index item = JsonTape::First(node); item < tape.Next(node); item = tape.Next(item)) {
      if (tape.kind(item) != Kind::kObject || tape.Count(item) != 2)
        throw NoTensor(output_, "has a NULL among its classes", "ask over /v1");
      const Index label = JsonTape::First(item) + 1;
      const Index prob = tape.Next(label) + 1;
      classes.push_back({tape.text(label), tape.kind(label), label, prob});
    }
    std::stable_sort(classes.begin(), classes.end(), [](const Class& a, const Class& b) {
      if (IsNumber(a.kind) && IsNumber(b.kind)) return Number(a.label) < Number(b.label);
      if (a.kind != b.kind) return a.kind < b.kind;
      return a.label < b.label;
    });
    SetSize(1, classes.size());
    for (const Class& one : classes)
      tensor_.values.push_back(
          Element(tape, output_.source == Source::kLabels ? one.label_node : one.prob_node));
  }

  static bool IsNumber(Kind kind) { return kind == Kind::kInteger || kind == Kind::kFloat; }
  static double Number(std::string_view digits) {
    double number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
  }

  JsonValue Element(const JsonTape& tape, Index node) const {
    const Kind kind = tape.kind(node);
    if (kind == Kind::kNull) return {};
    if (tensor_.type == TensorType::kBytes) {
      if (kind != Kind::kString) {
        std::string text;
        tape.Render(node, text);
        return text;
      }
      if (output_.form.is_blob)
        if (std::optional<std::string> bytes = DecodeBase64(tape.text(node)))
          return *std::move(bytes);
      return std::string(tape.text(node));
    }
    if (std::optional<JsonValue> value = ReadElement(tensor_.type, tape, node))
      return *std::move(value);
    // DECIMAL is written as text.
    double number = 0;
    const std::string_view text = tape.text(node);
    const auto [stop, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec == std::errc() && IsFloat(tensor_.type)) return number;
    throw NoTensor(output_, "has a value that does not fit its datatype", "ask over /v1");
  }

  const OutputTensor& output_;
  Tensor tensor_;
  std::vector<bool> sized_;  // the sizes that a row has fixed
};

std::vector<Tensor> Gather(const std::vector<AskedOutput>& outputs,
                           std::span<const AnsweredRow> rows) {
  std::vector<Gatherer> gatherers;
  for (const AskedOutput& output : outputs) gatherers.emplace_back(output.tensor);
  for (const AnsweredRow& row : rows) {
    const JsonTape tape(row.outcome->output_json, std::numeric_limits<size_t>::max());
    const std::vector<Index> nodes = OutputNodes(tape);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].tensor.source == Source::kInferenceId) {
        gatherers[i].AddText(row.inference_id);
      } else {
        gatherers[i].Add(tape, nodes.at(outputs[i].tensor.output));
      }
    }
  }
  std::vector<Tensor> tensors;
  for (Gatherer& gatherer : gatherers) tensors.push_back(gatherer.Take());
  return tensors;
}

// The tensor's bytes, appended; returns how many.
size_t AppendElements(const AskedOutput& output, const Tensor& tensor, std::string& out) {
  const size_t before = out.size();
  for (const JsonValue& value : tensor.values) {
    if (!std::holds_alternative<std::monostate>(value)) {
      AppendBinary(tensor.type, value, out);
    } else if (IsFloat(tensor.type)) {
      AppendBinary(tensor.type, std::numeric_limits<double>::quiet_NaN(), out);
    } else {
      throw NoTensor(output.tensor, "is NULL in a row, which its binary form cannot say",
                     "ask for it as JSON (binary_data false), or answer something else: "
                     "coalesce(…)");
    }
  }
  return out.size() - before;
}

void AppendData(const AskedOutput& output, const Tensor& tensor, std::string& out) {
  out += ",\"data\":[";
  for (const JsonValue& value : tensor.values) {
    if (out.back() != '[') out += ',';
    const auto* bytes = std::get_if<std::string>(&value);
    if (output.tensor.form.is_blob && bytes != nullptr) {
      AppendJsonString(EncodeBase64(*bytes), out);
    } else {
      AppendJson(tensor.type, value, out);
    }
  }
  out += ']';
}

void CheckRows(std::span<const AnsweredRow> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::optional<Error>& error = rows[i].outcome->error;
    if (!error) continue;
    const bool says_row = error->message().find(fmt::format("row {}", i)) != std::string::npos;
    throw Error(error->code(),
                says_row ? error->message() : fmt::format("Row {}: {}", i, error->message()),
                error->hint());
  }
}

}  // namespace

std::vector<AskedOutput> AskedOutputs(const InferRequest& request, const ServiceSchema& schema) {
  std::vector<OutputTensor> all = OutputTensors(schema);
  std::vector<AskedOutput> asked;
  if (request.outputs.empty()) {
    for (OutputTensor& output : all) asked.push_back({std::move(output), request.is_binary_output});
    return asked;
  }
  for (const RequestedOutput& wanted : request.outputs) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const OutputTensor& output) {
      return output.metadata.name == wanted.name;
    });
    if (found != all.end()) {
      asked.push_back({*found, wanted.is_binary.value_or(request.is_binary_output)});
      continue;
    }
    std::vector<std::string> known;
    for (const OutputTensor& output : all) known.push_back(output.metadata.name);
    const std::string shown = wanted.name.substr(0, 100);
    const auto closest = ClosestMatch(shown, known);
    throw Error(ErrorCode::kMalformedRequest, "Unknown output: " + shown,
                closest ? fmt::format("did you mean {}?", *closest)
                        : fmt::format("the outputs are {}", fmt::join(known, ", ")));
  }
  return asked;
}

Answer InferAnswer(const InferRequest& request, const ServiceSchema& schema,
                   const std::vector<AskedOutput>& outputs, std::span<const AnsweredRow> rows) {
  CheckRows(rows);
  const std::vector<Tensor> tensors = Gather(outputs, rows);
  Answer answer{.body = "{\"model_name\":"};
  AppendJsonString(schema.is_model ? schema.name.substr(0, schema.name.rfind('@')) : schema.name,
                   answer.body);
  answer.body += fmt::format(",\"model_version\":\"{}\"", schema.version);
  if (request.id) {
    answer.body += ",\"id\":";
    AppendJsonString(*request.id, answer.body);
  }
  answer.body += ",\"outputs\":[";
  std::string binary;
  bool has_binary = false;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& tensor = tensors[i];
    answer.body += i > 0 ? ",{\"name\":" : "{\"name\":";
    AppendJsonString(tensor.name, answer.body);
    answer.body += fmt::format(",\"datatype\":\"{}\",\"shape\":[{}]", TensorTypeName(tensor.type),
                               fmt::join(tensor.shape, ","));
    if (outputs[i].is_binary) {
      has_binary = true;
      answer.body += fmt::format(",\"parameters\":{{\"binary_data_size\":{}}}",
                                 AppendElements(outputs[i], tensor, binary));
    } else {
      if (outputs[i].tensor.form.is_blob)
        answer.body += ",\"parameters\":{\"content_type\":\"base64\"}";
      AppendData(outputs[i], tensor, answer.body);
    }
    answer.body += '}';
  }
  answer.body += "]}";
  if (has_binary) {
    answer.content_type = "application/octet-stream";
    answer.headers.emplace_back("Inference-Header-Content-Length",
                                std::to_string(answer.body.size()));
    answer.body += binary;
  }
  return answer;
}

}  // namespace braid::serve
