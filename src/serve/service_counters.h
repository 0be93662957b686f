// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/duration_histogram.h"
#include "base/mutex.h"

namespace braid::serve {

// What has been asked of one service or model since the server started.
struct ServiceCount {
  std::string name;                // a model's is "model@version"
  std::map<int, int64_t> answers;  // by HTTP status
  int64_t rows_ok = 0;
  int64_t rows_failed = 0;
  DurationHistogram::Reading latency;  // from arrival to the answer
};

// Counts for the services and models that there are, never for names that clients make up.
// Thread-safe.
class ServiceCounters {
 public:
  void Answered(const std::string& name, int status, int64_t micros);
  void Rows(const std::string& name, int64_t ok, int64_t failed);
  std::vector<ServiceCount> Read() const;

 private:
  struct Counter {
    std::map<int, int64_t> answers;
    int64_t rows_ok = 0;
    int64_t rows_failed = 0;
    DurationHistogram latency;
  };
  mutable Mutex mutex_;
  std::map<std::string, Counter> counters_ GUARDED_BY(mutex_);
};

}  // namespace braid::serve
