// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "capture/log.h"
#include "engine/connection.h"
#include "lake/tables.h"

namespace braid::loop {

// The lake's tables of one service, as a transaction sees them; a list is empty where the table is
// missing or has not the columns that captures need.
struct CapturedTables {
  std::string service;
  std::vector<lake::Column> inference;
  std::vector<lake::Column> feedback;
  std::vector<lake::Column> labelled;
};

CapturedTables FindCapturedTables(engine::Connection& connection, const std::string& service);

bool IsInferenceTable(const std::vector<lake::Column>& columns);
bool IsFeedbackTable(const std::vector<lake::Column>& columns);
bool IsLabelledTable(const std::vector<lake::Column>& columns);

// lake."schema"."table"
std::string LakeTable(const std::string& schema, const std::string& table);

// A FROM clause of the log's rows of a service, named `rows`: those above the watermark of the
// lake, or those with above < position <= upto.
std::string LogAboveWatermark(const std::string& service, capture::EntryKind kind);
std::string LogRange(const std::string& service, capture::EntryKind kind, int64_t above,
                     int64_t upto);

// Queries that make rows of inference.<s> and feedback.<s> of the log's; both name the columns.
// `supersedes` is the revision before, in the log or else in the lake, of the same target and
// origin.
std::string InferenceQuery(const CapturedTables& tables, const std::string& from_log);
std::string FeedbackQuery(const CapturedTables& tables, const std::string& from_log);

}  // namespace braid::loop
