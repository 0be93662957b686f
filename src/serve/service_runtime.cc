// SPDX-License-Identifier: Apache-2.0
#include "serve/service_runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "base/text.h"
#include "serve/accounts.h"
#include "serve/generation.h"
#include "serve/request_handler.h"
#include "serve/request_queue.h"
#include "serve/row_runner.h"
#include "serve/target.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

size_t WorkerCount(const RuntimeOptions& options) {
  return options.threads > 0 ? options.threads
                             : std::max<size_t>(1, std::thread::hardware_concurrency());
}

constexpr size_t kMaxBatchedRequests = 64;

bool IsBatched(const Generation& generation, const std::string& service) {
  const std::shared_ptr<const BoundService> found = generation.Find(service);
  return found != nullptr && found->is_batched;
}

// 503 for a service that cannot answer now, whatever the reason's own status is.
Answer RefusalAnswer(const Generation& generation, const std::string& name, const Error& error) {
  Answer answer = ErrorAnswer(error);
  if (generation.unavailable.contains(ToLower(name))) answer.status = 503;
  return answer;
}

Error Refusal(bool is_open) {
  if (!is_open)
    return Error(ErrorCode::kOverloaded, "The server takes no requests now",
                 "it is starting or stopping; try again later");
  return Error(ErrorCode::kOverloaded, "Too many requests wait", "try again later");
}

}  // namespace

struct ServiceRuntime::State {
  State(session::Workspace workspace_in, capture::Log& log_in, const RuntimeOptions& options)
      : workspace(workspace_in),
        log(log_in),
        workers(WorkerCount(options)),
        slots(workers),
        queue(options.max_queued_requests),
        watch(workspace_in.lake.clock()),
        timeout(options.timeout),
        store(workspace.lake, workspace.models, slots),
        builder(workspace, store, options.max_held_rows) {}

  std::shared_ptr<const Generation> Current() const {
    MutexLock lock(generation_mutex);
    return generation;
  }

  // In microseconds; 0: none. What a client asks for is never more than what the server allows.
  int64_t TimeLimit(std::optional<std::chrono::milliseconds> asked) const {
    std::chrono::milliseconds limit = asked.value_or(timeout);
    if (timeout.count() > 0) limit = std::min(limit, timeout);
    return std::chrono::duration_cast<std::chrono::microseconds>(limit).count();
  }

  void Refresh();
  void Work(size_t slot);
  void Enqueue(QueuedRequest request);
  // Binds the model that a request names, unless it is. False: it has been refused.
  bool IsBound(const Generation& now, QueuedRequest& request);

  session::Workspace workspace;
  capture::Log& log;
  const size_t workers;
  RequestSlots slots;
  RequestQueue queue;
  PendingAccounts accounts;
  ServiceCounters counters;
  DeadlineWatch watch;
  const std::chrono::milliseconds timeout;
  std::atomic<int64_t> refreshed_at_us = 0;
  ServingStore store;
  Mutex refresh_mutex;  // before generation_mutex; guards store and builder
  GenerationBuilder builder;
  mutable Mutex generation_mutex;
  std::shared_ptr<const Generation> generation GUARDED_BY(generation_mutex);
  Mutex threads_mutex;
  std::vector<std::thread> threads GUARDED_BY(threads_mutex);
};

void ServiceRuntime::State::Refresh() {
  MutexLock lock(refresh_mutex);
  const std::shared_ptr<const Generation> before = Current();
  std::shared_ptr<const Generation> now = builder.Build(before);
  refreshed_at_us = workspace.lake.clock().NowMicros();
  if (now == before) return;
  {
    MutexLock publication(generation_mutex);
    generation = std::move(now);
  }
  queue.Wake();
}

void ServiceRuntime::State::Work(size_t slot) {
  RequestHandler handler(RowRunner(workspace, store, slots, watch, slot), log, accounts, counters,
                         workspace.lake.clock());
  uint64_t wakes = 0;
  std::optional<QueuedRequest> request;
  while (queue.Pop(wakes, request)) {
    if (request) {
      const std::shared_ptr<const Generation> now = Current();
      if (!IsBound(*now, *request)) {
        queue.Done();
        continue;
      }
      std::vector<QueuedRequest> requests;
      requests.push_back(*std::move(request));
      if (IsBatched(*now, requests.front().service))
        for (QueuedRequest& more : queue.PopMore(requests.front(), kMaxBatchedRequests - 1))
          requests.push_back(std::move(more));
      const size_t count = requests.size();
      handler.Handle(now, std::move(requests));
      queue.Done(count);
    } else {
      // An idle worker may be the last to hold tables of an older generation.
      handler.Keep(Current());
      store.DetachUnused();
    }
  }
}

