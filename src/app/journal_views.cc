// SPDX-License-Identifier: Apache-2.0
#include "app/journal_views.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "engine/functions.h"

namespace braid::app {

namespace {

using engine::VectorWriter;

void WriteInteger(VectorWriter& column, size_t row, const std::optional<int64_t>& value) {
  if (value) {
    column.integers()[row] = *value;
  } else {
    column.SetNull(row);
  }
}

void WriteText(VectorWriter& column, size_t row, const std::string& text) {
  text.empty() ? column.SetNull(row) : column.SetString(row, text);
}

void WriteRow(const owner::RunRow& run, std::span<VectorWriter> out, size_t row) {
  out[0].SetString(row, run.run_id);
  out[1].integers()[row] = run.started_at_us;
  WriteInteger(out[2], row, run.finished_at_us);
  out[3].SetString(row, owner::RunStatusText(run.status));
  WriteInteger(out[4], row, run.snapshot_id);
  out[5].SetString(row, run.command);
}

void WriteRow(const owner::RunNodeRow& node, std::span<VectorWriter> out, size_t row) {
  out[0].SetString(row, node.run_id);
  out[1].SetString(row, node.node);
  out[2].SetString(row, node.kind);
  out[3].SetString(row, node.action);
  WriteText(out[4], row, node.reason);
  WriteInteger(out[5], row, node.rows);
  out[6].doubles()[row] = node.seconds;
  WriteText(out[7], row, node.error);
}

void WriteRow(const owner::ExpectationRow& rule, std::span<VectorWriter> out, size_t row) {
  out[0].SetString(row, rule.run_id);
  out[1].SetString(row, rule.node);
  out[2].SetString(row, rule.name);
  out[3].SetString(row, rule.action);
  out[4].integers()[row] = rule.passed;
  out[5].integers()[row] = rule.failed;
}

// A table function over rows that are read when a scan begins.
template <typename Read>
void RegisterRows(engine::Connection& connection, const std::string& name,
                  std::vector<engine::TableFunction::Column> columns, Read read) {
  engine::TableFunction function;
  function.name = name;
  function.columns = std::move(columns);
  function.open = [read](std::span<const std::string>) -> engine::TableFunction::Producer {
    auto rows = std::make_shared<decltype(read())>(read());
    return [rows, at = size_t{0}](std::span<VectorWriter> out, size_t capacity) mutable {
      size_t written = 0;
      for (; written < capacity && at < rows->size(); ++written, ++at)
        WriteRow((*rows)[at], out, written);
      return written;
    };
  };
  engine::Register(connection, std::move(function));
}

lake::Lake::LiveView View(const std::string& table, const std::string& columns) {
  return {
      "braid", table,
      fmt::format("SELECT {0} FROM lake.braid.{1} UNION ALL SELECT {0} FROM braid_journal_{1}() "
                  "WHERE run_id NOT IN (SELECT run_id FROM lake.braid.run)",
                  columns, table)};
}

}  // namespace

void PublishJournalViews(lake::Lake& lake, engine::Connection& connection,
                         const owner::Journal& journal) {
  RegisterRows(connection, "braid_journal_run",
               {{"run_id", "VARCHAR"},
                {"started_at", "TIMESTAMPTZ"},
                {"finished_at", "TIMESTAMPTZ"},
                {"status", "VARCHAR"},
                {"snapshot_id", "BIGINT"},
                {"command", "VARCHAR"}},
               [&journal] { return journal.Runs(); });
  RegisterRows(connection, "braid_journal_run_node",
               {{"run_id", "VARCHAR"},
                {"node", "VARCHAR"},
                {"kind", "VARCHAR"},
                {"action", "VARCHAR"},
                {"reason", "VARCHAR"},
                {"rows", "BIGINT"},
                {"seconds", "DOUBLE"},
                {"error", "VARCHAR"}},
               [&journal] { return journal.RunNodes(); });
  RegisterRows(connection, "braid_journal_expectation_result",
               {{"run_id", "VARCHAR"},
                {"node", "VARCHAR"},
                {"name", "VARCHAR"},
                {"action", "VARCHAR"},
                {"passed", "BIGINT"},
                {"failed", "BIGINT"}},
               [&journal] { return journal.Expectations(); });
  lake.PublishViews({View("run", "run_id, started_at, finished_at, status, snapshot_id, command"),
                     View("run_node", "run_id, node, kind, action, reason, rows, seconds, error"),
                     View("expectation_result", "run_id, node, name, action, passed, failed")});
}

void JournalingObserver::NodeFinished(const flow::NodeResult& result) {
  journal_.AddNode({.run_id = run_id_,
                    .node = result.node,
                    .kind = result.kind,
                    .action = result.action,
                    .reason = result.reason,
                    .rows = result.rows,
                    .seconds = result.seconds,
                    .error = result.error});
  for (const flow::ExpectationResult& rule : result.expectations)
    journal_.AddExpectation({.run_id = run_id_,
                             .node = rule.node,
                             .name = rule.name,
                             .action = rule.action,
                             .passed = rule.passed,
                             .failed = rule.failed});
  next_.NodeFinished(result);
}

}  // namespace braid::app
