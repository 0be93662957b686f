// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "base/error.h"

namespace braid::serve {

// An answer as HTTP has it: the status and a JSON body.
struct Answer {
  int status = 200;
  std::string body;
};
// Called once; must not throw.
using AnswerSink = std::function<void(Answer)>;

// {"code":…,"message":…,"hint":…}
std::string ErrorJson(const Error& error);

// {"error":{…}} with the code's status.
Answer ErrorAnswer(const Error& error);

}  // namespace braid::serve
