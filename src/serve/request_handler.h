// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
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
  // Answers the requests, at the latest when the log has what they hold. Several are of one service
  // that is batched. Never throws.
  void Handle(const std::shared_ptr<const Generation>& generation,
              std::vector<QueuedRequest> requests);

 private:
  void HandleCalls(const Generation& generation, std::span<QueuedRequest> requests);
  void HandleFeedback(const Generation& generation, QueuedRequest& request);
  struct Call;
  // Captures what its rows came to, and answers.
  void Finish(const BoundService& service, int64_t snapshot, Call& call,
              std::span<const RowRunner::Outcome> outcomes);
  // Appends, then answers; an entry that cannot be kept makes the answer an error.
  void Deliver(std::vector<capture::Entry> entries, capture::AccountDelta delta, Answer answer,
               AnswerSink respond);
  // For answers that do not wait for the disk: rows that the log cannot keep are counted as shed.
  void CaptureLater(const std::string& service, std::vector<capture::Entry> entries,
                    int64_t admitted);
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
