// SPDX-License-Identifier: Apache-2.0
#include "app/run_display.h"

#include <fmt/format.h>

#include <algorithm>

namespace braid::app {

void RunDisplay::RunStarted(const std::vector<std::string>& nodes) {
  for (const std::string& node : nodes) width_ = std::max(width_, node.size());
}

void RunDisplay::NodeStarted(const std::string& node, size_t index, size_t count) {
  working_ = fmt::format("[{}/{}] {}", index + 1, count, node);
  Live(working_ + " …");
}

void RunDisplay::NodeProgress(double fraction, std::string_view detail) {
  std::string text = working_;
  if (fraction >= 0) text += fmt::format(" {:3.0f} %", fraction * 100);
  if (!detail.empty()) text += fmt::format(" {}", detail);
  Live(text);
}

void RunDisplay::NodeFinished(const flow::NodeResult& result) {
  std::string text =
      fmt::format("{:<{}}  {:<17}  {:<9}", result.node, width_, result.kind, result.action);
  text += result.rows ? fmt::format("  {:>9} rows", *result.rows) : std::string(16, ' ');
  text += fmt::format("  {:6.2f} s", result.seconds);
  if (!result.error.empty()) {
    text += "  " + result.error;
  } else if (!result.reason.empty()) {
    text += fmt::format("  {}", result.reason);
  }
  Line(text);
  for (const flow::ExpectationResult& rule : result.expectations)
    if (rule.failed > 0)
      Line(fmt::format("{:<{}}    {}: {} of {} rows break it ({})", "", width_, rule.name,
                       rule.failed, rule.passed + rule.failed, rule.action));
}

void RunDisplay::Notice(std::string_view text) { Line(fmt::format("note: {}", text)); }

void RunDisplay::Finish(const flow::RunSummary& summary) {
  const auto skipped =
      std::count_if(summary.nodes.begin(), summary.nodes.end(),
                    [](const flow::NodeResult& node) { return node.action == "skipped"; });
  const auto all = static_cast<std::ptrdiff_t>(summary.nodes.size());
  Line(fmt::format(
      "run {} {}: {} nodes, {} changed, {} skipped, {}, {:.2f} s", summary.run_id, summary.status,
      all, all - skipped, skipped,
      summary.snapshot_id ? fmt::format("snapshot {}", *summary.snapshot_id) : "nothing to commit",
      summary.seconds));
  Line("next: braid sql \"SHOW MODELS\", braid serve");
}

void RunDisplay::Live(const std::string& text) {
  if (terminal_) output_.Err("\r\x1b[K" + text);
}

void RunDisplay::Line(const std::string& text) {
  output_.Err((terminal_ ? "\r\x1b[K" : "") + text + "\n");
}

std::string RenderPlan(const flow::Plan& plan) {
  size_t name = 0;
  size_t kind = 0;
  for (const flow::PlannedNode& node : plan.nodes) {
    name = std::max(name, node.node.size());
    kind = std::max(kind, node.kind.size());
  }
  std::string text;
  for (const flow::PlannedNode& node : plan.nodes) {
    std::string upstream;
    for (const std::string& one : node.upstream)
      upstream += (upstream.empty() ? " ← " : ", ") + one;
    text += fmt::format("{:<{}}  {:<{}}  {:<7}  {}{}\n", node.node, name, node.kind, kind,
                        node.action, node.reason, upstream);
  }
  return text;
}

}  // namespace braid::app
