// SPDX-License-Identifier: Apache-2.0
#include "serve/request_handler.h"

#include <fmt/format.h>

#include <exception>
#include <iterator>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "serve/capture_payload.h"
#include "serve/feedback_check.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

constexpr int kUnavailable = 503;

std::string ErrorText(const Error& error) {
  return fmt::format("{}: {}", Describe(error.code()).text, error.message());
}

Error ToError(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(ErrorCode::kInternal, error.what());
  }
}

std::string AnswerRow(const std::string& inference_id, const RowRunner::Outcome& outcome) {
  std::string row = fmt::format("{{\"inference_id\":\"{}\"", inference_id);
  if (outcome.error) {
    row += ",\"error\":" + ErrorJson(*outcome.error) + "}";
  } else {
    row += ',';
    row.append(outcome.output_json, 1);
  }
  return row;
}

}  // namespace

Answer AbsentServiceAnswer(const Generation& generation, const std::string& service) {
  const auto unavailable = generation.unavailable.find(service);
  if (unavailable != generation.unavailable.end()) {
    Answer answer = ErrorAnswer(unavailable->second);
    answer.status = kUnavailable;
    return answer;
  }
  std::vector<std::string> known;
  for (const auto& entry : generation.services) known.push_back(entry.first);
  const auto close = ClosestMatch(service, known);
  return ErrorAnswer(Error(
      ErrorCode::kServiceNotFound, "Service not found: " + service,
      close ? fmt::format("did you mean {}?", *close) : "GET /v1/services lists the services"));
}

RequestHandler::RequestHandler(RowRunner runner, capture::Log& log, PendingAccounts& accounts,
                               const Clock& clock)
    : runner_(std::move(runner)), log_(log), accounts_(accounts), clock_(clock) {}

void RequestHandler::Keep(const std::shared_ptr<const Generation>& generation) {
  if (generation_ == generation) return;
  runner_.Keep(*generation);
  generation_ = generation;
}

struct RequestHandler::Call {
  QueuedRequest& request;
  std::optional<Error> error;  // the body could not be read
  size_t begin = 0;            // its rows among all
  size_t count = 0;
};

void RequestHandler::Handle(const std::shared_ptr<const Generation>& generation,
                            std::vector<QueuedRequest> requests) {
  Keep(generation);
  try {
    if (requests.front().is_feedback) {
      HandleFeedback(*generation, requests.front());
    } else {
      HandleCalls(*generation, requests);
    }
  } catch (const Error& error) {
    for (QueuedRequest& request : requests) request.respond(ErrorAnswer(error));
  } catch (const std::exception& error) {
    for (QueuedRequest& request : requests)
      request.respond(ErrorAnswer(Error(ErrorCode::kInternal, error.what())));
  }
}

void RequestHandler::HandleCalls(const Generation& generation, std::span<QueuedRequest> requests) {
  const auto found = generation.services.find(requests.front().service);
  if (found == generation.services.end()) {
    for (QueuedRequest& request : requests)
      request.respond(AbsentServiceAnswer(generation, request.service));
    return;
  }
  const std::shared_ptr<const BoundService>& service = found->second;
  std::vector<Call> calls;
  std::vector<DecodedRow> rows;
  for (QueuedRequest& request : requests) {
    Call call{.request = request, .error = {}, .begin = rows.size()};
    try {
      DecodedRequest decoded = DecodeServiceRequest(request.body, service->schema.parameters);
      std::move(decoded.rows.begin(), decoded.rows.end(), std::back_inserter(rows));
    } catch (const Error& error) {
      call.error = error;
    }
    call.count = rows.size() - call.begin;
    calls.push_back(std::move(call));
  }
  const std::vector<RowRunner::Outcome> outcomes = runner_.Run(service, rows);
  for (Call& call : calls) {
    try {
      Finish(*service, generation.snapshot, call,
             std::span(outcomes).subspan(call.begin, call.count));
    } catch (const std::exception& error) {
      call.request.respond(ErrorAnswer(Error(ErrorCode::kInternal, error.what())));
    }
  }
}

