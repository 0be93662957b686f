// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "http/router.h"
#include "serve/service_runtime.h"

namespace braid::app {

// Adds CONTRACT's HTTP endpoints to a router; `runtime` must outlive it. `title` names the project
// in the OpenAPI document.
void AddEndpoints(http::Router& router, serve::ServiceRuntime& runtime, const std::string& title);

}  // namespace braid::app
