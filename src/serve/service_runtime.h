// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capture/log.h"
#include "serve/answer.h"
#include "serve/request_form.h"
#include "serve/service_counters.h"
#include "serve/service_schema.h"
#include "session/session.h"

namespace braid::serve {

struct RuntimeOptions {
  size_t threads = 0;                   // workers; 0: one a core
  size_t max_queued_requests = 10'000;  // more are refused (OVERLOADED)
  // What a request may take at most (INTERRUPTED, status 504); 0: any time.
  std::chrono::milliseconds timeout{0};
  // Tables with more rows are not held in memory; services that read them ask the lake at each
  // request.
  int64_t max_held_rows = 10'000'000;
};

struct ServiceRequest {
  std::string name;     // of a service or a model
  std::string version;  // of it; empty: the one that answers
  std::string body;
  std::string client_request_id;
  std::unique_ptr<RequestForm> form;
  std::optional<std::chrono::milliseconds> timeout;  // none: RuntimeOptions'
  AnswerSink respond;
};

// What a monitor wants to know.
struct RuntimeStatus {
  std::vector<ServiceCount> services;
  std::vector<capture::Account> accounts;  // durable, over all starts
  DurationHistogram::Reading commit_times;
  size_t queued_requests = 0;
  size_t unavailable_services = 0;
  int64_t snapshot = 0;         // that services answer from
  int64_t refreshed_at_us = 0;  // when it was last looked for a newer one
};

// Serves what the catalogue declares: decodes requests, runs the service's SQL on each row,
// captures, then answers. Tables that services read are held in memory, all from one snapshot, and
// are exchanged together when Refresh finds a newer one; requests go on meanwhile on what was
// there. Services over inference.*, feedback.*, braid.*, views of the lake or very large tables
// read them live instead, which costs milliseconds. Thread-safe. `log` must outlive it.
class ServiceRuntime {
 public:
  ServiceRuntime(session::Workspace workspace, capture::Log& log, RuntimeOptions options = {});
  ~ServiceRuntime();  // as Stop(0)

  // Binds (Refresh), then takes requests.
  void Start();
  // Takes no more requests (OVERLOADED), finishes those taken for up to `drain`; those that still
  // wait then are refused. Returns when every request has been answered.
  void Stop(std::chrono::milliseconds drain);

  // Binds all services to the published catalogue and the newest snapshot, if either moved. Called
  // after each commit. Services that cannot be bound (their model has no version yet) answer with
  // that error. Throws when the lake cannot be read; what was there goes on.
  void Refresh();

  // POST /v1/services/<s>. `respond` is called once, from any thread, after the rows are on disk.
  // An unknown service or a full queue is answered, not thrown.
  void Call(const std::string& service, std::string body, std::string client_request_id,
            AnswerSink respond, std::optional<std::chrono::milliseconds> timeout = std::nullopt);

  // Asks what TargetKey (target.h) finds, in any form. As Call otherwise.
  void Ask(ServiceRequest request);
  // Answers about a service or model from how it is bound, which takes a moment for a model that
  // has not been asked yet.
  void Describe(const std::string& name, const std::string& version,
                std::function<Answer(const ServiceSchema&)> describe, AnswerSink respond);
  // What Status() calls that service or model. Throws why it would not answer.
  std::string Find(const std::string& name, const std::string& version) const;
  // Each model with its versions and their kinds, by name.
  struct ModelVersions {
    std::string model;
    std::vector<std::pair<int64_t, std::string>> versions;
  };
  std::vector<ModelVersions> Models() const;

  // POST /v1/feedback.
  void Feedback(std::string body, AnswerSink respond);

  RuntimeStatus Status() const;
  std::vector<ServiceSchema> Services() const;
  // Services that are declared but cannot answer now: name and why.
  std::vector<std::pair<std::string, std::string>> Unavailable() const;
  bool ready() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace braid::serve
