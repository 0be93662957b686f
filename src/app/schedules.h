// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/config.h"
#include "app/instance.h"
#include "owner/command.h"

namespace braid::app {

// Runs the project while it is served, as braid.yaml's schedules say (docs/schedules.md): one run
// at a time, on a thread of its own. A run that fails is told and tried again at its next time.
class Schedules {
 public:
  // All outlive the object. `output` is told of each run.
  Schedules(const std::vector<Schedule>& schedules, Instance& instance, owner::OutputSink& output,
            const Clock& clock);
  // Ends with the run at work, which is interrupted.
  ~Schedules();
  Schedules(const Schedules&) = delete;
  Schedules& operator=(const Schedules&) = delete;

 private:
  struct Entry {
    const Schedule* schedule;
    int64_t due;
    std::map<std::string, int64_t> seen;  // tables of labels and their snapshots, at the last run
  };

  void Work(std::stop_token stop);
  int64_t NextDue(const Schedule& schedule) const;
  bool IsCalledFor(Entry& entry);
  void Run(const Schedule& schedule, std::stop_token stop);

  Instance& instance_;
  owner::OutputSink& output_;
  const Clock& clock_;
  std::vector<Entry> entries_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread worker_;
};

}  // namespace braid::app
