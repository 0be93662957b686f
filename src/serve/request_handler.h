// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "capture/log.h"
#include "serve/accounts.h"
#include "serve/generation.h"
#include "serve/request_queue.h"
#include "serve/row_runner.h"

namespace braid::serve {

// What one worker does with a request: decode, run, capture, answer. One thread.
class RequestHandler {
 public:
  RequestHandler(RowRunner runner, capture::Log& log, PendingAccounts& accounts,
                 const Clock& clock);

  // Lets go of what only older generations need.
  void Keep(const std::shared_ptr<const Generation>& generation);
  // Answers the request, at the latest when the log has what it holds. Never throws.
  void Handle(const std::shared_ptr<const Generation>& generation, QueuedRequest request);

 private:
  void HandleCall(const Generation& generation, QueuedRequest& request);
  void HandleFeedback(const Generation& generation, QueuedRequest& request);
  // The answer; `entries` gets one entry a row, unless the service captures nothing.
  Answer AnswerRows(const std::shared_ptr<const BoundService>& service,
                    const Generation& generation, const QueuedRequest& request,
                    std::vector<capture::Entry>& entries, int64_t& rows);
  // Appends, then answers; an entry that cannot be kept makes the answer an error.
  void Deliver(std::vector<capture::Entry> entries, capture::AccountDelta delta, Answer answer,
               AnswerSink respond);
  void AppendDueAccounts();

  RowRunner runner_;
  capture::Log& log_;
  PendingAccounts& accounts_;
  const Clock& clock_;
  std::shared_ptr<const Generation> generation_;
};

// Why a service does not answer, when it is not among those that can.
Answer AbsentServiceAnswer(const Generation& generation, const std::string& service);

}  // namespace braid::serve
