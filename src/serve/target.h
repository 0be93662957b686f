// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "serve/generation.h"

namespace braid::serve {

// What Generation::Find knows a name by that a client asks for: the service of that name, else the
// model, whose version, alias or, without either, champion is found. "m@3" and "m@candidate" are a
// model even where a service has its name. Throws SERVICE_NOT_FOUND, and MODEL_NOT_FOUND for what
// is neither; a service that cannot answer now throws why.
std::string TargetKey(const Generation& generation, const std::string& name,
                      const std::string& version);

}  // namespace braid::serve
