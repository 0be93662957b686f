// SPDX-License-Identifier: Apache-2.0
#include "app/open_inference.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "app/answers.h"
#include "app/version.h"
#include "base/error.h"
#include "base/text.h"
#include "serve/request_form.h"
#include "serve/tensor_schema.h"

namespace braid::app {

namespace {

using Json = nlohmann::ordered_json;
using serve::ServiceRuntime;

std::string At(const http::PathParameters& path, const char* name) {
  const auto found = path.find(name);
  return found == path.end() ? std::string() : found->second;
}

Json Tensors(const std::vector<serve::TensorMetadata>& tensors) {
  Json list = Json::array();
  for (const serve::TensorMetadata& tensor : tensors)
    list.push_back({{"name", tensor.name},
                    {"datatype", serve::TensorTypeName(tensor.type)},
                    {"shape", tensor.shape}});
  return list;
}

std::vector<serve::TensorMetadata> Metadata(const std::vector<serve::OutputTensor>& outputs) {
  std::vector<serve::TensorMetadata> tensors;
  for (const serve::OutputTensor& output : outputs) tensors.push_back(output.metadata);
  return tensors;
}

serve::Answer ModelMetadata(const ServiceRuntime& runtime, const serve::ServiceSchema& schema) {
  Json body = {{"name", schema.name},
               {"versions", Json::array({std::to_string(schema.version)})},
               {"platform", "braid_service"}};
  if (schema.is_model) {
    const std::string model = schema.name.substr(0, schema.name.rfind('@'));
    body["name"] = model;
    body["versions"] = Json::array();
    for (const ServiceRuntime::ModelVersions& known : runtime.Models()) {
      if (known.model != model) continue;
      for (const auto& [version, type] : known.versions) {
        body["versions"].push_back(std::to_string(version));
        if (version == schema.version) body["platform"] = "braid_" + type;
      }
    }
  }
  body["inputs"] = Tensors(serve::InputTensors(schema));
  body["outputs"] = Tensors(Metadata(serve::OutputTensors(schema)));
  return {.body = body.dump()};
}

http::Response Ready(const ServiceRuntime& runtime) {
  const bool ready = runtime.ready();
  return JsonResponse({{"live", true}, {"ready", ready}}, ready ? 200 : 503);
}

Json Index(const ServiceRuntime& runtime) {
  Json list = Json::array();
  for (const serve::ServiceSchema& schema : runtime.Services())
    list.push_back({{"name", schema.name},
                    {"version", std::to_string(schema.version)},
                    {"state", "READY"},
                    {"reason", ""}});
  for (const auto& [name, reason] : runtime.Unavailable())
    list.push_back({{"name", name}, {"version", ""}, {"state", "UNAVAILABLE"}, {"reason", reason}});
  for (const ServiceRuntime::ModelVersions& model : runtime.Models())
    for (const auto& [version, type] : model.versions)
      list.push_back({{"name", model.model},
                      {"version", std::to_string(version)},
                      {"state", "READY"},
                      {"reason", ""}});
  return list;
}

Json Statistic(int64_t count, int64_t micros) { return {{"count", count}, {"ns", micros * 1000}}; }

// Of Triton's statistics what is known here: times are from arrival to answer, failures included.
Json Statistics(const ServiceRuntime& runtime, const std::string& key) {
  serve::ServiceCount counted;
  for (serve::ServiceCount& service : runtime.Status().services)
    if (service.name == key) counted = std::move(service);
  int64_t succeeded = 0;
  int64_t failed = 0;
  for (const auto& [status, count] : counted.answers) (status < 400 ? succeeded : failed) += count;
  const size_t at = key.rfind('@');
  std::string version = at == std::string::npos ? "" : key.substr(at + 1);
  for (const serve::ServiceSchema& schema : runtime.Services())
    if (schema.name == key) version = std::to_string(schema.version);
  return {{"name", key.substr(0, at)},
          {"version", version},
          {"inference_count", counted.rows_ok},
          {"execution_count", succeeded},
          {"inference_stats",
           {{"success", Statistic(succeeded, counted.latency.sum_micros)},
            {"fail", Statistic(failed, 0)}}}};
}

void AddServerRoutes(http::Router& router, ServiceRuntime& runtime) {
  router.Add("GET", "/v2", [](http::Request, const http::PathParameters&, http::Respond respond) {
    respond(
        JsonResponse({{"name", "braid"},
                      {"version", kVersion},
                      {"extensions", {"binary_tensor_data", "model_repository", "statistics"}}}));
  });
  router.Add("GET", "/v2/health/live",
             [&runtime](http::Request, const http::PathParameters&, http::Respond respond) {
               respond(JsonResponse({{"live", true}, {"ready", runtime.ready()}}));
             });
  router.Add("GET", "/v2/health/ready",
             [&runtime](http::Request, const http::PathParameters&, http::Respond respond) {
               respond(Ready(runtime));
             });
  router.Add("POST", "/v2/repository/index",
             [&runtime](http::Request, const http::PathParameters&, http::Respond respond) {
               respond(JsonResponse(Index(runtime)));
             });
}

void AddModelRoutes(http::Router& router, ServiceRuntime& runtime, const std::string& prefix) {
  router.Add("GET", prefix,
             [&runtime](http::Request, const http::PathParameters& path, http::Respond respond) {
               runtime.Describe(
                   At(path, "model"), At(path, "version"),
                   [&runtime](const serve::ServiceSchema& schema) {
                     return ModelMetadata(runtime, schema);
                   },
                   ToResponse(std::move(respond)));
             });
  router.Add("GET", prefix + "/ready",
             [&runtime](http::Request, const http::PathParameters& path, http::Respond respond) {
               runtime.Find(At(path, "model"), At(path, "version"));
               respond(JsonResponse({{"name", At(path, "model")}, {"ready", true}}));
             });
  router.Add("GET", prefix + "/stats",
             [&runtime](http::Request, const http::PathParameters& path, http::Respond respond) {
               const std::string key = runtime.Find(At(path, "model"), At(path, "version"));
               respond(JsonResponse({{"model_stats", Json::array({Statistics(runtime, key)})}}));
             });
  router.Add(
      "POST", prefix + "/infer",
      [&runtime](http::Request request, const http::PathParameters& path, http::Respond respond) {
        RequirePlainBody(request);
        std::string json_size(request.Header("inference-header-content-length"));
        std::string id(request.Header("x-request-id"));
        runtime.Ask({.name = At(path, "model"),
                     .version = At(path, "version"),
                     .body = std::move(request.body),
                     .client_request_id = std::move(id),
                     .form = serve::OpenInferenceForm(std::move(json_size)),
                     .timeout = TimeoutOf(request),
                     .respond = ToResponse(std::move(respond))});
      });
}

// The text of {"error":{"message","hint",…}}; nothing for another body.
std::optional<std::string> ErrorText(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object())
    return std::nullopt;
  const std::string message = json["error"].value("message", "");
  const std::string hint = json["error"].value("hint", "");
  return hint.empty() ? message : message + "; " + hint;
}

}  // namespace

void AddOpenInference(http::Router& router, ServiceRuntime& runtime) {
  AddServerRoutes(router, runtime);
  AddModelRoutes(router, runtime, "/v2/models/{model}");
  AddModelRoutes(router, runtime, "/v2/models/{model}/versions/{version}");
}

bool IsOpenInference(std::string_view path) { return path == "/v2" || path.starts_with("/v2/"); }

void AnswerOpenInference(http::Response response, const http::Respond& respond) {
  if (response.status >= 400)
    if (const std::optional<std::string> text = ErrorText(response.body))
      response.body = Json{{"error", *text}}.dump();
  respond(std::move(response));
}

void HandleOpenInference(const http::Router& router, http::Request request,
                         const http::Respond& respond) {
  const http::Respond in_text = [respond](http::Response response) {
    AnswerOpenInference(std::move(response), respond);
  };
  try {
    router.Handle(std::move(request), in_text);
  } catch (const Error& error) {
    in_text(http::ErrorResponse(error));
  }
}

}  // namespace braid::app
