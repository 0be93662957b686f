// SPDX-License-Identifier: Apache-2.0
#include "serve/answer.h"

#include <fmt/format.h>

#include "serve/json_tape.h"

namespace braid::serve {

std::string ErrorJson(const Error& error) {
  std::string json = "{\"code\":";
  AppendJsonString(Describe(error.code()).text, json);
  json += ",\"message\":";
  AppendJsonString(error.message(), json);
  json += ",\"hint\":";
  AppendJsonString(error.hint(), json);
  return json + "}";
}

Answer ErrorAnswer(const Error& error) {
  return {.status = Describe(error.code()).http_status,
          .body = fmt::format("{{\"error\":{}}}", ErrorJson(error))};
}

}  // namespace braid::serve
