// SPDX-License-Identifier: Apache-2.0
#include "loop/live_views.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/transaction.h"
#include "lake/tables.h"
#include "loop/captured_tables_internal.h"
#include "syntax/format.h"

namespace braid::loop {

namespace {

// Each column cast to its type, so that a view goes on to work, without the new fields, between a
// commit that widens its table and the view's renewal.
std::string ColumnList(const std::vector<lake::Column>& columns) {
  std::string list;
  for (const lake::Column& column : columns) {
    const std::string name = syntax::QuoteIdentifier(column.name);
    list +=
        fmt::format("{}CAST({} AS {}) AS {}", list.empty() ? "" : ", ", name, column.type, name);
  }
  return list;
}

std::string ViewQuery(const std::string& schema, const std::string& table,
                      const std::vector<lake::Column>& columns) {
  const std::string list = ColumnList(columns);
  std::string stored = fmt::format("SELECT {} FROM {}", list, LakeTable(schema, table));
  CapturedTables tables{.service = table, .inference = {}, .feedback = {}, .labelled = {}};
  std::string logged;
  if (schema == "inference" && IsInferenceTable(columns)) {
    tables.inference = columns;
    logged = InferenceQuery(tables, LogAboveWatermark(table, capture::EntryKind::kInference));
  } else if (schema == "feedback" && IsFeedbackTable(columns)) {
    tables.feedback = columns;
    logged = FeedbackQuery(tables, LogAboveWatermark(table, capture::EntryKind::kFeedback));
  } else {
    return stored;
  }
  return fmt::format("{} UNION ALL BY NAME ({})", stored, logged);
}

}  // namespace

void PublishLiveViews(lake::Lake& lake) {
  MutexLock publishing(lake.publication_mutex());
  const auto connection = lake.Connect(lake::Scope::kRun);
  std::vector<lake::Lake::LiveView> views;
  std::map<std::string, std::set<std::string>> present = {{"inference", {}}, {"feedback", {}}};
  engine::Transaction transaction(*connection);
  for (const auto& [key, state] : lake::LoadTableStates(*connection)) {
    const auto found = present.find(state.schema);
    if (found == present.end()) continue;
    const auto columns = lake::TableColumns(*connection, state.schema, state.name);
    if (columns.empty()) continue;
    found->second.insert(state.name);
    views.push_back({state.schema, state.name, ViewQuery(state.schema, state.name, columns)});
  }
  transaction.Rollback();
  views.push_back({"braid", "capture_account", "SELECT * FROM braid_capture_accounts()"});
  lake.PublishViews(views);
  for (const auto& [schema, names] : present) {
    for (const std::string& name : lake.PublishedViews(schema))
      if (!names.contains(name)) lake.RetractView(schema, name);
  }
}

}  // namespace braid::loop
