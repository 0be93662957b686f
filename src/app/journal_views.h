// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "engine/connection.h"
#include "flow/runner.h"
#include "lake/lake.h"
#include "owner/journal.h"

namespace braid::app {

// Makes rt.braid.run, run_node and expectation_result show the lake's rows and, of runs that
// committed nothing (running, failed, all skipped), the journal's. `journal` must outlive the
// database.
void PublishJournalViews(lake::Lake& lake, engine::Connection& connection,
                         const owner::Journal& journal);

// Writes what a run does into the journal, and passes it on.
class JournalingObserver final : public flow::RunObserver {
 public:
  JournalingObserver(owner::Journal& journal, std::string run_id, flow::RunObserver& next)
      : journal_(journal), run_id_(std::move(run_id)), next_(next) {}
  void RunStarted(const std::vector<std::string>& nodes) override { next_.RunStarted(nodes); }
  void NodeStarted(const std::string& node, size_t index, size_t count) override {
    next_.NodeStarted(node, index, count);
  }
  void NodeProgress(double fraction, std::string_view detail) override {
    next_.NodeProgress(fraction, detail);
  }
  void NodeFinished(const flow::NodeResult& result) override;
  void Notice(std::string_view text) override { next_.Notice(text); }

 private:
  owner::Journal& journal_;
  std::string run_id_;
  flow::RunObserver& next_;
};

}  // namespace braid::app
