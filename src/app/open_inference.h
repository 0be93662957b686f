// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "http/router.h"
#include "http/server.h"
#include "serve/service_runtime.h"

namespace braid::app {

// The routes of the Open Inference Protocol, version 2 (docs/serving/open_inference.md), for every
// service and model.
void AddOpenInference(http::Router& router, serve::ServiceRuntime& runtime);

// Whether a path is the protocol's, whose errors are {"error": "text"}.
bool IsOpenInference(std::string_view path);
// Sends an answer whose error, if it is one of ours, is turned into that form.
void AnswerOpenInference(http::Response response, const http::Respond& respond);
// Router::Handle, with error bodies of ours turned into that form on their way.
void HandleOpenInference(const http::Router& router, http::Request request,
                         const http::Respond& respond);

}  // namespace braid::app
