// SPDX-License-Identifier: Apache-2.0
#include "serve/service_counters.h"

namespace braid::serve {

void ServiceCounters::Answered(const std::string& name, int status, int64_t micros) {
  const MutexLock lock(mutex_);
  Counter& counter = counters_[name];
  ++counter.answers[status];
  counter.latency.Add(micros);
}

void ServiceCounters::Rows(const std::string& name, int64_t ok, int64_t failed) {
  const MutexLock lock(mutex_);
  Counter& counter = counters_[name];
  counter.rows_ok += ok;
  counter.rows_failed += failed;
}

std::vector<ServiceCount> ServiceCounters::Read() const {
  const MutexLock lock(mutex_);
  std::vector<ServiceCount> counts;
  for (const auto& [name, counter] : counters_)
    counts.push_back({.name = name,
                      .answers = counter.answers,
                      .rows_ok = counter.rows_ok,
                      .rows_failed = counter.rows_failed,
                      .latency = counter.latency.Read()});
  return counts;
}

}  // namespace braid::serve
