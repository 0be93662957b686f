// SPDX-License-Identifier: Apache-2.0
#include "app/schedules.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace braid::app {

namespace {

// What a run did is told when it has ended.
class SilentObserver final : public flow::RunObserver {
 public:
  void RunStarted(const std::vector<std::string>&) override {}
  void NodeStarted(const std::string&, size_t, size_t) override {}
  void NodeProgress(double, std::string_view) override {}
  void NodeFinished(const flow::NodeResult&) override {}
  void Notice(std::string_view) override {}
};

std::string Words(const flow::RunSummary& summary) {
  std::string words;
  for (const flow::NodeResult& node : summary.nodes)
    if (node.action != "skipped")
      words += fmt::format("{}{} {}", words.empty() ? "" : ", ", node.node, node.action);
  return words.empty() ? "nothing to do" : words;
}

}  // namespace

Schedules::Schedules(const std::vector<Schedule>& schedules, Instance& instance,
                     owner::OutputSink& output, const Clock& clock)
    : instance_(instance), output_(output), clock_(clock) {
  for (const Schedule& schedule : schedules) {
    Entry entry{.schedule = &schedule, .due = NextDue(schedule), .seen = {}};
    if (schedule.when == Schedule::When::kNewLabels) entry.seen = instance_.LabelTables();
    entries_.push_back(std::move(entry));
  }
  if (!entries_.empty())
    worker_ = std::jthread([this](std::stop_token stop) { Work(std::move(stop)); });
}

Schedules::~Schedules() = default;

int64_t Schedules::NextDue(const Schedule& schedule) const {
  return schedule.cron ? schedule.cron->Next(clock_.NowMicros())
                       : clock_.NowMicros() + schedule.every_us;
}

void Schedules::Work(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const auto next =
        std::min_element(entries_.begin(), entries_.end(),
                         [](const Entry& a, const Entry& b) { return a.due < b.due; });
    // Looks at the clock at least once a minute: it may have been set.
    const int64_t wait = std::clamp<int64_t>(next->due - clock_.NowMicros(), 0, 60'000'000);
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, std::chrono::microseconds(wait), [] { return false; });
    }
    if (stop.stop_requested()) return;
    if (next->due > clock_.NowMicros()) continue;
    try {
      if (IsCalledFor(*next)) Run(*next->schedule, stop);
    } catch (const std::exception& error) {
      output_.Err(fmt::format("schedule {}: {}\n", next->schedule->text, error.what()));
    }
    next->due = NextDue(*next->schedule);
  }
}

bool Schedules::IsCalledFor(Entry& entry) {
  const Schedule& schedule = *entry.schedule;
  if (schedule.when == Schedule::When::kCron) return true;
  instance_.MoveCaptured();
  if (schedule.when == Schedule::When::kNewLabels) {
    std::map<std::string, int64_t> now = instance_.LabelTables();
    const bool is_new = now != entry.seen;
    entry.seen = std::move(now);
    return is_new;
  }
  const flow::Plan plan = instance_.Plan({.run_id = {}, .command = {}, .select = schedule.select});
  return std::any_of(plan.nodes.begin(), plan.nodes.end(), [](const flow::PlannedNode& node) {
    return node.action != "skip" && !node.is_unwatched;
  });
}

void Schedules::Run(const Schedule& schedule, std::stop_token stop) {
  SilentObserver observer;
  const flow::RunSummary summary =
      instance_.Run({.run_id = {},
                     .command = fmt::format("schedule {}", schedule.text),
                     .select = schedule.select,
                     .full_refresh = schedule.full_refresh},
                    observer, std::move(stop));
  output_.Err(
      fmt::format("schedule {}: run {}: {}\n", schedule.text, summary.run_id, Words(summary)));
}

}  // namespace braid::app
