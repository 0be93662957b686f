// SPDX-License-Identifier: Apache-2.0
#include "serve/request_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace braid::serve {

namespace {

// Who asks for one row must not wait for a neighbour's ten thousand.
constexpr size_t kSmallBody = 4096;

bool IsSmallCall(const QueuedRequest& request) {
  return request.form != nullptr && request.body.size() <= kSmallBody;
}

}  // namespace

void RequestQueue::Open() {
  MutexLock lock(mutex_);
  if (!is_closed_) is_open_ = true;
}

bool RequestQueue::is_open() const {
  MutexLock lock(mutex_);
  return is_open_;
}

size_t RequestQueue::size() const {
  MutexLock lock(mutex_);
  return waiting_.size();
}

bool RequestQueue::Push(QueuedRequest& request) {
  {
    MutexLock lock(mutex_);
    if (!is_open_ || waiting_.size() >= limit_) return false;
    waiting_.push_back(std::move(request));
  }
  arrived_.NotifyOne();
  return true;
}

bool RequestQueue::Pop(uint64_t& wakes, std::optional<QueuedRequest>& request) {
  request.reset();
  MutexLock lock(mutex_);
  while (waiting_.empty() && !is_closed_ && wakes == wakes_) arrived_.Wait(mutex_);
  if (waiting_.empty() && is_closed_) return false;
  wakes = wakes_;
  if (waiting_.empty()) return true;
  request = std::move(waiting_.front());
  waiting_.pop_front();
  ++running_;
  return true;
}

void RequestQueue::Wake() {
  {
    MutexLock lock(mutex_);
    ++wakes_;
  }
  arrived_.NotifyAll();
}

std::vector<QueuedRequest> RequestQueue::PopMore(const QueuedRequest& like, size_t limit) {
  std::vector<QueuedRequest> more;
  if (!IsSmallCall(like)) return more;
  MutexLock lock(mutex_);
  while (more.size() < limit && !waiting_.empty() && IsSmallCall(waiting_.front()) &&
         waiting_.front().service == like.service) {
    more.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    ++running_;
  }
  return more;
}

void RequestQueue::Done(size_t requests) {
  MutexLock lock(mutex_);
  running_ -= requests;
  if (running_ == 0 && waiting_.empty()) idle_.NotifyAll();
}

std::vector<QueuedRequest> RequestQueue::Close(std::chrono::milliseconds drain) {
  const auto deadline = std::chrono::steady_clock::now() + drain;
  std::vector<QueuedRequest> left;
  {
    MutexLock lock(mutex_);
    is_open_ = false;
    while (running_ > 0 || !waiting_.empty()) {
      const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      if (rest.count() <= 0) break;
      idle_.WaitFor(mutex_, rest);
    }
    is_closed_ = true;
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(left));
    waiting_.clear();
  }
  arrived_.NotifyAll();
  return left;
}

}  // namespace braid::serve
