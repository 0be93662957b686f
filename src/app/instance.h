// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "flow/runner.h"
#include "http/router.h"
#include "owner/journal.h"
#include "remote/remote_server.h"
#include "serve/service_runtime.h"
#include "session/session.h"

namespace braid::app {

struct InstanceOptions {
  std::filesystem::path home;  // of the lake
  std::filesystem::path root;  // of the project; what relative paths in SQL mean
  bool has_project = true;     // false: `braid sql` without one
  engine::DatabaseOptions engine;
  std::vector<remote::ServerSettings> connections;
  bool recover = false;  // the last holder of the lake's lock did not leave in order
};

// An opened lake with everything that works on it. Made by whoever holds the lake's lock.
// Thread-safe; what it gives out ends before it.
class Instance {
 public:
  Instance(const InstanceOptions& options, const Clock& clock);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const InstanceOptions& options() const;
  session::Workspace workspace();
  owner::Journal& journal();

  // A conversation in SQL, with Braid's own statements.
  std::unique_ptr<session::Session> NewSession(std::chrono::milliseconds writer_wait);

  flow::Plan Plan(const flow::RunOptions& options);
  // Moves captures, runs the project, and journals it all.
  flow::RunSummary Run(flow::RunOptions options, flow::RunObserver& observer, std::stop_token stop);

  // What `braid check` finds: everything that can be wrong, without running. Empty: all is well.
  std::vector<Error> Check(std::vector<std::string>& warnings);

  // Carries captured rows to the lake now.
  void MoveCaptured();

  // The tables of labelled inferences, each with the snapshot that changed it last.
  std::map<std::string, int64_t> LabelTables();
  const Clock& clock() const;

  // Starts answering requests (service runtime, mover). Routes answer through `router`.
  void StartServing(http::Router& router, const serve::RuntimeOptions& options = {});
  // While serving.
  serve::RuntimeStatus ServingStatus() const;
  void StopServing(std::chrono::milliseconds drain);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::app
