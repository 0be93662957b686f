// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "capture/log.h"
#include "engine/connection.h"
#include "serve/generation.h"
#include "serve/request_json.h"

namespace braid::serve {

// Brings a row into the form of the capture log. Throws Error WRONG_TYPE naming the row for a
// field that the service does not declare or whose type it has not.
void CheckFeedback(const BoundService& service, size_t row_index, FeedbackRow& row);

// How many rows are about inferences that neither the log nor the lake knows.
size_t CountUnknown(const std::string& service, const std::vector<FeedbackRow>& rows,
                    const capture::Log& log, engine::Connection& connection);

}  // namespace braid::serve