bool ServiceRuntime::State::IsBound(const Generation& now, QueuedRequest& request) {
  const bool names_model = request.service.find('@') != std::string::npos;
  if (!names_model || now.Find(request.service) != nullptr) return true;
  try {
    MutexLock lock(refresh_mutex);
    if (now.Find(request.service) == nullptr) builder.BindModel(now, request.service);
    return true;
  } catch (const Error& error) {
    request.respond(ErrorAnswer(Error(error.code(), error.message(), error.hint())));
  } catch (const std::exception& error) {
    request.respond(ErrorAnswer(Error(ErrorCode::kInternal, error.what())));
  }
  return false;
}

void ServiceRuntime::State::Enqueue(QueuedRequest request) {
  const Clock& clock = workspace.lake.clock();
  request.arrived_at_us = clock.NowMicros();
  if (request.deadline_us > 0) request.deadline_us += request.arrived_at_us;
  if (request.form != nullptr)
    request.respond = [this, &clock, name = request.service, arrived = request.arrived_at_us,
                       respond = std::move(request.respond)](Answer answer) {
      counters.Answered(name, answer.status, clock.NowMicros() - arrived);
      respond(std::move(answer));
    };
  if (queue.Push(request)) return;
  if (request.form != nullptr) {
    const auto known = Current();
    if (known != nullptr && known->services.contains(request.service))
      accounts.Add(request.service, 1, 1);
  }
  request.respond(ErrorAnswer(Refusal(queue.is_open())));
}

ServiceRuntime::ServiceRuntime(session::Workspace workspace, capture::Log& log,
                               RuntimeOptions options)
    : state_(std::make_unique<State>(workspace, log, options)) {}

ServiceRuntime::~ServiceRuntime() { Stop(std::chrono::milliseconds(0)); }

void ServiceRuntime::Start() {
  state_->Refresh();
  MutexLock lock(state_->threads_mutex);
  if (!state_->threads.empty()) return;
  for (size_t slot = 0; slot < state_->workers; ++slot)
    state_->threads.emplace_back([this, slot] { state_->Work(slot); });
  state_->queue.Open();
}

void ServiceRuntime::Stop(std::chrono::milliseconds drain) {
  for (QueuedRequest& request : state_->queue.Close(drain)) {
    const auto known = state_->Current();
    if (known != nullptr && request.form != nullptr && known->services.contains(request.service))
      state_->accounts.Add(request.service, 1, 1);
    request.respond(ErrorAnswer(Refusal(false)));
  }
  {
    MutexLock lock(state_->threads_mutex);
    for (std::thread& thread : state_->threads) thread.join();
    state_->threads.clear();
  }
  try {
    // What was captured late and failed is counted by now.
    state_->log.Flush();
    std::vector<capture::AccountDelta> rest = state_->accounts.Take();
    for (capture::AccountDelta& promise : state_->accounts.TakePromises())
      rest.push_back(std::move(promise));
    if (!rest.empty()) state_->log.AppendAndWait({}, std::move(rest));
    state_->log.Flush();
  } catch (const Error&) {
    // A log that is closed or whose disk fails has told those who waited.
    return;
  }
}

void ServiceRuntime::Refresh() { state_->Refresh(); }

void ServiceRuntime::Call(const std::string& service, std::string body,
                          std::string client_request_id, AnswerSink respond,
                          std::optional<std::chrono::milliseconds> timeout) {
  const std::string key = ToLower(service);
  const std::shared_ptr<const Generation> generation = state_->Current();
  if (generation != nullptr && !generation->services.contains(key)) {
    respond(AbsentServiceAnswer(*generation, key));
    return;
  }
  if (generation == nullptr) return respond(ErrorAnswer(Refusal(false)));
  state_->Enqueue({.service = key,
                   .form = JsonForm(),
                   .describe = nullptr,
                   .body = std::move(body),
                   .client_request_id = std::move(client_request_id),
                   .deadline_us = state_->TimeLimit(timeout),
                   .respond = std::move(respond)});
}

