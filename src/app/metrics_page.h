// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "app/gateway.h"
#include "serve/service_runtime.h"

namespace braid::app {

// GET /metrics: Prometheus' text format 0.0.4 (docs/serving/operation.md lists the names).
std::string MetricsPage(const serve::RuntimeStatus& status, const HttpCounts& http, int64_t now_us);

inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace braid::app
