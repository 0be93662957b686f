// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>

namespace braid::ml {

// Runs part(0), …, part(parts - 1) on up to so many threads, the caller's among them. The parts
// must not depend on each other; what one throws is thrown here.
void ForEachPart(size_t parts, size_t threads, const std::function<void(size_t)>& part);

}  // namespace braid::ml