void RequestHandler::Finish(const BoundService& service, int64_t snapshot, Call& call,
                            std::span<const RowRunner::Outcome> outcomes) {
  const CaptureMode mode = service.schema.settings.capture;
  const QueuedRequest& request = call.request;
  InferenceRecord record{.arrived_at_us = request.arrived_at_us,
                         .service_version = service.schema.version,
                         .model_versions = service.schema.model_versions,
                         .lake_snapshot = snapshot};
  std::vector<capture::Entry> entries;
  const auto capture = [&](const std::string& id, const RowRunner::Outcome& outcome) {
    if (mode == CaptureMode::kOff) return;
    record.answered_at_us = clock_.NowMicros();
    record.status = outcome.error ? "error" : "ok";
    record.error = outcome.error ? ErrorText(*outcome.error) : "";
    record.input_json = outcome.input_json;
    record.output_json = outcome.output_json;
    entries.push_back({.kind = capture::EntryKind::kInference,
                       .service = service.schema.name,
                       .id = id,
                       .payload = EncodeInference(record),
                       .client_request_id = request.client_request_id});
  };
  Answer answer;
  int64_t rows = 1;
  if (call.error) {
    capture(NewUuidV7(clock_), {.error = call.error, .input_json = "", .output_json = ""});
    answer = ErrorAnswer(*call.error);
  } else {
    answer.body = "{\"rows\":[";
    for (const RowRunner::Outcome& outcome : outcomes) {
      const std::string id = NewUuidV7(clock_);
      capture(id, outcome);
      if (answer.body.back() != '[') answer.body += ',';
      answer.body += AnswerRow(id, outcome);
    }
    answer.body += "]}";
    rows = static_cast<int64_t>(outcomes.size());
  }
  if (mode != CaptureMode::kDurable || entries.empty()) {
    const int64_t admitted = accounts_.Admit(log_, request.service, rows);
    if (entries.empty())
      accounts_.Add(request.service, rows, 0, admitted);
    else
      CaptureLater(request.service, std::move(entries), admitted);
    request.respond(std::move(answer));
    AppendDueAccounts();
    return;
  }
  capture::AccountDelta delta{.service = request.service, .served = rows, .captured = rows};
  Deliver(std::move(entries), std::move(delta), std::move(answer), request.respond);
}

void RequestHandler::HandleFeedback(const Generation& generation, QueuedRequest& request) {
  DecodedFeedback feedback = DecodeFeedback(request.body);
  const std::string name = ToLower(feedback.service);
  const auto found = generation.services.find(name);
  if (found == generation.services.end()) {
    request.respond(AbsentServiceAnswer(generation, name));
    return;
  }
  std::vector<capture::Entry> entries;
  for (size_t i = 0; i < feedback.rows.size(); ++i) {
    FeedbackRow& row = feedback.rows[i];
    CheckFeedback(*found->second, i, row);
    entries.push_back({.kind = capture::EntryKind::kFeedback,
                       .service = name,
                       .id = NewUuidV7(clock_),
                       .payload = EncodeFeedback(row),
                       .client_request_id = row.client_request_id.value_or("")});
  }
  const size_t unknown = CountUnknown(name, feedback.rows, log_, runner_.live_connection());
  Answer answer{.status = 200,
                .body = fmt::format("{{\"accepted\":{},\"unknown\":{}}}", entries.size(), unknown)};
  if (entries.empty()) {
    request.respond(std::move(answer));
    return;
  }
  Deliver(std::move(entries), {.service = name}, std::move(answer), request.respond);
}

void RequestHandler::Deliver(std::vector<capture::Entry> entries, capture::AccountDelta delta,
                             Answer answer, AnswerSink respond) {
  const std::string service = delta.service;
  const int64_t rows = delta.served;
  const std::vector<capture::AccountDelta> pending = accounts_.Take();
  std::vector<capture::AccountDelta> deltas = pending;
  deltas.push_back(std::move(delta));
  // Shared: the log may drop its copy without a call when Append throws.
  const auto sink = std::make_shared<AnswerSink>(std::move(respond));
  try {
    log_.Append(std::move(entries), std::move(deltas),
                [sink, answer = std::move(answer)](const std::exception_ptr& failure) mutable {
                  (*sink)(failure == nullptr ? std::move(answer) : ErrorAnswer(ToError(failure)));
                });
  } catch (const Error& error) {
    accounts_.PutBack(pending);
    accounts_.Add(service, rows, rows);
    (*sink)(ErrorAnswer(error));
  }
}

void RequestHandler::CaptureLater(const std::string& service, std::vector<capture::Entry> entries,
                                  int64_t admitted) {
  const auto rows = static_cast<int64_t>(entries.size());
  const auto shed = [&accounts = accounts_, service, rows, admitted] {
    accounts.Add(service, rows, rows, admitted);
  };
  try {
    log_.Append(std::move(entries),
                {{.service = service, .served = rows, .captured = rows, .reserved = -admitted}},
                [shed](const std::exception_ptr& failure) {
                  if (failure != nullptr) shed();
                });
  } catch (const Error&) {
    shed();
  }
}

void RequestHandler::AppendDueAccounts() {
  std::vector<capture::AccountDelta> due = accounts_.TakeDue(clock_.NowMicros());
  if (due.empty()) return;
  try {
    log_.Append({}, due, [](const std::exception_ptr&) {});
  } catch (const Error&) {
    accounts_.PutBack(due);
  }
}

}  // namespace braid::serve
