// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/connection.h"
#include "serve/deadline_watch.h"
#include "serve/generation.h"
#include "serve/request_form.h"
#include "serve/request_slots.h"
#include "serve/serving_store.h"
#include "session/session.h"

namespace braid::serve {

// Runs request rows for one worker on statements that it keeps prepared: together where that
// changes no answer (BoundService::is_batched), else each on its own. A row that fails in company
// is run again alone, so it fails alone. A row whose request's time is over is not begun, and one
// that runs alone is stopped then (INTERRUPTED). One thread.
class RowRunner {
 public:
  RowRunner(const session::Workspace& workspace, ServingStore& store, RequestSlots& slots,
            DeadlineWatch& watch, size_t slot);

  // Forgets what that generation has not.
  void Keep(const Generation& generation);

  using Outcome = RowOutcome;
  // One outcome for each row, in order.
  std::vector<Outcome> Run(const std::shared_ptr<const BoundService>& service,
                           std::span<const DecodedRow> rows);

  // A connection that sees the lake and what is not in it yet.
  engine::Connection& live_connection();

 private:
  struct Prepared {
    std::shared_ptr<const BoundService> service;
    std::shared_ptr<engine::Connection> connection;
    engine::PreparedStatement statement;
    std::optional<engine::PreparedStatement> batch;
  };
  Prepared& PreparedFor(const std::shared_ptr<const BoundService>& service);
  // Outputs as JSON objects, in the order of the rows; empty where a row has no answer or several,
  // or anything failed.
  std::vector<std::string> AskTogether(const std::shared_ptr<const BoundService>& service,
                                       std::span<const RequestSlots::Row> rows,
                                       int64_t deadline_us);
  void AskAlone(const std::shared_ptr<const BoundService>& service, const RequestSlots::Row& row,
                int64_t deadline_us, Outcome& outcome);
  std::string Ask(const std::shared_ptr<const BoundService>& service, const RequestSlots::Row& row,
                  int64_t deadline_us);
  bool IsOver(int64_t deadline_us) const;

  session::Workspace workspace_;
  ServingStore& store_;
  RequestSlots& slots_;
  DeadlineWatch& watch_;
  size_t slot_;
  std::map<const BoundService*, Prepared> prepared_;
  std::unique_ptr<engine::Connection> live_;
};

}  // namespace braid::serve
