// SPDX-License-Identifier: Apache-2.0
#include "serve/service_runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "base/text.h"
#include "serve/accounts.h"
#include "serve/generation.h"
#include "serve/request_handler.h"
#include "serve/request_queue.h"
#include "serve/row_runner.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

size_t WorkerCount(const RuntimeOptions& options) {
  return options.threads > 0 ? options.threads
                             : std::max<size_t>(1, std::thread::hardware_concurrency());
}

constexpr size_t kMaxBatchedRequests = 64;

bool IsBatched(const Generation& generation, const std::string& service) {
  const auto found = generation.services.find(service);
  return found != generation.services.end() && found->second->is_batched;
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
        store(workspace.lake, workspace.models, slots),
        builder(workspace, store, options.max_held_rows) {}

  std::shared_ptr<const Generation> Current() const {
    MutexLock lock(generation_mutex);
    return generation;
  }

  void Refresh();
  void Work(size_t slot);
  void Enqueue(QueuedRequest request);

  session::Workspace workspace;
  capture::Log& log;
  const size_t workers;
  RequestSlots slots;
  RequestQueue queue;
  PendingAccounts accounts;
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
  if (now == before) return;
  {
    MutexLock publication(generation_mutex);
    generation = std::move(now);
  }
  queue.Wake();
}

void ServiceRuntime::State::Work(size_t slot) {
  RequestHandler handler(RowRunner(workspace, store, slots, slot), log, accounts,
                         workspace.lake.clock());
  uint64_t wakes = 0;
  std::optional<QueuedRequest> request;
  while (queue.Pop(wakes, request)) {
    if (request) {
      const std::shared_ptr<const Generation> now = Current();
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

void ServiceRuntime::State::Enqueue(QueuedRequest request) {
  request.arrived_at_us = workspace.lake.clock().NowMicros();
  if (queue.Push(request)) return;
  if (!request.is_feedback) {
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
    if (!request.is_feedback) state_->accounts.Add(request.service, 1, 1);
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
                          std::string client_request_id, AnswerSink respond) {
  const std::string key = ToLower(service);
  const std::shared_ptr<const Generation> generation = state_->Current();
  if (generation != nullptr && !generation->services.contains(key)) {
    respond(AbsentServiceAnswer(*generation, key));
    return;
  }
  state_->Enqueue({.service = key,
                   .body = std::move(body),
                   .client_request_id = std::move(client_request_id),
                   .respond = std::move(respond)});
}

void ServiceRuntime::Feedback(std::string body, AnswerSink respond) {
  state_->Enqueue({.is_feedback = true,
                   .service = "",
                   .body = std::move(body),
                   .client_request_id = "",
                   .respond = std::move(respond)});
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
    list.emplace_back(name, fmt::format("{}: {}", Describe(error.code()).text, error.message()));
  return list;
}

bool ServiceRuntime::ready() const { return state_->queue.is_open(); }

}  // namespace braid::serve
