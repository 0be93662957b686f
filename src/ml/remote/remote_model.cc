// SPDX-License-Identifier: Apache-2.0
#include "ml/remote/remote_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "ml/artefact_json.h"
#include "ml/option_reader.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "braid.remote";
constexpr int kVersion = 1;
constexpr int64_t kMostTimeoutMs = 3'600'000;
constexpr int64_t kMostRetries = 20;

// Names become a part of the address.
std::string NameOption(const OptionReader& reader, std::string_view name) {
  const std::string text = reader.Text(name).value_or("");
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
  if (plain && text != "." && text != "..") return text;
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("The option {} takes a name of letters, digits, ., _ and -: {}",
                          ToUpper(name), text),
              "it is what the server calls the model; where the server is stands in braid.yaml");
}

int64_t IntegerBelow(const OptionReader& reader, std::string_view name, int64_t least, int64_t most,
                     int64_t otherwise) {
  const int64_t value = reader.Integer(name, least, otherwise);
  if (value > most)
    OptionReader::Refuse(*reader.Find(name), fmt::format("an integer from {} to {}", least, most));
  return value;
}

std::vector<RemotePort> ReadPorts(const Json& list) {
  std::vector<RemotePort> ports;
  for (const Json& port : list) ports.push_back(ReadRemotePort(port));
  return ports;
}

Json PortsJson(const std::vector<RemotePort>& ports) {
  Json list = Json::array();
  for (const RemotePort& port : ports) list.push_back(ToJson(port));
  return list;
}

}  // namespace

RemoteParts ReadRemoteOptions(const std::vector<Option>& options) {
  const OptionReader reader(options);
  RemoteParts parts;
  parts.endpoint = NameOption(reader, "endpoint");
  parts.model_version = NameOption(reader, "model_version");
  if (parts.endpoint.empty())
    throw Error(ErrorCode::kInvalidOption, "ENDPOINT is missing",
                "write OPTIONS (endpoint = '…'): what the server calls the model");
  parts.timeout =
      std::chrono::milliseconds(IntegerBelow(reader, "timeout_ms", 1, kMostTimeoutMs, 30'000));
  parts.max_retries = IntegerBelow(reader, "max_retries", 0, kMostRetries, 3);
  parts.max_batching_rows = static_cast<size_t>(
      IntegerBelow(reader, "max_batching_rows", 1, kMostBatchingRows, kMostBatchingRows));
  return parts;
}

std::vector<InputColumn> RemoteModel::input_columns() const {
  std::vector<InputColumn> columns;
  for (const RemotePort& port : parts_.signature.inputs)
    columns.push_back({port.column, port.family == RemoteFamily::kText || port.is_list
                                        ? InputKind::kCategory
                                        : InputKind::kNumeric});
  return columns;
}

void RemoteModel::Score(const Batch& /*inputs*/, std::span<double> /*out*/) const {
  throw Error(ErrorCode::kNotSupported, "A remote model answers ML.PREDICT alone");
}

std::string RemoteModel::Path() const {
  const std::string path = "/v2/models/" + parts_.endpoint;
  return parts_.model_version.empty() ? path : path + "/versions/" + parts_.model_version;
}

std::string RemoteModel::ToArtefact() const {
  return DumpArtefact({{"format", kFormat},
                       {"version", kVersion},
                       {"connection", parts_.connection},
                       {"endpoint", parts_.endpoint},
                       {"model_version", parts_.model_version},
                       {"timeout_ms", parts_.timeout.count()},
                       {"max_retries", parts_.max_retries},
                       {"max_batching_rows", parts_.max_batching_rows},
                       {"one_row", parts_.signature.one_row},
                       {"is_told", parts_.signature.is_told},
                       {"inputs", PortsJson(parts_.signature.inputs)},
                       {"outputs", PortsJson(parts_.signature.outputs)}});
}

std::unique_ptr<Model> RemoteModel::FromArtefact(std::string_view artefact) {
  const Json json = ParseArtefact(artefact, kFormat, kVersion);
  try {
    RemoteParts parts{.connection = json.at("connection").get<std::string>(),
                      .endpoint = json.at("endpoint").get<std::string>(),
                      .model_version = json.at("model_version").get<std::string>(),
                      .timeout = std::chrono::milliseconds(json.at("timeout_ms").get<int64_t>()),
                      .max_retries = json.at("max_retries").get<int64_t>(),
                      .max_batching_rows = json.at("max_batching_rows").get<size_t>(),
                      .signature = {.inputs = ReadPorts(json.at("inputs")),
                                    .outputs = ReadPorts(json.at("outputs")),
                                    .one_row = json.at("one_row").get<bool>(),
                                    .is_told = json.at("is_told").get<bool>()}};
    if (parts.max_batching_rows < 1 || parts.max_batching_rows > kMostBatchingRows ||
        parts.timeout.count() < 1 || parts.signature.outputs.empty())
      MalformedArtefact("a remote model's settings are out of range");
    return std::make_unique<RemoteModel>(std::move(parts));
  } catch (const nlohmann::json::exception& error) {
    MalformedArtefact(error.what());
  }
}

const ModelKind& RemoteKind() {
  static const ModelKind kind = {
      .name = "remote",
      .task = Task::kProjection,
      .option_names = {"endpoint", "model_version", "timeout_ms", "max_retries",
                       "max_batching_rows"},
      .check_options = [](const std::vector<Option>& options) { ReadRemoteOptions(options); },
      .load = RemoteModel::FromArtefact};
  return kind;
}

}  // namespace braid::ml
