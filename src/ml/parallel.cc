// SPDX-License-Identifier: Apache-2.0
#include "ml/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace braid::ml {

void ForEachPart(size_t parts, size_t threads, const std::function<void(size_t)>& part) {
  std::atomic<size_t> next = 0;
  std::atomic_flag failed;
  std::exception_ptr error;
  const auto work = [&] {
    try {
      for (size_t i = next++; i < parts; i = next++) part(i);
    } catch (...) {
      if (!failed.test_and_set()) error = std::current_exception();
      next = parts;
    }
  };
  {
    std::vector<std::jthread> others;
    for (size_t t = 1; t < std::min(threads, parts); ++t) others.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace braid::ml
