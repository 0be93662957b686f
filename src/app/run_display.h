// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "flow/runner.h"
#include "owner/command.h"

namespace braid::app {

// Shows a run on standard error: on a terminal one line that changes with the node at work, and
// everywhere a line for each node that is done.
class RunDisplay final : public flow::RunObserver {
 public:
  RunDisplay(owner::OutputSink& output, bool terminal) : output_(output), terminal_(terminal) {}
  void RunStarted(const std::vector<std::string>& nodes) override;
  void NodeStarted(const std::string& node, size_t index, size_t count) override;
  void NodeProgress(double fraction, std::string_view detail) override;
  void NodeFinished(const flow::NodeResult& result) override;
  void Notice(std::string_view text) override;
  // The last line: what the run did, and what to do next.
  void Finish(const flow::RunSummary& summary);

 private:
  void Live(const std::string& text);
  void Line(const std::string& text);

  owner::OutputSink& output_;
  bool terminal_;
  size_t width_ = 0;  // of node names
  std::string working_;
};

// A plan as text: a line a node in the order of execution, what it reads, what happens and why.
std::string RenderPlan(const flow::Plan& plan);

}  // namespace braid::app