void ServiceRuntime::Ask(ServiceRequest request) {
  const std::shared_ptr<const Generation> generation = state_->Current();
  if (generation == nullptr) return request.respond(ErrorAnswer(Refusal(false)));
  QueuedRequest queued{.service = "",
                       .form = std::move(request.form),
                       .describe = nullptr,
                       .body = std::move(request.body),
                       .client_request_id = std::move(request.client_request_id),
                       .deadline_us = state_->TimeLimit(request.timeout),
                       .respond = std::move(request.respond)};
  try {
    queued.service = TargetKey(*generation, request.name, request.version);
  } catch (const Error& error) {
    return queued.respond(RefusalAnswer(*generation, request.name, error));
  }
  state_->Enqueue(std::move(queued));
}

void ServiceRuntime::Describe(const std::string& name, const std::string& version,
                              std::function<Answer(const ServiceSchema&)> describe,
                              AnswerSink respond) {
  const std::shared_ptr<const Generation> generation = state_->Current();
  if (generation == nullptr) return respond(ErrorAnswer(Refusal(false)));
  std::string key;
  try {
    key = TargetKey(*generation, name, version);
  } catch (const Error& error) {
    return respond(RefusalAnswer(*generation, name, error));
  }
  state_->Enqueue({.service = std::move(key),
                   .form = nullptr,
                   .describe = [describe = std::move(describe)](
                                   const BoundService& bound) { return describe(bound.schema); },
                   .body = "",
                   .client_request_id = "",
                   .respond = std::move(respond)});
}

std::string ServiceRuntime::Find(const std::string& name, const std::string& version) const {
  const std::shared_ptr<const Generation> generation = state_->Current();
  if (generation == nullptr || !ready()) throw Refusal(false);
  return TargetKey(*generation, name, version);
}

std::vector<ServiceRuntime::ModelVersions> ServiceRuntime::Models() const {
  std::vector<ModelVersions> models;
  const std::shared_ptr<const Generation> generation = state_->Current();
  if (generation == nullptr) return models;
  for (const auto& [name, versions] : generation->state->versions) {
    ModelVersions model{.model = name, .versions = {}};
    for (const catalog::ModelVersion& version : versions)
      model.versions.emplace_back(version.version, version.type);
    models.push_back(std::move(model));
  }
  return models;
}

void ServiceRuntime::Feedback(std::string body, AnswerSink respond) {
  state_->Enqueue({.is_feedback = true,
                   .service = "",
                   .form = nullptr,
                   .describe = nullptr,
                   .body = std::move(body),
                   .client_request_id = "",
                   .respond = std::move(respond)});
}

RuntimeStatus ServiceRuntime::Status() const {
  RuntimeStatus status{.services = state_->counters.Read(),
                       .accounts = state_->log.Accounts(),
                       .commit_times = state_->log.CommitTimes(),
                       .queued_requests = state_->queue.size(),
                       .refreshed_at_us = state_->refreshed_at_us};
  if (const std::shared_ptr<const Generation> generation = state_->Current()) {
    status.snapshot = generation->snapshot;
    status.unavailable_services = generation->unavailable.size();
  }
  return status;
}

std::vector<ServiceSchema> ServiceRuntime::Services() const {
  std::vector<ServiceSchema> schemas;
  const std::shared_ptr<const Generation> generation = state_->Current();
  if (generation == nullptr) return schemas;
  for (const auto& [name, service] : generation->services) schemas.push_back(service->schema);
  return schemas;
}

std::vector<std::pair<std::string, std::string>> ServiceRuntime::Unavailable() const {
  std::vector<std::pair<std::string, std::string>> list;
  const std::shared_ptr<const Generation> generation = state_->Current();
  if (generation == nullptr) return list;
  for (const auto& [name, error] : generation->unavailable)
    list.emplace_back(name,
                      fmt::format("{}: {}", braid::Describe(error.code()).text, error.message()));
  return list;
}

bool ServiceRuntime::ready() const { return state_->queue.is_open(); }

}  // namespace braid::serve
