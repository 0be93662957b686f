// SPDX-License-Identifier: Apache-2.0
// What a PartitionedModel tells of itself: the tables of its models, and ML.PARTITION_INFO.
#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "ml/partitioned/partitioned_model.h"

namespace braid::ml {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kInfo = "PARTITION_INFO";

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::vector<TableFunction> PartitionedModel::table_functions() const {
  std::vector<TableFunction> functions = AnyModel().table_functions();
  functions.push_back({kInfo});
  return functions;
}

// A key whose name another column has is called partition_<name>.
std::vector<Table::Column> PartitionedModel::WithKeys(
    const std::vector<Table::Column>& others) const {
  std::vector<Table::Column> columns;
  for (const KeyColumn& key : parts_.key_columns) {
    const bool taken = std::any_of(others.begin(), others.end(), [&](const Table::Column& other) {
      return EqualsIgnoringCase(other.name, key.name);
    });
    columns.push_back({taken ? "partition_" + key.name : key.name, key.type});
  }
  columns.insert(columns.end(), others.begin(), others.end());
  return columns;
}

// Models of several classes may have columns that those of two lack.
std::vector<Table::Column> PartitionedModel::OwnColumns(std::string_view function,
                                                        const std::vector<Option>& settings) const {
  std::vector<Table::Column> columns = AnyModel().TableOf(function, settings).columns;
  if (parts_.classes.size() <= 2) return columns;
  for (uint32_t entry = 1; entry < parts_.pack.size(); ++entry) {
    if (At(entry).model->classes().size() == AnyModel().classes().size()) continue;
    const Table table = At(entry).model->TableOf(function, settings);
    for (const Table::Column& column : table.columns)
      if (std::none_of(columns.begin(), columns.end(),
                       [&](const Table::Column& known) { return known.name == column.name; }))
        columns.push_back(column);
  }
  return columns;
}

std::vector<Json> PartitionedModel::KeyCells(size_t partition) const {
  std::vector<Json> cells;
  for (const std::optional<std::string>& text : parts_.keys[partition])
    cells.push_back(OrNull(text));
  return cells;
}

Table PartitionedModel::PartitionInfo(size_t partition) const {
  std::vector<Table::Column> own = {{"rows", "BIGINT"},
                                    {"status", "VARCHAR"},
                                    {"error_message", "VARCHAR"},
                                    {"notice", "VARCHAR"}};
  if (task() == Task::kRegression) {
    own.push_back({"mean_squared_error", "DOUBLE"});
    own.push_back({"r2_score", "DOUBLE"});
  } else if (task() == Task::kClassification) {
    own.push_back({"log_loss", "DOUBLE"});
  }
  const PartitionOutcome& outcome = parts_.outcomes[partition];
  std::vector<Json> row = KeyCells(partition);
  row.emplace_back(outcome.rows);
  row.emplace_back(outcome.error.empty() ? "trained" : "failed");
  row.push_back(TextOrNull(outcome.error));
  row.push_back(TextOrNull(outcome.notice));
  if (task() != Task::kProjection) row.push_back(OrNull(outcome.loss));
  if (task() == Task::kRegression) row.push_back(OrNull(outcome.r2_score));
  return {.columns = WithKeys(own), .rows = {std::move(row)}};
}

Table PartitionedModel::TablePart(std::string_view function, const std::vector<Option>& settings,
                                  size_t part) const {
  if (function == kInfo) return PartitionInfo(part);
  Table table{.columns = WithKeys(OwnColumns(function, settings)), .rows = {}};
  if (parts_.entry_of[part] == PartitionKeys::kNone) return table;
  // Not kept: whoever asks for tables asks for those of all partitions.
  const auto model = parts_.kind->load(parts_.pack.Artefact(parts_.entry_of[part]));
  const Table own = model->TableOf(function, settings);
  for (const auto& cells : own.rows) {
    std::vector<Json> row = KeyCells(part);
    for (size_t c = row.size(); c < table.columns.size(); ++c) {
      const auto found = std::find_if(
          own.columns.begin(), own.columns.end(),
          [&](const Table::Column& column) { return column.name == table.columns[c].name; });
      row.push_back(found == own.columns.end()
                        ? Json(nullptr)
                        : cells[static_cast<size_t>(found - own.columns.begin())]);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table PartitionedModel::TableOf(std::string_view function,
                                const std::vector<Option>& settings) const {
  Table whole;
  for (size_t part = 0; part < partition_count(); ++part) {
    Table table = TablePart(function, settings, part);
    whole.columns = std::move(table.columns);
    for (auto& row : table.rows) whole.rows.push_back(std::move(row));
  }
  return whole;
}

}  // namespace braid::ml
