// SPDX-License-Identifier: Apache-2.0
#include "app/endpoints.h"

#include <nlohmann/json.hpp>

#include "app/answers.h"
#include "app/open_inference.h"
#include "app/version.h"
#include "base/error.h"
#include "http/openapi.h"

namespace braid::app {

namespace {

using Json = nlohmann::ordered_json;

Json Fields(const std::vector<serve::FieldType>& fields) {
  Json list = Json::array();
  for (const serve::FieldType& field : fields)
    list.push_back({{"name", field.name}, {"type", field.sql_type}});
  return list;
}

std::string_view CaptureName(serve::CaptureMode mode) {
  switch (mode) {
    case serve::CaptureMode::kDurable:
      return "durable";
    case serve::CaptureMode::kAsync:
      return "async";
    case serve::CaptureMode::kOff:
      break;
  }
  return "off";
}

Json Describe(const serve::ServiceSchema& schema) {
  return {{"name", schema.name},
          {"version", schema.version},
          {"status", "ready"},
          {"parameters", Fields(schema.parameters)},
          {"outputs", Fields(schema.outputs)},
          {"outcome", Fields(schema.settings.outcome)},
          {"model_versions", Json(schema.model_versions)},
          {"capture", CaptureName(schema.settings.capture)}};
}

Json Describe(const std::pair<std::string, std::string>& unavailable) {
  return {{"name", unavailable.first}, {"status", "unavailable"}, {"error", unavailable.second}};
}

http::Response ListServices(const serve::ServiceRuntime& runtime) {
  Json services = Json::array();
  for (const serve::ServiceSchema& schema : runtime.Services())
    services.push_back(Describe(schema));
  for (const auto& unavailable : runtime.Unavailable()) services.push_back(Describe(unavailable));
  return JsonResponse({{"services", services}});
}

http::Response ShowService(const serve::ServiceRuntime& runtime, const std::string& name) {
  std::vector<std::string> known;
  for (const serve::ServiceSchema& schema : runtime.Services()) {
    if (schema.name == name) return JsonResponse(Describe(schema));
    known.push_back(schema.name);
  }
  for (const auto& unavailable : runtime.Unavailable())
    if (unavailable.first == name) return JsonResponse(Describe(unavailable));
  const auto close = ClosestMatch(name, known);
  return http::ErrorResponse(
      Error(ErrorCode::kServiceNotFound, "Service not found: " + name,
            close ? "did you mean " + *close + "?" : "GET /v1/services lists the services"));
}

http::Response Document(const serve::ServiceRuntime& runtime, const std::string& title) {
  std::vector<http::OpenApiService> services;
  for (const serve::ServiceSchema& schema : runtime.Services()) {
    http::OpenApiService service{.name = schema.name, .parameters = {}, .outputs = {}};
    for (const serve::FieldType& field : schema.parameters)
      service.parameters.push_back({field.name, field.sql_type});
    for (const serve::FieldType& field : schema.outputs)
      service.outputs.push_back({field.name, field.sql_type});
    services.push_back(std::move(service));
  }
  return {.status = 200,
          .content_type = "application/json",
          .headers = {},
          .body = http::OpenApiDocument(title, kVersion, services)};
}

}  // namespace

void AddEndpoints(http::Router& router, serve::ServiceRuntime& runtime, const std::string& title) {
  router.Add(
      "POST", "/v1/services/{service}",
      [&runtime](http::Request request, const http::PathParameters& path, http::Respond respond) {
        RequireJson(request);
        const std::string id(request.Header("x-request-id"));
        const auto timeout = TimeoutOf(request);
        runtime.Call(path.at("service"), std::move(request.body), id,
                     ToResponse(std::move(respond)), timeout);
      });
  router.Add("POST", "/v1/feedback",
             [&runtime](http::Request request, const http::PathParameters&, http::Respond respond) {
               RequireJson(request);
               runtime.Feedback(std::move(request.body), ToResponse(std::move(respond)));
             });
  router.Add("GET", "/v1/services",
             [&runtime](http::Request, const http::PathParameters&, http::Respond respond) {
               respond(ListServices(runtime));
             });
  router.Add("GET", "/v1/services/{service}",
             [&runtime](http::Request, const http::PathParameters& path, http::Respond respond) {
               respond(ShowService(runtime, path.at("service")));
             });
  router.Add("GET", "/healthz",
             [](http::Request, const http::PathParameters&, http::Respond respond) {
               respond(JsonResponse({{"status", "ok"}}));
             });
  router.Add("GET", "/readyz",
             [&runtime](http::Request, const http::PathParameters&, http::Respond respond) {
               const bool ready = runtime.ready();
               respond(JsonResponse({{"status", ready ? "ready" : "starting"}}, ready ? 200 : 503));
             });
  router.Add("GET", "/openapi.json",
             [&runtime, title](http::Request, const http::PathParameters&, http::Respond respond) {
               respond(Document(runtime, title));
             });
  AddOpenInference(router, runtime);
}

}  // namespace braid::app
