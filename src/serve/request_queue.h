// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "serve/answer.h"
#include "serve/request_form.h"

namespace braid::serve {

struct BoundService;

struct QueuedRequest {
  bool is_feedback = false;
  std::string service;                // what Generation::Find knows it by; empty for feedback
  std::unique_ptr<RequestForm> form;  // of a call
  // Asks about the service rather than it: the answer from how it is bound.
  std::function<Answer(const BoundService&)> describe;
  std::string body;
  std::string client_request_id;
  int64_t arrived_at_us = 0;
  int64_t deadline_us = 0;  // by the same clock; 0: none
  AnswerSink respond;
};

// Requests that wait for a worker, in the order of their arrival. Thread-safe.
class RequestQueue {
 public:
  explicit RequestQueue(size_t limit) : limit_(limit) {}

  void Open();
  bool is_open() const;
  size_t size() const;  // requests that wait
  // False, with the request as it was, when the queue is full or not open.
  bool Push(QueuedRequest& request);
  // Waits for a request, whose end Done() must tell, or for a Wake() since the last call with that
  // `wakes` (which begins as 0): then `request` stays empty. False when the queue is closed for
  // good.
  bool Pop(uint64_t& wakes, std::optional<QueuedRequest>& request);
  // Those that wait at the front and are as `like`: calls of its service with a small body; at most
  // that many, none when `like` is large. Never waits; Done() tells their end.
  std::vector<QueuedRequest> PopMore(const QueuedRequest& like, size_t limit);
  void Done(size_t requests = 1);
  void Wake();

  // Takes no more; waits until all that was taken is done, at most `drain`. Then closes for good
  // and returns what is left.
  std::vector<QueuedRequest> Close(std::chrono::milliseconds drain);

 private:
  const size_t limit_;
  mutable Mutex mutex_;
  ConditionVariable arrived_;
  ConditionVariable idle_;
  std::deque<QueuedRequest> waiting_ GUARDED_BY(mutex_);
  size_t running_ GUARDED_BY(mutex_) = 0;
  uint64_t wakes_ GUARDED_BY(mutex_) = 0;
  bool is_open_ GUARDED_BY(mutex_) = false;
  bool is_closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace braid::serve
