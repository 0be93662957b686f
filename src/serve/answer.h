// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace braid::serve {

// An answer as HTTP has it.
struct Answer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};
// Called once; must not throw.
using AnswerSink = std::function<void(Answer)>;

// {"code":…,"message":…,"hint":…}
std::string ErrorJson(const Error& error);

// {"error":{…}} with the code's status.
Answer ErrorAnswer(const Error& error);

}  // namespace braid::serve
