// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "capture/log.h"
#include "engine/connection.h"
#include "lake/lake.h"

namespace braid::loop {

// Registers table functions over a log: braid_capture_log(service, kind) and
// braid_capture_range(service, kind, above, upto) give (position, id, client_request_id,
// recorded_at in µs, payload), kind 1 inferences, 2 feedback; braid_capture_accounts() the
// accounts. `log` must outlive the database.
void RegisterCaptureFunctions(engine::Connection& connection, const capture::Log& log);

// Makes rt.inference.<s> and rt.feedback.<s> show the lake's rows and, above the watermark that the
// same snapshot holds, the log's; rt.inference.<s>_labelled and other tables of these schemas as
// they are in the lake; rt.braid.capture_account the accounts. What the lake no longer has is
// retracted. Called at open, after RegisterCaptureFunctions, and after each commit that may have
// changed tables in these schemas.
//
// A statement over these views is exact while it holds a lake::ReadRegistry::Guard taken before it
// began (or, within a transaction, before that began).
void PublishLiveViews(lake::Lake& lake);

}  // namespace braid::loop
